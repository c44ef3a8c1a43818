/* lane.h - goroutines that one P keeps to itself, taken newest or oldest first; no thread but its owner writes. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_LANE_H
#define GRT_PART_LANE_H

#include "part/g.h"

#ifndef GRT_LANE_LEN
#define GRT_LANE_LEN 1024u /* a power of two; the models use a small one */
#endif

/*
 * head and tail run freely; [head, tail) is queued, the oldest at head. Plain accesses, atomic only because others look:
 * who sees the same head twice, and the lane not empty, knows that the same goroutine has been the oldest all the while.
 */
struct lane {
	GRT_ALIGNED(GRT_CACHELINE) _Atomic uint32_t head;
	_Atomic uint32_t tail;
	struct g *slot[GRT_LANE_LEN];
};

GRT_INLINE void grt_lane_init(struct lane *l)
{
	grt_store(&l->head, GRT_START);
	grt_store(&l->tail, GRT_START);
}

/* Exact for the owner, a hint for others. */
GRT_INLINE uint32_t grt_lane_len(struct lane *l)
{
	uint32_t h = grt_load(&l->head);
	uint32_t t = grt_load(&l->tail);

	/* two loads, not one moment */
	return (int32_t)(t - h) > 0 ? t - h : 0;
}

/* False when full, nothing changed. */
GRT_INLINE bool grt_lane_push(struct lane *l, struct g *g)
{
	uint32_t t = grt_load(&l->tail);

	if (GRT_UNLIKELY(t - grt_load(&l->head) >= GRT_LANE_LEN))
		return false;
	l->slot[t % GRT_LANE_LEN] = g;
	grt_store(&l->tail, t + 1);
	return true;
}

GRT_INLINE struct g *grt_lane_oldest(struct lane *l)
{
	uint32_t h = grt_load(&l->head);

	if (h == grt_load(&l->tail))
		return NULL;
	grt_store(&l->head, h + 1);
	return l->slot[h % GRT_LANE_LEN];
}

/* The last one leaves by the head: head moves whenever the oldest goes, by whichever end. */
GRT_INLINE struct g *grt_lane_newest(struct lane *l)
{
	uint32_t h = grt_load(&l->head);
	uint32_t t = grt_load(&l->tail);

	if (h == t)
		return NULL;
	if (t - h == 1)
		grt_store(&l->head, t);
	else
		grt_store(&l->tail, t - 1);
	return l->slot[(t - 1) % GRT_LANE_LEN];
}

#endif
