/* sync.h - mutexes, read-write locks, conditions, semaphores, wait groups, once. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_SYNC_H
#define GORU_SYNC_H

#include <goru/base.h>

/*
 * All of these live in the caller's memory. All-zero bytes are valid (a semaphore of zero units), and nothing has to be
 * destroyed. Goroutines and plain threads may use the same object. A lock belongs to the goroutine or
 * plain thread that took it, whatever thread that runs on later.
 *
 * An object may be freed or reused as soon as a result proves that nobody needs it: after the lock
 * that followed another's unlock, after a wait that saw zero, after a post that was received. The
 * one who wakes does not touch it any more then.
 *
 * Breaking a rule that no result can answer - unlocking what one does not hold, locking a mutex one
 * holds, a wait group below zero, a semaphore above INT_MAX, once from its own function - is fatal
 * in every build, with a message that names goroutine and object.
 *
 * A wait with a deadline adds an entry to a table of deadlines, which grows by doubling: -ENOMEM
 * when it cannot, and nothing was done. A plain thread's wait ends with -ECANCELED when goru_shutdown
 * ends it.
 */
typedef struct goru_mutex {
	uint64_t word[2];
} goru_mutex;

typedef struct goru_rwlock {
	uint64_t word[5];
} goru_rwlock;

typedef struct goru_cond {
	uint64_t word[2];
} goru_cond;

typedef struct goru_sem {
	uint64_t count, word[2];
} goru_sem;

typedef struct goru_once {
	uint64_t word[2];
} goru_once;

/* Counts work that is under way. Lives in the caller's memory; all-zero bytes are a count of zero
 * with nobody waiting, and nothing has to be destroyed. */
typedef struct goru_waitgroup {
	uint64_t word[2];
} goru_waitgroup;

/* clang-format off */
#ifdef __cplusplus
#define GORU_UNITS_(n) static_cast<unsigned>(n)
#else
#define GORU_UNITS_(n) ((unsigned)(n))
#endif
#define GORU_MUTEX_INIT { { 0 } }
#define GORU_RWLOCK_INIT { { 0 } }
#define GORU_COND_INIT { { 0 } }
#define GORU_SEM_INIT(n) { GORU_UNITS_(n), { 0 } }
#define GORU_ONCE_INIT { { 0 } }
#define GORU_WAITGROUP_INIT { { 0 } }
/* clang-format on */

GORU_BEGIN_C_

/*
 * Takes the mutex.
 *
 * m: the mutex. Locking one that the caller holds is fatal.
 * Returns: 0; -ECANCELED on a plain thread when goru_shutdown ended the wait.
 * Call from: anywhere.
 * Waits: while another holds it: spins a little if that one runs on another CPU, then parks. Who
 * comes by just as it is free gets it before those who sleep; one who has waited for 1 ms gets it
 * next.
 * Order: all that others did before their unlock happens before the return.
 * Owns: the mutex belongs to the calling goroutine or plain thread until goru_mutex_unlock.
 * Cost: one atomic operation when it is free; no allocation.
 */
GORU_API int goru_mutex_lock(goru_mutex *m) GORU_WARN_UNUSED;

/*
 * goru_mutex_lock that does not wait.
 *
 * m: the mutex.
 * Returns: 0, or -EAGAIN: somebody holds it, perhaps the caller.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns: as goru_mutex_lock when the result is 0.
 * Cost: one atomic operation at most.
 */
GORU_API int goru_mutex_try_lock(goru_mutex *m);

/*
 * goru_mutex_lock that gives up at a deadline.
 *
 * m: the mutex.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in.
 * Returns: as goru_mutex_lock, or -ETIMEDOUT; -ENOMEM. A free mutex is taken even when the deadline
 * is past.
 * Call from, Order, Owns: as goru_mutex_lock.
 * Waits: as goru_mutex_lock, until the deadline.
 * Cost: as goru_mutex_lock.
 */
GORU_API int goru_mutex_lock_until(goru_mutex *m, int64_t deadline) GORU_WARN_UNUSED;

/*
 * Gives the mutex back.
 *
 * m: the mutex; unlocking one that the caller does not hold is fatal.
 * Call from: who holds it.
 * Waits: no.
 * Order: all before it happens before the next lock returns.
 * Owns: m is not touched any more once another can hold it.
 * Cost: one atomic operation; a wake-up if somebody waits and none is on his way.
 */
GORU_API void goru_mutex_unlock(goru_mutex *m);

/*
 * Takes the lock for reading, together with any number of others.
 *
 * l: the lock. Reading what the caller holds for writing is fatal. Reading twice at once may
 * deadlock: a writer may come between.
 * Returns: 0; -ECANCELED on a plain thread when goru_shutdown ended the wait.
 * Call from: anywhere.
 * Waits: while another writes, or waits to write. After a writer all readers that wait go first.
 * Order: all that writers did before their unlock happens before the return.
 * Owns: readers are only counted; the lock does not know who they are.
 * Cost: one atomic operation when nobody writes; no allocation.
 */
