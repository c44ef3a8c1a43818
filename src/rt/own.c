/* own.c - what a P has to run: its private places, and how others get a share of them. */
/* SPDX-License-Identifier: MIT */
#include "rt/own.h"

#include "rt/self.h"

/* n of the oldest, as far as the ring has room. */
static void move(struct lane *l, struct p *p, uint32_t n)
{
	while (n-- && grt_runq_len(&p->runq) < GRT_RUNQ_LEN)
		grt_runq_push(&p->runq, grt_lane_oldest(l));
}

static uint32_t half(struct lane *l)
{
	uint32_t n = (grt_lane_len(l) + 1) / 2;

	return n < GRT_RUNQ_LEN / 2 ? n : GRT_RUNQ_LEN / 2;
}

/* What goes into the ring now; woken ones that lie there keep their turn. */
static void tell_kind(struct p *p, bool spawned)
{
	grt_store(&p->ring_trees, spawned && (!grt_runq_len(&p->runq) || grt_load(&p->ring_trees)));
}

bool grt_own_share(struct p *p)
{
	bool trees = grt_lane_len(&p->spawned);
	struct lane *l = trees ? &p->spawned : &p->woken;
	uint32_t n = half(l);

	if (n)
		tell_kind(p, trees);
	move(l, p, n);
	return n;
}

void grt_own_show_all(struct p *p)
{
	struct glist rest = { 0 };
	struct g *g = grt_load(&p->runnext);

	grt_store(&p->runnext, NULL);
	if (g)
		grt_glist_push(&rest, g);
	while ((g = grt_lane_oldest(&p->spawned)))
		grt_glist_push(&rest, g);
	while ((g = grt_lane_oldest(&p->woken)))
		grt_glist_push(&rest, g);
	if (rest.n)
		grt_injq_append(&grt_rt.injq, &rest);
}

/* Has g, which is queued, not run yet? One whose registers are not saved has. */
static bool fresh(const struct g *g)
{
	return atomic_load_explicit(&g->sched.sp, memory_order_acquire) && /* gobuf.B */
	       grt_arch_fresh(&g->sched);
}

/* Nobody comes to it soon: runnext is the newest, so behind all that was shared. */
static bool share_runnext(struct p *p)
{
	struct g *g = grt_load(&p->runnext);

	if (!g)
		return false;
	grt_store(&p->runnext, NULL);
	tell_kind(p, fresh(g));
	if (!grt_runq_push(&p->runq, g))
		grt_injq_push(&grt_rt.injq, g);
	return true;
}

bool grt_own_rescue(struct p *p)
{
	bool some = false;

	grt_spin_lock(&grt_rt.lock);

	struct m *m = grt_load(&p->m);

	if (m && grt_load(&m->p) == p && !grt_load(&m->in_rt) && grt_take(m, p)) {
		grt_rt.nretakes++;
		some = grt_own_share(p);
		some |= share_runnext(p);
		atomic_store_explicit(&m->p, p, memory_order_release); /* handshake.C */
	}
	grt_spin_unlock(&grt_rt.lock);
	return some;
}
