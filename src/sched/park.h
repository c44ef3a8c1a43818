/* park.h - a goroutine stops running: park, yield, exit. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_PARK_H
#define GRT_SCHED_PARK_H

#include "sched/next.h"

/*
 * The calling goroutine waits: it has put itself where its waker finds it, and holds no lock. Returns with the M it runs
 * on when somebody made it ready, perhaps at once.
 */
GRT_INLINE struct m *grt_park(struct m *m, struct p *p)
{
	struct g *g = m->curg;
	struct g *next = grt_next(p, g);

	p->nparks++;
	if (GRT_UNLIKELY(next == g)) {
		if (g->flags & G_LOCKED)
			return grt_switch_locked(m, p, g);
		grt_g_set_state(g, G_RUNNING);
		return m;
	}
	return grt_switch(m, p, g, next);
}

/* What every stack begins with: runs what the goroutine on it was given, and exits. */
void grt_g_main(void *m);

/* The end of the calling goroutine, on its own stack, outside goru. */
_Noreturn void grt_exit(void);

/* g's first switch will run what it was given; its registers count as saved from now on. */
GRT_INLINE void grt_g_prepare(struct g *g)
{
	grt_arch_prepare(&g->sched, g, grt_g_main);
	if (GRT_ASAN_ON) {
		g->san = (struct san_stack){ .lo = g->stack_lo + grt_stack_guard(g) };
		g->san.size = (size_t)((char *)g - (char *)g->san.lo);
	}
	if (GRT_TSAN_ON)
		g->san.fiber = grt_tsan_create();
}

/* The loop runs g until a goroutine switches back to it. */
void grt_run(struct m *m, struct p *p, struct g *g);

#endif
