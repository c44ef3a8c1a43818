/* alarm.h - what stands inside for a timer of the program's, or for a channel that tells the time. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_ALARM_H
#define GRT_PART_ALARM_H

#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/chaos.h"

/*
 * PROTOCOL alarm
 *   Words    claim: a number that rises by ALARM_STEP with each use, plus one of enum alarm_state. The rest is written by
 *            who took the alarm from the free ones, before it is in a heap, and only read until it is free again.
 *   Owners   an alarm is free, in one heap, or taken out of it by one who expires: which of these is changed under that
 *            heap's lock only. The state is anyone's who knows the number (struct armed in sync/arm.h), by CAS.
 *   Steps    arm: number + STEP, ARMED; into the heap. stop: ARMED -> STOPPED, and no more: the heap's entry is dropped
 *            when it is due or swept, and the alarm is free then.
 *            expire, one that runs a function: taken out; a goroutine for it is at hand; ARMED -> FIRED, or for a
 *            periodic one a look that it is ARMED. Won: the goroutine starts. Back into the heap (periodic, or no
 *            goroutine was to be had), or free.
 *            expire, a scope's: taken out; ARMED -> FIRED. Won: the scope is ended (PROTOCOL scope), which the alarm keeps.
 *            expire, a channel's: taken out; ARMED -> SENDING; send; SENDING -> ARMED or FIRED. If it is ORPHAN by then:
 *            free the channel.
 *            unref, the last: ARMED -> STOPPED, or FIRED found: free the channel. SENDING -> ORPHAN: leave it.
 *   Pairs    A sent: claim release -> B unref: claim acquire   the sender's last touch of the channel is before its end
 *            C unref: claim release -> D orphan: claim acquire   and the other way round
 *   Relaxed  stop, FIRED and SENDING: the word decides only who goes on; what the alarm says is ordered by the heap's lock.
 *   Reuse    a number does not come back as long as the runtime runs (61 bits), and what an old one names is still an
 *            alarm: they are unmapped by shutdown only, and who knows a number knows which start it is of (rt.epoch).
 *   Rejected the program's goru_timer in the heap: stop would have to find and take out its entry under the lock of
 *            another worker's heap, or wait for one who expires it, before the memory is the program's again.
 *            A reference to the channel held by its alarm: the last unref could not tell that it is the last.
 *   Checked  tests/model/alarm.c, tests/stress/timer.c
 */
enum alarm_state {
	ALARM_ARMED = 0,
	ALARM_STOPPED,
	ALARM_FIRED,
	ALARM_SENDING,
	ALARM_ORPHAN,
	ALARM_MASK = 7,
};
enum { ALARM_STEP = ALARM_MASK + 1 };

struct alarm {
	_Atomic uint64_t claim;
	void (*fn)(void *); /* NULL: arg is a channel */
	void *arg;	    /* of a free one: the next */
	int64_t period;	    /* 0: once; ALARM_OF_SCOPE: once, and arg is a scope */
	const void *from;   /* where it was started, for reports */
};
enum { ALARM_OF_SCOPE = -1 };

/* Names one use of an alarm; all zero: none. Outlives the alarm: epoch says which start of the runtime it was of. */
struct armed {
	struct alarm *alarm;
	uint64_t open;
	uint64_t epoch;
};

GRT_INLINE bool grt_alarm_claim(struct alarm *a, uint64_t open, enum alarm_state to)
{
	grt_chaos();
	return atomic_compare_exchange_strong_explicit(&a->claim, &open, open | to,
						       memory_order_relaxed, memory_order_relaxed);
}

GRT_INLINE bool grt_alarm_armed(struct alarm *a, uint64_t open)
{
	return grt_load(&a->claim) == open;
}

/* After the sending. False: the channel is the caller's to free. */
GRT_INLINE bool grt_alarm_sent(struct alarm *a, uint64_t open, bool again)
{
	uint64_t seen = open | ALARM_SENDING;

	grt_chaos();
	if (atomic_compare_exchange_strong_explicit(&a->claim, &seen,
						    again ? open : open | ALARM_FIRED,
						    memory_order_release, /* alarm.A */
						    memory_order_relaxed))
		return true;
	atomic_thread_fence(memory_order_acquire); /* alarm.D */
	return false;
}

/* By the last unref. False: somebody sends, and will free the channel. */
GRT_INLINE bool grt_alarm_abandon(struct alarm *a, uint64_t open)
{
	uint64_t seen = open;

	grt_chaos();
	while (!atomic_compare_exchange_strong_explicit(
		&a->claim, &seen, open | (seen == open ? ALARM_STOPPED : ALARM_ORPHAN),
		memory_order_acq_rel,	 /* alarm.B alarm.C */
		memory_order_acquire)) { /* alarm.B */
		if (seen != open && seen != (open | ALARM_SENDING))
			return true;
		grt_chaos();
	}
	return seen == open;
}

#endif