GORU_API int goru_rwlock_rdlock(goru_rwlock *l) GORU_WARN_UNUSED;

/*
 * goru_rwlock_rdlock that does not wait.
 *
 * l: the lock.
 * Returns: 0, or -EAGAIN: somebody writes, or waits to.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns: as goru_rwlock_rdlock when the result is 0.
 * Cost: one atomic operation at most.
 */
GORU_API int goru_rwlock_try_rdlock(goru_rwlock *l);

/*
 * goru_rwlock_rdlock that gives up at a deadline.
 *
 * l: the lock.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in.
 * Returns: as goru_rwlock_rdlock, or -ETIMEDOUT; -ENOMEM. What can be had at once is, even when the
 * deadline is past.
 * Call from, Order, Owns: as goru_rwlock_rdlock.
 * Waits: as goru_rwlock_rdlock, until the deadline.
 * Cost: as goru_rwlock_rdlock.
 */
GORU_API int goru_rwlock_rdlock_until(goru_rwlock *l, int64_t deadline) GORU_WARN_UNUSED;

/*
 * Ends one reader's stay.
 *
 * l: the lock; one call too many is found, and fatal, when nobody reads.
 * Call from: anywhere.
 * Waits: no.
 * Order: all before it happens before the next writer's lock returns.
 * Owns: l is not touched any more once a writer can hold it.
 * Cost: one atomic operation; the last reader wakes a writer.
 */
GORU_API void goru_rwlock_rdunlock(goru_rwlock *l);

/*
 * Takes the lock for writing, alone.
 *
 * l: the lock. Locking what the caller writes already is fatal.
 * Returns: 0; -ECANCELED on a plain thread when goru_shutdown ended the wait.
 * Call from: anywhere.
 * Waits: while others read or write; new readers wait behind it. First come, first served.
 * Order: all that others did before their unlock happens before the return.
 * Owns: the lock belongs to the calling goroutine or plain thread until goru_rwlock_wrunlock.
 * Cost: one atomic operation when it is free; no allocation.
 */
GORU_API int goru_rwlock_wrlock(goru_rwlock *l) GORU_WARN_UNUSED;

/*
 * goru_rwlock_wrlock that does not wait.
 *
 * l: the lock.
 * Returns: 0, or -EAGAIN: somebody reads or writes, or waits.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns: as goru_rwlock_wrlock when the result is 0.
 * Cost: one atomic operation at most.
 */
GORU_API int goru_rwlock_try_wrlock(goru_rwlock *l);

/*
 * goru_rwlock_wrlock that gives up at a deadline.
 *
 * l: the lock.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in.
 * Returns: as goru_rwlock_wrlock, or -ETIMEDOUT; -ENOMEM. A free lock is taken even when the
 * deadline is past.
 * Call from, Order, Owns: as goru_rwlock_wrlock.
 * Waits: as goru_rwlock_wrlock, until the deadline; readers it held back go on then.
 * Cost: as goru_rwlock_wrlock.
 */
GORU_API int goru_rwlock_wrlock_until(goru_rwlock *l, int64_t deadline) GORU_WARN_UNUSED;

/*
 * Gives the lock back.
 *
 * l: the lock; unlocking one that the caller does not hold for writing is fatal.
 * Call from: who holds it.
 * Waits: no.
 * Order: all before it happens before the next lock returns.
 * Owns: l is not touched any more once another can hold it.
 * Cost: one atomic operation; wakes the readers that wait, or the next writer.
 */
GORU_API void goru_rwlock_wrunlock(goru_rwlock *l);

/*
 * Gives the mutex back, waits for a signal or broadcast, and takes the mutex again.
 *
 * c: the condition.
 * m: the mutex, held by the caller; not holding it is fatal, and so is
 * another one than those use who wait on c already.
 * Returns: 0: it was signalled, for this one; never without a cause. -ECANCELED on a plain thread
 * when goru_shutdown ended the wait. The mutex is held whatever the result.
 * Call from: anywhere.
 * Waits: for a signal, then for the mutex.
 * Order: all before the signal, if it was sent by one who has held the mutex, happens before the
 * return.
 * Owns: c may be freed by whoever knows that nobody waits any more.
 * Cost: two atomic operations and those of the mutex; no allocation.
 */
GORU_API int goru_cond_wait(goru_cond *c, goru_mutex *m) GORU_WARN_UNUSED;

/*
 * goru_cond_wait that gives up at a deadline. One that does never uses up a signal: it goes to the
 * next that waits.
 *
 * c, m: as goru_cond_wait.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in.
 * Returns: as goru_cond_wait, or -ETIMEDOUT; -ENOMEM. The mutex is held whatever the result.
 * Call from, Order, Owns: as goru_cond_wait.
 * Waits: for a signal or the deadline, then for the mutex.
 * Cost: as goru_cond_wait.
 */
GORU_API int goru_cond_wait_until(goru_cond *c, goru_mutex *m, int64_t deadline) GORU_WARN_UNUSED;

