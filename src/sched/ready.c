/* ready.c - a goroutine becomes runnable: the lanes, the shared queue, and who is woken for it. */
/* SPDX-License-Identifier: MIT */
#include "sched/ready.h"

/* No fence: who goes idle in this very moment is seen at the next surplus, or by the monitor (PROTOCOL own). */
GRT_INLINE void surplus(void)
{
	if (GRT_UNLIKELY(grt_load(&grt_rt.wakeable)))
		grt_wake_surplus();
}

/* Full: the newer half goes where all see it, behind all that waits there. What has waited longest keeps its place. */
GRT_COLD void grt_ready_spill(struct p *p, struct g *g)
{
	struct lane *l = &p->woken;
	struct glist half = { 0 };

	grt_glist_push(&half, g);
	for (uint32_t i = 0; i < GRT_LANE_LEN / 2; i++)
		grt_glist_push_front(&half, grt_lane_newest(l));
	grt_injq_append(&grt_rt.injq, &half);
	grt_wake_if_idle();
}

/* Full: the older half goes, which would be last here and is the biggest part of a tree. */
static GRT_COLD void spill_spawned(struct lane *l, struct g *g)
{
	struct glist half = { 0 };

	for (uint32_t i = 0; i < GRT_LANE_LEN / 2; i++)
		grt_glist_push(&half, grt_lane_oldest(l));
	grt_lane_push(l, g);
	grt_injq_append(&grt_rt.injq, &half);
	grt_wake_if_idle();
}

void grt_ready_woken(struct p *p, struct g *g)
{
	grt_ready_last(p, g);
	surplus();
}

void grt_ready_spawned(struct p *p, struct g *g)
{
	if (GRT_UNLIKELY(!grt_lane_push(&p->spawned, g)))
		spill_spawned(&p->spawned, g);
	surplus();
}

void grt_ready_shared(struct g *g)
{
	grt_injq_push(&grt_rt.injq, g);
	grt_wake_if_idle();
}

void grt_ready_moved(struct p *p, struct glist *batch)
{
	struct g *g;

	if (!batch->n)
		return;

	bool alone = batch->n == 1 && !grt_own_any(p); /* p will run it at once */

	while ((g = grt_glist_pop(batch)))
		grt_ready_last(p, g);
	if (!alone)
		surplus();
}

void grt_ready_batch(struct p *p, struct glist *batch)
{
	for (struct g *g = batch->head; g; g = g->schedlink)
		grt_g_set_state(g, G_RUNNABLE);
	if (p) {
		grt_ready_moved(p, batch);
	} else if (batch->n) {
		grt_injq_append(&grt_rt.injq, batch);
		grt_wake_if_idle();
	}
}

void grt_ready_batch_next(struct p *p, struct glist *batch)
{
	struct g *first = grt_glist_pop(batch), *old = grt_load(&p->runnext);
	bool others = grt_own_any(p);

	grt_ready_batch(p, batch);
	grt_g_set_state(first, G_RUNNABLE);
	grt_store(&p->runnext, first);
	if (old)
		grt_ready_last(p, old);
	if (others)
		surplus();
}
