/* runq.h - one P's queue of runnable goroutines. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_RUNQ_H
#define GRT_PART_RUNQ_H

#include "part/g.h"

#ifndef GRT_RUNQ_LEN
#define GRT_RUNQ_LEN 256u /* a power of two; the models use a small one */
#endif

struct runq {
	GRT_ALIGNED(GRT_CACHELINE) _Atomic uint32_t head;
	GRT_ALIGNED(GRT_CACHELINE) _Atomic uint32_t tail;
	_Atomic(struct g *) slot[GRT_RUNQ_LEN];
};

GRT_INLINE void grt_runq_init(struct runq *q)
{
	grt_store(&q->head, GRT_START);
	grt_store(&q->tail, GRT_START);
}

/* Owner only. push: false when full, nothing changed. */
bool grt_runq_push(struct runq *q, struct g *g);
struct g *grt_runq_pop(struct runq *q);

/* The owner of to takes the older half, rounded up, out of from: all but the last go to to, which must be empty; the
 * last is returned to be run. NULL: there was nothing. */
struct g *grt_runq_steal(struct runq *to, struct runq *from);

/* Hints for others, exact for the owner but for what thieves take. */
GRT_INLINE uint32_t grt_runq_len(struct runq *q)
{
	uint32_t h = grt_load(&q->head);
	uint32_t t = grt_load(&q->tail);

	/* two loads, not one moment: a head that moved past the tail read here means empty */
	return (int32_t)(t - h) > 0 ? t - h : 0;
}

#endif
