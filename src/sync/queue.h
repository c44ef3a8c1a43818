/* queue.h - a word with a lock bit and a list of those who wait: what locks, semaphores and conditions are made of. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_QUEUE_H
#define GRT_SYNC_QUEUE_H

#include "base/spin.h"
#include "sync/wait.h"
#include "sync/who.h"

/*
 * PROTOCOL queue
 *   Words    word: QUEUE_LOCK, QUEUE_WAITERS (the list is not empty), and what its owner keeps in the other bits. first:
 *            the list, the longest waiting first; under QUEUE_LOCK.
 *   Owners   while QUEUE_LOCK is clear anyone by CAS. While it is set: who set it.
 *   Steps    lock: CAS the bit in. unlock: store the new word without it: the last touch of the object by one who wakes.
 *            Then ready those taken off the list: the last touch of their waiters.
 *            Who stops waiting by himself locks, takes his node off if it is still queued, unlocks.
 *   Pairs    A unlock: word release -> B lock: word acquire   the list, and all that was done under the lock
 *   Relaxed  the look before the CAS.
 *   Reuse    the word belongs to its object, which a waiter keeps alive.
 *   Rejected a spin lock beside the word: the sizes are fixed, and one word lets the usual case do with one CAS.
 *   Checked  tests/model/lock.c, tests/stress/lock.c
 */
#define QUEUE_LOCK    (UINT64_C(1) << 63)
#define QUEUE_WAITERS (UINT64_C(1) << 62)

struct queue {
	_Atomic uint64_t word;
	struct wnode *first; /* its prev is the last */
};

/* Spins while another holds the lock: some tens of instructions, or until the OS lets its holder go on. */
uint64_t grt_queue_unlocked(struct queue *q);

/* The word before. */
GRT_INLINE uint64_t grt_queue_lock(struct queue *q)
{
	if (GRT_CHECKS_ON)
		grt_lock_wanted(q, LOCK_QUEUE);
	for (;;) {
		uint64_t v = grt_queue_unlocked(q);

		if (atomic_compare_exchange_weak_explicit(&q->word, &v, v | QUEUE_LOCK,
							  memory_order_acquire, /* queue.B */
							  memory_order_relaxed)) {
			if (GRT_CHECKS_ON)
				grt_lock_taken(q, LOCK_QUEUE);
			return v;
		}
	}
}

/* The lock goes with its object, or is about to be unlocked. */
GRT_INLINE void grt_queue_left(struct queue *q)
{
	if (GRT_CHECKS_ON)
		grt_lock_left(q, LOCK_QUEUE);
}

GRT_INLINE void grt_queue_unlock(struct queue *q, uint64_t v)
{
	grt_queue_left(q);
	grt_chaos();
	atomic_store_explicit(&q->word, v, memory_order_release); /* queue.A */
	grt_chaos();
}

/* All under the lock. */
void grt_queue_push(struct wnode **first, struct wnode *n);
void grt_queue_push_front(struct wnode **first, struct wnode *n);
void grt_queue_del(struct wnode **first, struct wnode *n);

/* The first whose wait is not over: claimed, and off the list. NULL: none. */
struct wnode *grt_queue_pop(struct wnode **first);

/* Takes a waiter whose wait ended without q off the list, if it is still there. */
void grt_queue_remove(struct wnode *n);

#endif
