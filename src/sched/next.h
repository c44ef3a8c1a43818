/* next.h - what a goroutine that stops running switches to, without a detour over the loop. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_NEXT_H
#define GRT_SCHED_NEXT_H

#include "sched/switch.h"

enum {
	/* The shared queue goes first at every 61st pick, as in Go: a prime, so that it does not beat with a program's
	 * own pattern. */
	INJQ_EVERY = 61,
	/* So often may runnext go before a ring that has somebody waiting: two that wake each other for ever do not
	 * hold up a third. Long enough that a chain of wake-ups keeps its cache. */
	RING_EVERY = 64,
};

/* The ring was popped, but its goroutine is not off its stack yet and its M seems to be preempted: put it back. */
struct g *grt_next_unsaved(struct p *p, struct g *g);

/*
 * The next goroutine of p's own, ready to be switched to; self (which may have put itself into the ring) needs no switch.
 * NULL: none, or the loop has to look first (shared queue due, attention asked for).
 */
GRT_INLINE struct g *grt_next(struct p *p, struct g *self)
{
	struct g *g = grt_load(&p->runnext), *ring;

	if (GRT_UNLIKELY(grt_load(&p->attention) || p->to_injq == 0))
		return NULL;
	p->to_injq--;
	if (g) {
		if (GRT_UNLIKELY(p->to_ring-- == 0)) {
			p->to_ring = RING_EVERY;
			ring = grt_runq_pop(&p->runq);
			if (ring)
				g = ring;
			else
				grt_store(&p->runnext, NULL);
		} else {
			grt_store(&p->runnext, NULL);
		}
	} else {
		p->to_ring = RING_EVERY;
		g = grt_runq_pop(&p->runq);
		if (!g)
			return NULL;
	}
	if (GRT_UNLIKELY(g == self || !grt_saved(g)))
		return g == self ? g : grt_next_unsaved(p, g);
	return g;
}

#endif
