/* injq.h - the shared queue: for those without a P, for what overflows a P's own, and for fairness. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_INJQ_H
#define GRT_PART_INJQ_H

#include "base/spin.h"
#include "part/g.h"

/*
 * In order: front[at..end), then the leaders from first to last, each followed by its group. A chain of goroutines one
 * by one would be a cache and a TLB miss each, since they are cold when they come out; this is one for eight.
 * n is written under the lock and read by anyone as a hint (PROTOCOL wake says when it may be stale), the rest is under it.
 */
struct injq {
	GRT_ALIGNED(GRT_CACHELINE) struct spin lock;
	_Atomic uint32_t n;
	_Atomic uint32_t taken; /* in checks builds: how many ever; names the oldest */
	uint8_t at, end;
	uint8_t room; /* free places in the last leader's group */
	struct g *first, *last;
	struct g *front[G_GROUP];
};

void grt_injq_push(struct injq *q, struct g *g);
void grt_injq_append(struct injq *q, struct glist *batch);

/* Up to max of the oldest, onto out. Of several, what they need to run is on its way into the cache then. */
void grt_injq_take(struct injq *q, uint32_t max, struct glist *out);

GRT_INLINE uint32_t grt_injq_len(struct injq *q)
{
	return grt_load(&q->n);
}

#endif
