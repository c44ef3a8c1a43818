/* kit.h - what models need of goru's inside: goroutines on the explorer's stacks, Ms, and the kernel's part. */
/* SPDX-License-Identifier: MIT */
#ifndef MODEL_KIT_H
#define MODEL_KIT_H

#include "rt/idle.h"
#include "sched/park.h"

/* A goroutine with a stack of its own, ready to run fn when it is switched to. In init. */
struct g *kit_g(void (*fn)(void *));

/* P number id, held by m or idle. In init; one after the other. */
void kit_p(struct p *p, uint32_t id, struct m *m);

/* The calling thread is m from now on. */
struct m *kit_begin(struct m *m, struct p *p);

/* The oldest in the shared queue, or NULL. */
struct g *kit_injq_pop(void);

/* So much later is it at each look at the clock by the same thread; 0: the clock stands. In init. */
extern int64_t kit_tick;
extern bool kit_no_membarrier; /* it is refused */

/* The calling goroutine ends: its M goes on where it ran it. */
_Noreturn void kit_end(void);

#endif
