/* timers.h - one P's deadlines: a 4-ary heap of waits and alarms by their time. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_TIMERS_H
#define GRT_PART_TIMERS_H

#include "base/spin.h"
#include "part/alarm.h"
#include "part/g.h"

/* Names a wait or the use of an alarm, not a memory place that somebody must take back: an entry that is over (its word
 * is not open any more) is dropped when it is due or when the heap wants to grow. */
struct timer_entry {
	int64_t when;
	uintptr_t word; /* address of the claim word, of a goroutine or, with ENTRY_ALARM, of an alarm */
	uint64_t open;
};

struct alarm_chunk;

struct timers {
	struct spin lock; /* all but first */
	uint32_t n, cap, sweep_at;
	uint32_t out; /* places kept for alarms that were taken out and may come back */
	struct timer_entry *heap;
	struct alarm *free;
	struct alarm_chunk *chunks;
	/* heap[0].when, or GRT_NEVER: written under the lock, read by anyone as a hint. A reader that misses a new
	 * earliest one is the adder's business: it knows whether somebody may sleep too long (add returns 1). */
	_Atomic int64_t first;
};

#define GRT_NEVER INT64_MAX

/* Alarms that were due, taken out of one heap. */
enum { GRT_DUE_MAX = 64 };
struct due_alarms {
	uint32_t n;
	struct due_alarm {
		struct alarm *alarm;
		uint64_t open;
		int64_t when;  /* it was due */
		int64_t again; /* by who expires it: the next time, or GRT_NOT_AGAIN */
	} v[GRT_DUE_MAX];
};
#define GRT_NOT_AGAIN INT64_MIN

void grt_timers_init(struct timers *t);
void grt_timers_fini(struct timers *t);

/* 1: the new one is the earliest; 0: it is not; -ENOMEM. */
int grt_timers_add(struct timers *t, int64_t when, struct g *g, uint64_t open);

/* The same in two steps, for an alarm that the caller fills in between them: an unused one with room for it, and t
 * locked, or -ENOMEM; then into the heap, and unlocked. It may be due, fire and be free again at once. */
int grt_timers_alarm(struct timers *t, struct alarm **out);
int grt_timers_arm(struct timers *t, struct alarm *a, int64_t when);

/* Takes out those that are due, the earliest first, until max were found that are not over: waits are ended as timed out
 * and appended to waits; alarms, as many as there is room for, to alarms. first tells whether more are due. */
void grt_timers_expire(struct timers *t, int64_t now, uint32_t max, struct glist *waits,
		       struct due_alarms *alarms);

/* The alarms that expire took out of t: back in, or free. */
void grt_timers_return(struct timers *t, const struct due_alarms *alarms);

/* Drops entries that are over until the earliest is not: nobody should be woken for one. */
void grt_timers_prune(struct timers *t);

/* All entries of from into to (a P that retires); -ENOMEM: some stay. */
int grt_timers_move(struct timers *to, struct timers *from);

/* In checks builds: is it a heap, and first its first? Takes the lock. */
bool grt_timers_sound(struct timers *t);

GRT_INLINE int64_t grt_timers_first(struct timers *t)
{
	return grt_load(&t->first);
}

#endif
