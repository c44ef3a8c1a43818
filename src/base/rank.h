/* rank.h - the order in which the runtime's locks are taken, which checks builds see kept. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_RANK_H
#define GRT_BASE_RANK_H

#include "base/cc.h"

/*
 * Every spin lock of the runtime, and every word with a lock bit, has one of these. Who holds locks takes another only if
 * it stands further down than all of them. Of channels a select holds several, by rising address; of all others one at a
 * time. None is held when a goroutine is switched out, when a thread sleeps, or when goru is left.
 */
enum lock_rank {
	LOCK_NONE,
	LOCK_KEYS,	  /* the table of local keys */
	LOCK_TIMER,	  /* a program's timer */
	LOCK_SIGNALS,	  /* the channels that signals go to */
	LOCK_CHAN,	  /* a channel */
	LOCK_GROUP,	  /* a wait group */
	LOCK_QUEUE,	  /* mutex, rwlock, condition, semaphore, once, task: PROTOCOL queue */
	LOCK_SCOPE,	  /* a scope */
	LOCK_PLAIN,	  /* plain threads that wait */
	LOCK_RT,	  /* rt.lock */
	LOCK_INJQ,	  /* the shared queue */
	LOCK_GPOOL,	  /* dead goroutines, shared */
	LOCK_TIMERS,	  /* a P's timers */
	LOCK_TIMERS_HOME, /* those of P 0, where a P that retires puts its own */
	LOCK_STACKS,	  /* the arenas */
	LOCK_RANKS,
};

/* In checks builds, for the calling thread; all fatal if they are not so. wanted: may the lock at be taken? taken, left:
 * it is, it no longer is. none: no lock is held while what. */
void grt_lock_wanted(const void *at, enum lock_rank r);
void grt_lock_taken(const void *at, enum lock_rank r);
void grt_lock_left(const void *at, enum lock_rank r);
void grt_lock_none(const char *what);

GRT_INLINE void grt_unlocked_here(const char *what)
{
	if (GRT_CHECKS_ON)
		grt_lock_none(what);
}

#endif
