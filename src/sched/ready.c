/* ready.c - a goroutine becomes runnable: the ring, the shared queue, and who is woken for it. */
/* SPDX-License-Identifier: MIT */
#include "sched/ready.h"

/* With one P there is nobody to wake. set_procs barriers after it raised procs, so a stale 1 is not kept. */
GRT_INLINE void wake(void)
{
	if (grt_load(&grt_rt.procs) > 1)
		grt_wake_if_idle();
}

static GRT_NOINLINE void overflow(struct p *p, struct g *g)
{
	struct glist half = { 0 };

	grt_runq_half(&p->runq, &half);
	grt_glist_push(&half, g);
	grt_injq_append(&grt_rt.injq, &half);
}

void grt_ready_tail(struct p *p, struct g *g)
{
	if (GRT_UNLIKELY(!grt_runq_push(&p->runq, g)))
		overflow(p, g);
	wake();
}

void grt_ready_shared(struct g *g)
{
	grt_injq_push(&grt_rt.injq, g);
	grt_wake_if_idle();
}

void grt_ready_batch(struct p *p, struct glist *batch)
{
	struct g *g;

	if (!batch->n)
		return;
	for (g = batch->head; g; g = g->schedlink)
		grt_g_set_state(g, G_RUNNABLE);
	if (!p) {
		grt_injq_append(&grt_rt.injq, batch);
		grt_wake_if_idle();
		return;
	}
	while ((g = grt_glist_pop(batch))) {
		if (GRT_UNLIKELY(!grt_runq_push(&p->runq, g))) {
			overflow(p, g);
			grt_injq_append(&grt_rt.injq, batch);
		}
	}
	wake();
}
