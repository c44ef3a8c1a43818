/* timers.h - one P's deadlines: a 4-ary heap of (when, goroutine, wait). */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_TIMERS_H
#define GRT_PART_TIMERS_H

#include "base/spin.h"
#include "part/g.h"

/* Names a wait, not a memory place that somebody must take back: an entry whose wait is over is dropped when it is due
 * or when the heap wants to grow. */
struct timer_entry {
	int64_t when;
	struct g *g;
	uint64_t open;
};

struct timers {
	struct spin lock; /* heap, n, cap */
	uint32_t n, cap;
	struct timer_entry *heap;
	/* heap[0].when, or GRT_NEVER: written under the lock, read by anyone as a hint. A reader that misses a new
	 * earliest one is the adder's business: it knows whether somebody may sleep too long (add returns 1). */
	_Atomic int64_t first;
};

#define GRT_NEVER INT64_MAX

void grt_timers_init(struct timers *t);
void grt_timers_fini(struct timers *t);

/* 1: the new one is the earliest; 0: it is not; -ENOMEM. */
int grt_timers_add(struct timers *t, int64_t when, struct g *g, uint64_t open);

/* Takes out those that are due, the earliest first, until max waits that were still open are ended as timed out and
 * appended to out. first tells whether more are due. */
void grt_timers_expire(struct timers *t, int64_t now, uint32_t max, struct glist *out);

/* All entries of from into to (a P that retires); -ENOMEM: some stay. */
int grt_timers_move(struct timers *to, struct timers *from);

GRT_INLINE int64_t grt_timers_first(struct timers *t)
{
	return grt_load(&t->first);
}

#endif
