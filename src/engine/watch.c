/* watch.c - one who looks for work watches what a busy P keeps to itself, and asks for a share when it has waited. */
/* SPDX-License-Identifier: MIT */
#include "engine/watch.h"

#include "base/rand.h"
#include "rt/own.h"

enum {
	US = 1000,
	/* What has waited so long is worth another CPU: about what waking one takes. */
	OLD = 20 * US,
	SHORT = 5 * US,	 /* runs of less, on average, are talk */
	LONG = 500 * US, /* nobody waits for longer, talk or not */
	/* So many woken ones keep two CPUs busy even if each runs for tens of nanoseconds; of fewer, most would talk to
	 * one on the other side. */
	CROWD = 32,
};

struct seen grt_seen(struct p *p)
{
	return (struct seen){ grt_load(&p->runnext),	  grt_load(&p->schedtick),
			      grt_load(&p->spawned.head), grt_load(&p->woken.head),
			      grt_load(&p->runq.head),	  grt_lane_len(&p->woken) >= CROWD };
}

static bool same_oldest(struct lane *l, uint32_t head)
{
	return grt_lane_len(l) && grt_load(&l->head) == head;
}

bool grt_seen_worth(struct p *p, const struct seen *s, int64_t since)
{
	if (s->crowd && grt_lane_len(&p->woken) >= CROWD)
		return true;
	if (same_oldest(&p->spawned, s->spawned))
		return true;
	if (!same_oldest(&p->woken, s->woken))
		return false;
	/* a few that run for a moment each talk to one another: they would go on doing so from CPU to CPU */
	return since >= LONG || (int64_t)(grt_load(&p->schedtick) - s->tick) * SHORT <= since;
}

bool grt_seen_stuck(struct p *p, const struct seen *s)
{
	return grt_load(&p->schedtick) == s->tick;
}

/* A P with something in private, at random. */
static struct p *choose(struct p *self)
{
	uint32_t n = atomic_load_explicit(&grt_rt.nallp, memory_order_acquire); /* allp.B */
	uint32_t at = grt_rand_below(&self->rand, n);

	for (uint32_t i = 0; i < n; i++, at = at + 1 == n ? 0 : at + 1) {
		struct p *p = grt_load(&grt_rt.allp[at]);

		if (p != self &&
		    (grt_lane_len(&p->spawned) || grt_lane_len(&p->woken) || grt_load(&p->runnext)))
			return p;
	}
	return NULL;
}

static void begin(struct watch *w, struct p *self, int64_t now)
{
	w->at = choose(self);
	if (w->at)
		w->seen = grt_seen(w->at);
	w->since = now;
}

/* Looks at the other's words seldom: each look takes a cache line away from its owner. */
bool grt_watch(struct watch *w, struct p *self, int64_t now)
{
	int64_t waited = now - w->since;
	struct p *p = w->at;

	if (p && waited < OLD)
		return false;
	if (p && grt_seen_stuck(p, &w->seen)) {
		/* it computes, or does not get on: no pick of its own will share anything soon */
		if (!grt_own_rescue(p)) {
			w->since = now - OLD * 3 / 4;
			return true;
		}
	} else if (p && grt_seen_worth(p, &w->seen, waited)) {
		atomic_fetch_or_explicit(&p->attention, ATT_SHARE, memory_order_relaxed);
	}
	begin(w, self, now);
	return false;
}
