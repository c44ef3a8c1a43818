/* watch.h - one who looks for work watches what a busy P keeps to itself, and asks for a share when it has waited. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_WATCH_H
#define GRT_ENGINE_WATCH_H

#include "rt/rt.h"

/* What was seen of a P's private places at one moment. */
struct seen {
	struct g *runnext;
	uint64_t tick;
	uint32_t spawned, woken, ring; /* the heads of the lanes and of the ring */
	bool crowd;		       /* many were woken */
};

struct watch {
	struct p *at; /* NULL: nobody yet */
	struct seen seen;
	int64_t since;
};

struct seen grt_seen(struct p *p);

/* Is it worth another CPU, since (ns) after it was seen? Some goroutine has waited in p's lanes since it was seen so, or
 * there are as many woken ones now as then: they come back and back, and half of them moved once stay moved. */
bool grt_seen_worth(struct p *p, const struct seen *s, int64_t since);

/* Has p run the same goroutine since? Then a share must be taken from it; else it gives one at its next pick. */
bool grt_seen_stuck(struct p *p, const struct seen *s);

/* One look at time now, on behalf of the P self, which is not looked at. True: the caller may stand in the other's way,
 * on the same CPU. */
bool grt_watch(struct watch *w, struct p *self, int64_t now);

#endif
