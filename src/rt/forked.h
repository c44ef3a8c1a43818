/* forked.h - a process that is the child of a fork, and has not the runtime that its parent had. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_FORKED_H
#define GRT_RT_FORKED_H

#include "base/atomic.h"

struct m;

/* Set by the child of a fork that was made while the runtime was on, in its only thread (engine/fork.c), and cleared when it
 * has started one of its own. Not a phase: who looks at those must not look at one value more. */
extern bool grt_forked;

/* The M whose goroutine made the fork; its thread is this child's, which has grt_tls_m NULL. NULL: a plain thread made it. */
extern struct m *grt_forked_m;

_Noreturn void grt_forked_call(void);

/* Where a call finds that it is on a plain thread, so that goroutines never ask. */
GRT_INLINE void grt_not_forked(void)
{
	if (GRT_UNLIKELY(grt_peek(&grt_forked)))
		grt_forked_call();
}

#endif
