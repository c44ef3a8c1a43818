/* spin.h - a lock for sections of a few dozen instructions; its unlock is a plain store. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_SPIN_H
#define GRT_BASE_SPIN_H

#include "base/atomic.h"
#include "base/chaos.h"
#include "base/rank.h"

/*
 * PROTOCOL spin
 *   Words    word: 0 free, 1 held; in checks builds with the lock's rank (base/rank.h) above that bit, for its life.
 *   Owners   whoever turned 0 into 1; nobody else may store.
 *   Steps    lock: exchange 1 until the old value was 0, looking without writing in between. unlock: store 0.
 *   Pairs    A unlock: word release -> B lock: word acquire   all that the last holder wrote is visible to the next
 *   Relaxed  the look between two exchanges: a stale 1 costs one more look, a stale 0 one more exchange.
 *   Reuse    the word belongs to its object; unlock's store is the last touch, the object may then be freed.
 *   Rejected a word that counts sleepers, with a futex behind it: its unlock is a locked instruction (9.8 against 6.8 ns).
 *            The holder may be preempted by the OS, so a waiter that has spun for a while gives its CPU away instead.
 *   Checked  tests/model/spin.c
 */
struct spin {
	_Atomic uint32_t word;
};

/* What a lock begins as. All-zero memory is one without a rank, which checks builds refuse. */
#define GRT_SPIN(rank)                                                                             \
	{                                                                                          \
		GRT_CHECKS_ON ? (uint32_t)(rank) << 1 : 0                                          \
	}

GRT_INLINE enum lock_rank grt_spin_rank(struct spin *s)
{
	return (enum lock_rank)(grt_load(&s->word) >> 1);
}

/* The i-th beat of waiting for somebody else's short section: first this CPU's pause, then others' turn on it. */
void grt_spin_pause(unsigned i);

/* Until the lock looked free once. */
void grt_spin_wait(struct spin *s);

GRT_INLINE bool grt_spin_try(struct spin *s)
{
	if (GRT_CHECKS_ON) { /* the rank stays */
		if (atomic_fetch_or_explicit(&s->word, 1, memory_order_acquire) & 1) /* spin.B */
			return false;
		grt_lock_wanted(s, grt_spin_rank(s));
		grt_lock_taken(s, grt_spin_rank(s));
		return true;
	}
	return !atomic_exchange_explicit(&s->word, 1, memory_order_acquire); /* spin.B */
}

GRT_INLINE void grt_spin_lock(struct spin *s)
{
	if (GRT_CHECKS_ON)
		grt_lock_wanted(s, grt_spin_rank(s));
	while (GRT_UNLIKELY(!grt_spin_try(s)))
		grt_spin_wait(s);
	grt_chaos();
}

GRT_INLINE void grt_spin_unlock(struct spin *s)
{
	uint32_t free = 0;

	if (GRT_CHECKS_ON) {
		free = grt_load(&s->word) & ~1u;
		grt_lock_left(s, grt_spin_rank(s));
	}
	atomic_store_explicit(&s->word, free, memory_order_release); /* spin.A */
	grt_chaos();
}

#endif
