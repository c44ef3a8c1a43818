/* halt.h - for a shutdown: every M stops running goroutines, and then ends or goes on as if nothing had been. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_HALT_H
#define GRT_RT_HALT_H

#include "rt/rt.h"

/* By m on its own stack, with or without a P: halts while the runtime stops. True: it goes on; false: it ends. */
bool grt_halt(struct m *m);

/* An M ends by itself: under rt.lock, after it is no longer counted; and once the lock is free. */
void grt_halt_note(void);
void grt_halt_tell(void);

enum { GRT_HALT_NAMED = 16 };

/* The goroutines that kept a shutdown from going on: the first of n. */
struct halt_left {
	struct g *g[GRT_HALT_NAMED];
	uint32_t n;
};

/* By the shutdown, when the phase says so: no M runs a goroutine any more. False: some still do at the deadline. */
bool grt_halt_wait(int64_t deadline, struct halt_left *left);

/* Then, or after it gave up, with the phase back at RT_ON: all that have halted go on. */
void grt_halt_over(void);

/* Or they end, and whoever halts from now on; also without a wait before. Those on the idle list are the caller's. */
void grt_halt_end(void);

#endif
