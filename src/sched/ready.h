/* ready.h - a goroutine becomes runnable. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_READY_H
#define GRT_SCHED_READY_H

#include "rt/idle.h"
#include "rt/self.h"

/* Into the ring of p, the older half of a full one into the shared queue; wakes a worker if one is due. */
void grt_ready_tail(struct p *p, struct g *g);

/* Into the shared queue: by those without a P. */
void grt_ready_shared(struct g *g);

/* A batch, in order, into the ring of p (NULL: the shared queue). */
void grt_ready_batch(struct p *p, struct glist *batch);

/*
 * g runs next on p: what was woken last has its data in this CPU's cache, and its waker is about to wait. Whoever had
 * that place goes to the ring, which is surplus, and surplus is what another worker is woken for.
 */
GRT_INLINE void grt_ready(struct p *p, struct g *g)
{
	grt_g_set_state(g, G_RUNNABLE);
	if (GRT_UNLIKELY(!p)) {
		grt_ready_shared(g);
		return;
	}

	struct g *old = grt_load(&p->runnext);

	grt_chaos();
	grt_store(&p->runnext, g);
	if (old)
		grt_ready_tail(p, old);
}

#endif
