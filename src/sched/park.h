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

	if (GRT_UNLIKELY(next == g)) {
		grt_g_set_state(g, G_RUNNING);
		return m;
	}
	return grt_switch(m, p, g, next);
}

/* The calling goroutine ends here. */
_Noreturn void grt_exit(struct m *m);

/* g's first switch will run what it was given; its registers count as saved from now on. */
void grt_g_prepare(struct g *g);

/* The loop runs g until a goroutine switches back to it. */
void grt_run(struct m *m, struct p *p, struct g *g);

#endif
