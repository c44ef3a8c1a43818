/* big.h - a call on a stack of its own: what the end of a goroutine, the shutdown and the overflow report need to know. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_BIG_H
#define GRT_SCHED_BIG_H

#include "part/g.h"

/* It stands at the top of its stack, so that it is there as long as that. */
struct big {
	struct big *
		outer; /* the one it was called from; NULL: the goroutine's or thread's own stack */
	char *lo;      /* the mapping: first the guard, then the stack, which top is the end of */
	size_t guard, size;
	void *top; /* below the record, and where the calling stack's sp stands */
	struct g *g;
	uintptr_t limit; /* the goroutine's, for the stack it called from */
	void (*fn)(void *);
	void *arg;
	struct gobuf own; /* the way back for goru_exit */
	struct san_stack from, on;
};

/* The big stack that g (NULL: the calling plain thread) runs on, NULL if it runs on its own. Async-signal-safe. */
struct big *grt_big_of(struct g *g);

/* By g itself, on a big stack that it will not go back to: gives all of them back and calls fn(arg) on g's own stack. */
_Noreturn void grt_big_leave(struct g *g, void (*fn)(void *), void *arg);

/* By shutdown: gives g's big stacks back. */
void grt_big_drop(struct g *g);

#endif
