/* gpool.c - dead goroutines kept hot: per P first, a shared list behind, the kernel last. */
/* SPDX-License-Identifier: MIT */
#include "rt/gpool.h"

enum {
	BATCH = GRT_GFREE_MAX / 2, /* moved between a P and the shared list at once */
	TRIM_MAX = 16384, /* stacks given back in one go: some 3 ms of the monitor's time */
};

/* low is the fewest the list held in this period: so many were not needed, and may go in the next one (budget). */
static struct shared {
	struct spin lock;
	struct glist free[STACK_CLASSES];
	uint32_t low[STACK_CLASSES], budget[STACK_CLASSES];
} F;

static struct g *shared_pop(unsigned cls)
{
	struct g *g = grt_glist_pop(&F.free[cls]);

	if (F.free[cls].n < F.low[cls])
		F.low[cls] = F.free[cls].n;
	return g;
}

int grt_gpool_get_slow(struct p *p, unsigned cls, struct g **out)
{
	grt_spin_lock(&F.lock);

	struct g *g = shared_pop(cls);

	if (g && p && cls == grt_rt.default_cls) {
		for (int i = 1; i < BATCH; i++) {
			struct g *more = shared_pop(cls);

			if (!more)
				break;
			grt_glist_push(&p->gfree, more);
		}
	}
	grt_spin_unlock(&F.lock);
	if (g) {
		*out = g;
		return 0;
	}

	int rc = grt_stack_get(cls, out);

	if (!rc && (*out)->limit)
		atomic_fetch_or_explicit(&grt_rt.enter_flags, ENTER_CHECK, memory_order_relaxed);
	return rc;
}

void grt_gpool_put(struct p *p, struct g *g)
{
	struct glist cold = { 0 };

	if (GRT_LIKELY(p && g->cls == grt_rt.default_cls)) {
		grt_glist_push_front(&p->gfree, g);
		if (GRT_LIKELY(p->gfree.n <= GRT_GFREE_MAX))
			return;
		/* the hotter half stays */
		struct glist hot = { 0 };

		while (hot.n < BATCH)
			grt_glist_push(&hot, grt_glist_pop(&p->gfree));
		cold = p->gfree;
		p->gfree = hot;
		g = NULL;
	}
	grt_spin_lock(&F.lock);
	if (g) {
		grt_glist_push_front(&F.free[g->cls], g);
	} else {
		struct glist *all = &F.free[grt_rt.default_cls];

		grt_glist_append(&cold, all);
		*all = cold;
	}
	grt_spin_unlock(&F.lock);
}

void grt_gpool_drain(struct p *p)
{
	struct glist *all = &F.free[grt_rt.default_cls];

	grt_spin_lock(&F.lock);
	grt_glist_append(all, &p->gfree);
	grt_spin_unlock(&F.lock);
}

static uint32_t trim_class(unsigned cls, bool period)
{
	struct glist dead = { 0 };
	struct glist *l = &F.free[cls];

	grt_spin_lock(&F.lock);
	if (period) {
		F.budget[cls] = F.low[cls];
		F.low[cls] = l->n;
	}

	uint32_t n = F.budget[cls] < TRIM_MAX ? F.budget[cls] : TRIM_MAX;

	/* none of these was needed for a whole period: which of them go makes no difference any more */
	while (dead.n < n && l->n)
		grt_glist_push(&dead, grt_glist_pop(l));
	F.budget[cls] -= n;
	F.low[cls] = F.low[cls] < l->n ? F.low[cls] : l->n;

	uint32_t left = l->n;

	grt_spin_unlock(&F.lock);
	grt_stack_discard(&dead);
	return left;
}

bool grt_gpool_trim(bool period)
{
	uint32_t left = 0;

	for (unsigned c = 0; c < STACK_CLASSES; c++)
		left += trim_class(c, period);
	return left;
}

/* The stacks themselves go with their arenas. */
void grt_gpool_fini(void)
{
	for (unsigned c = 0; c < STACK_CLASSES; c++) {
		F.free[c] = (struct glist){ 0 };
		F.low[c] = F.budget[c] = 0;
	}
}
