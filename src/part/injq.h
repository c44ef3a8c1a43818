/* injq.h - the shared queue: for those without a P, for what overflows a P's ring, and for fairness. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_INJQ_H
#define GRT_PART_INJQ_H

#include "base/spin.h"
#include "part/g.h"

/* list is under the lock; n is written under it and read by anyone as a hint (PROTOCOL wake says when it may be stale). */
struct injq {
	GRT_ALIGNED(GRT_CACHELINE) struct spin lock;
	struct glist list;
	_Atomic uint32_t n;
};

void grt_injq_push(struct injq *q, struct g *g);
void grt_injq_append(struct injq *q, struct glist *batch);

/* Up to max of the oldest, onto out. */
void grt_injq_take(struct injq *q, uint32_t max, struct glist *out);

GRT_INLINE uint32_t grt_injq_len(struct injq *q)
{
	return grt_load(&q->n);
}

#endif
