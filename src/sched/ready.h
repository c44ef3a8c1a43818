/* ready.h - a goroutine becomes runnable. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_READY_H
#define GRT_SCHED_READY_H

#include "rt/idle.h"
#include "rt/own.h"
#include "rt/self.h"

/* p's lane of woken ones is full: the newer half, with g, goes to the shared queue, for which somebody is woken. */
void grt_ready_spill(struct p *p, struct g *g);

/* Behind all of p's own. */
GRT_INLINE void grt_ready_last(struct p *p, struct g *g)
{
	if (GRT_UNLIKELY(!grt_lane_push(&p->woken, g)))
		grt_ready_spill(p, g);
}

/* Into the shared queue: by those without a P. */
void grt_ready_shared(struct g *g);

/* A batch, in order, behind all of p's own (NULL: into the shared queue). */
void grt_ready_batch(struct p *p, struct glist *batch);

/* The same, with at least one, but its first runs next on p, and whoever had that place follows behind. */
void grt_ready_batch_next(struct p *p, struct glist *batch);

/* As grt_ready_batch, for those who were runnable before; p is not NULL. */
void grt_ready_moved(struct p *p, struct glist *batch);

/*
 * g gives up the place in runnext to a newer one that was woken (spawned), and goes where those go. That says nothing of
 * g itself: one that was woken and is then displaced by a spawn stands among the spawned, as the newest, and one that was
 * spawned and is displaced by a wake among the woken. To look at g for it (grt_arch_fresh) would cost each spawn and each
 * wake that displaces somebody 5 instructions of 229. What it may cost: a woken one below newer and newer spawned ones
 * waits for the monitor's 10 ms (ATT_OLDEST); a tree's branch among the woken is begun earlier than it might be.
 */
void grt_ready_woken(struct p *p, struct g *g);
void grt_ready_spawned(struct p *p, struct g *g);

/*
 * g runs next on p: what was woken last has its data in this CPU's cache, and its waker is about to wait. Whoever had
 * that place is surplus, and surplus is what another worker is woken for.
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
		grt_ready_woken(p, old);
}

/* The same for a goroutine that has not run yet: whoever had the place goes to the spawned. */
GRT_INLINE void grt_ready_new(struct p *p, struct g *g)
{
	struct g *old = grt_load(&p->runnext);

	grt_g_set_state(g, G_RUNNABLE);
	grt_chaos();
	grt_store(&p->runnext, g);
	if (old)
		grt_ready_spawned(p, old);
}

#endif