/*
 * Wakes the one that has waited longest, if any.
 *
 * c: the condition.
 * Call from: anywhere; who has not held the mutex since it changed what the others wait for may
 * come too early.
 * Waits: no.
 * Order: with the mutex, see goru_cond_wait.
 * Cost: one load when nobody waits.
 */
GORU_API void goru_cond_signal(goru_cond *c);

/*
 * Wakes all that wait.
 *
 * c: the condition.
 * Call from, Waits, Order: as goru_cond_signal.
 * Cost: one load when nobody waits; one wake-up for each that does.
 */
GORU_API void goru_cond_broadcast(goru_cond *c);

/*
 * Takes one unit.
 *
 * s: the semaphore.
 * Returns: 0; -ECANCELED on a plain thread when goru_shutdown ended the wait.
 * Call from: anywhere.
 * Waits: while there is no unit; first come, first served.
 * Order: all before the post of the unit happens before the return.
 * Owns: who received what a post gave may free s, if nobody else uses it.
 * Cost: one atomic operation when there is a unit; no allocation.
 */
GORU_API int goru_sem_wait(goru_sem *s) GORU_WARN_UNUSED;

/*
 * goru_sem_wait that does not wait.
 *
 * s: the semaphore.
 * Returns: 0, or -EAGAIN: there is no unit.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns: as goru_sem_wait when the result is 0.
 * Cost: one atomic operation at most.
 */
GORU_API int goru_sem_try_wait(goru_sem *s);

/*
 * goru_sem_wait that gives up at a deadline.
 *
 * s: the semaphore.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in.
 * Returns: as goru_sem_wait, or -ETIMEDOUT; -ENOMEM. A unit that is there is taken even when the
 * deadline is past.
 * Call from, Order, Owns: as goru_sem_wait.
 * Waits: as goru_sem_wait, until the deadline.
 * Cost: as goru_sem_wait.
 */
GORU_API int goru_sem_wait_until(goru_sem *s, int64_t deadline) GORU_WARN_UNUSED;

/*
 * Adds units: one to each that waits, first come first, the rest for later.
 *
 * s: the semaphore. More than INT_MAX units are fatal.
 * n: how many.
 * Call from: anywhere.
 * Waits: no.
 * Order: all before it happens before the wait that gets the unit returns.
 * Owns: s is not touched any more once the units can be taken.
 * Cost: one atomic operation; one wake-up for each that waits.
 */
GORU_API void goru_sem_post(goru_sem *s, unsigned n);

/*
 * Runs fn(arg) if it has not been run for o; otherwise waits until that run has ended.
 *
 * o: what remembers it.
 * fn: the function; it must return. Doing o again from it is fatal.
 * arg: its argument.
 * Call from: anywhere.
 * Waits: while another runs the function; nothing cuts that short.
 * Order: all that the function did happens before the return.
 * Owns: o may be freed when nobody calls it any more.
 * Cost: one load when it has been run.
 */
GORU_API void goru_once_do(goru_once *o, void (*fn)(void *), void *arg);

/*
 * Adds to the count: goru_waitgroup_add(&wg, 1) before each go. A count below zero is fatal.
 *
 * wg: the wait group.
 * n: how many units of work; may be negative.
 * Call from: anywhere.
 * Waits: no. What reaches zero wakes those that wait, whatever is added after.
 * Order: all before it happens before a wait that it lets go on returns.
 * Owns: when the count reached zero, wg is not touched again once a waiter can see that: the
 * waiter may free it.
 * Cost: one atomic addition; at zero one wake-up for each that waits.
 */
GORU_API void goru_waitgroup_add(goru_waitgroup *wg, int n);

/*
 * Takes one from the count; else as goru_waitgroup_add(wg, -1).
 *
 * wg: the wait group.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns, Cost: as goru_waitgroup_add.
 */
GORU_API void goru_waitgroup_done(goru_waitgroup *wg);

/*
 * Waits until the count is, or has been, zero.
 *
 * wg: the wait group.
 * Returns: 0; -ECANCELED on a plain thread when goru_shutdown ended the wait.
 * Call from: anywhere.
 * Waits: until the count reaches zero; not at all when it is zero.
 * Order: all before the add or done that reached zero happens before the return.
 * Owns: after 0 the caller may free or reuse wg.
 * Cost: at zero one atomic load; no allocation.
 */
GORU_API int goru_waitgroup_wait(goru_waitgroup *wg) GORU_WARN_UNUSED;

/*
 * goru_waitgroup_wait that gives up at a deadline.
 *
 * wg: the wait group.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in.
 * Returns: as goru_waitgroup_wait, or -ETIMEDOUT: zero was not reached. A count of zero is 0 even
 * when the deadline is past.
 * Call from: anywhere.
 * Waits: until the count reaches zero, or the deadline.
 * Order, Owns: as goru_waitgroup_wait when the result is 0.
 * Cost: as goru_waitgroup_wait; a wait adds an entry to a table of
 * deadlines, which grows by doubling: -ENOMEM when it cannot, and nothing was done.
 */
GORU_API int goru_waitgroup_wait_until(goru_waitgroup *wg, int64_t deadline) GORU_WARN_UNUSED;

GORU_END_C_

#endif
