/* rwlock.c - many readers or one writer; a waiting writer holds new readers back, and readers go before the next one. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL rwlock
 *   Words    word: readers inside in its lower half, WRITER, WWAIT (a writer waits), the flags of PROTOCOL queue. readers
 *            (queue.first), writers: who waits, each first come first. owner: who writes (grt_me), stored by him or by
 *            who hands the lock to him.
 *   Steps    rdlock: CAS one reader in while there is neither WRITER nor WWAIT. wrlock: CAS 0 -> WRITER. Else lock the
 *            queue, look again, put the node on a list, wait: who is readied has the lock.
 *            rdunlock: CAS one out; the last one with somebody waiting locks the queue and grants. wrunlock: CAS
 *            WRITER -> 0 while nobody waits, else locks the queue and grants.
 *            grant: after a writer all readers that wait, so that writers cannot keep them out; else the first writer;
 *            without one all readers. A writer that gives up grants, too: it was what held readers back.
 *   Pairs    A unlock: word release -> B lock: word acquire   what was done under the lock
 *   Relaxed  the look before a CAS; owner: only its own holder can find himself there.
 *   Reuse    the CAS or store that lets others in is the last touch.
 *   Rejected barging: a stream of readers would starve the writer, whom the order of requests is to protect.
 *   Checked  tests/model/lock.c, tests/stress/rwlock.c
 */
#include "sync/rwlock.h"

#include "base/fatal.h"
#include "sync/queue.h"

#define READERS UINT64_C(0xffffffff)
#define WRITER	(UINT64_C(1) << 40)
#define WWAIT	(UINT64_C(1) << 41)

struct rwlock {
	struct queue q; /* first: the readers that wait */
	struct wnode *writers;
	_Atomic uint64_t owner;
};

_Static_assert(sizeof(struct rwlock) <= sizeof(goru_rwlock), "the header's size is fixed");

static struct rwlock *lock_of(goru_rwlock *l)
{
	return (struct rwlock *)(void *)l;
}

static GRT_COLD _Noreturn void misuse(struct rwlock *l, const char *what)
{
	grt_fatal("rwlock %p %s by %s, held to write by %s", (void *)l, what,
		  grt_who(grt_me()).text, grt_who(grt_load(&l->owner)).text);
}

static uint64_t with_flags(struct rwlock *l, uint64_t v)
{
	v &= READERS | WRITER;
	if (l->writers)
		v |= WWAIT | QUEUE_WAITERS;
	return l->q.first ? v | QUEUE_WAITERS : v;
}

static uint64_t grant_readers(struct rwlock *l, uint64_t v, struct woken *woken)
{
	struct wnode *n;

	for (; (n = grt_queue_pop(&l->q.first)); v++)
		grt_woken_add(woken, n);
	return v;
}

static uint64_t grant_writer(struct rwlock *l, uint64_t v, struct woken *woken)
{
	struct wnode *n = grt_queue_pop(&l->writers);

	if (!n)
		return v;
	grt_store(&l->owner, (uintptr_t)n->elem);
	grt_woken_add(woken, n);
	return v | WRITER;
}

/* The queue is locked; v without whoever has just left. */
static uint64_t grant(struct rwlock *l, uint64_t v, bool readers_first, struct woken *woken)
{
	v &= READERS | WRITER;
	if (v & WRITER)
		return with_flags(l, v);
	if (readers_first)
		v = grant_readers(l, v, woken);
	if (!v)
		v = grant_writer(l, v, woken);
	if (!(v & WRITER) && !l->writers)
		v = grant_readers(l, v, woken);
	return with_flags(l, v);
}

static void unlock_and_wake(struct rwlock *l, uint64_t v, struct woken *woken, struct p *p)
{
	grt_queue_unlock(&l->q, v);
	grt_woken_ready(woken, p);
}

/* Whose wait ended without the lock. */
static void give_up(struct rwlock *l, struct wnode *n, struct p *p)
{
	struct woken woken = { 0 };
	uint64_t v = grt_queue_lock(&l->q);

	if (n->queued)
		grt_queue_del(n->send ? &l->writers : &l->q.first, n);
	unlock_and_wake(l, grant(l, v, false, &woken), &woken, p);
}

/* By shutdown: what was granted to who will not run again is given back. Grants nothing itself: all that wait are
 * dropped, or canceled and then grant. */
void grt_rwlock_drop(struct wnode *n)
{
	struct rwlock *l = n->obj;
	uint64_t v = grt_queue_lock(&l->q);

	if (n->queued) {
		grt_queue_del(n->send ? &l->writers : &l->q.first, n);
	} else if (grt_waiter_ending(n->w) == END_READY && n->send) {
		v &= ~WRITER;
		grt_store(&l->owner, 0);
	} else if (grt_waiter_ending(n->w) == END_READY) {
		v--;
	}
	grt_queue_unlock(&l->q, with_flags(l, v));
}

static bool take(struct rwlock *l, bool write, uint64_t self)
{
	uint64_t keeps_out = write ? ~(uint64_t)0 : WRITER | WWAIT;
	uint64_t v = grt_queue_unlocked(&l->q);

	while (!(v & keeps_out)) {
		if (v & QUEUE_LOCK) {
			v = grt_queue_unlocked(&l->q);
			continue;
		}
		if (!atomic_compare_exchange_weak_explicit(&l->q.word, &v, write ? WRITER : v + 1,
							   memory_order_acquire, /* rwlock.B */
							   memory_order_relaxed))
			continue;
		if (write)
			grt_store(&l->owner, self);
		return true;
	}
	return false;
}

static GRT_NOINLINE int lock_slow(struct rwlock *l, bool write, int64_t deadline)
{
	uint64_t self = grt_me();
	struct p *p;
	struct m *m;
	struct waiter w;
	struct wnode n;
	uint64_t v;
	int rc = 0;

	if (GRT_UNLIKELY(grt_load(&l->owner) == self))
		misuse(l, write ? "locked again" : "read-locked");
	m = grt_enter_wait(&p);
	v = grt_queue_lock(&l->q);
	if (!(v & (write ? ~(uint64_t)0 : WRITER | WWAIT))) {
		if (write)
			grt_store(&l->owner, self);
		grt_queue_unlock(&l->q, write ? WRITER : v + 1);
		grt_leave_wait(m);
		return 0;
	}
	if (deadline != GORU_FOREVER && deadline <= grt_os_now())
		rc = -ETIMEDOUT;
	if (!rc) {
		grt_wnode_init(&n, &w, l, (void *)(uintptr_t)self, 0, write);
		grt_wait_begin(&w, m ? m->curg : NULL, KIND_RWLOCK, &n, 1);
		rc = grt_wait_arm(p, &w, deadline);
	}
	if (rc < 0) {
		grt_queue_unlock(&l->q, v);
		grt_leave_wait(m);
		return rc;
	}
	grt_queue_push(write ? &l->writers : &l->q.first, &n);
	grt_queue_unlock(&l->q, with_flags(l, v));

	enum ending end = grt_wait(&m, &p, &w, deadline, write ? WAIT_WRLOCK : WAIT_RDLOCK);

	if (end != END_READY)
		give_up(l, &n, p);
	grt_leave_wait(m);
	return end == END_READY ? 0 : grt_ending_error(end);
}

GRT_INLINE int lock_rw(goru_rwlock *rw, bool write, int64_t deadline)
{
	struct rwlock *l = lock_of(rw);
	int rc = grt_scoped_ask();

	if (GRT_UNLIKELY(rc))
		return rc;
	if (GRT_UNLIKELY(!take(l, write, grt_me()))) {
		rc = lock_slow(l, write, deadline);
		grt_leave_bracketed();
	}
	if (!rc)
		grt_tsan_acquire(rw);
	return rc;
}

GRT_PUBLIC int goru_rwlock_rdlock(goru_rwlock *l)
{
	return lock_rw(l, false, GORU_FOREVER);
}

GRT_PUBLIC int goru_rwlock_rdlock_until(goru_rwlock *l, int64_t deadline)
{
	return lock_rw(l, false, deadline);
}

GRT_PUBLIC int goru_rwlock_wrlock(goru_rwlock *l)
{
	return lock_rw(l, true, GORU_FOREVER);
}

GRT_PUBLIC int goru_rwlock_wrlock_until(goru_rwlock *l, int64_t deadline)
{
	return lock_rw(l, true, deadline);
}

static int try_lock(goru_rwlock *l, bool write)
{
	if (!take(lock_of(l), write, grt_me()))
		return -EAGAIN;
	grt_tsan_acquire(l);
	return 0;
}

GRT_PUBLIC int goru_rwlock_try_rdlock(goru_rwlock *l)
{
	return try_lock(l, false);
}

GRT_PUBLIC int goru_rwlock_try_wrlock(goru_rwlock *l)
{
	return try_lock(l, true);
}

/* One reader out, or the writer. */
static GRT_NOINLINE void unlock_slow(struct rwlock *l, bool write)
{
	struct self s = grt_enter_nowait();
	struct woken woken = { 0 };
	uint64_t v = grt_queue_lock(&l->q);

	if (GRT_UNLIKELY(!write && !(v & READERS)))
		misuse(l, "read-unlocked without readers");
	v = write ? v & ~WRITER : v - 1;
	unlock_and_wake(l, grant(l, v, write, &woken), &woken, s.p);
	grt_leave_nowait(s);
}

GRT_PUBLIC void goru_rwlock_rdunlock(goru_rwlock *rw)
{
	struct rwlock *l = lock_of(rw);
	uint64_t v = grt_load(&l->q.word);

	grt_tsan_release(rw);
	for (;;) {
		if (GRT_UNLIKELY(!(v & READERS)))
			misuse(l, "read-unlocked without readers");
		if ((v & QUEUE_LOCK) || ((v & QUEUE_WAITERS) && (v & READERS) == 1))
			break;
		if (atomic_compare_exchange_weak_explicit(&l->q.word, &v, v - 1,
							  memory_order_release, /* rwlock.A */
							  memory_order_relaxed))
			return;
	}
	unlock_slow(l, false);
}

GRT_PUBLIC void goru_rwlock_wrunlock(goru_rwlock *rw)
{
	struct rwlock *l = lock_of(rw);
	uint64_t v = WRITER;

	if (GRT_UNLIKELY(grt_load(&l->owner) != grt_me()))
		misuse(l, "write-unlocked");
	grt_tsan_release(rw);
	grt_store(&l->owner, 0);
	if (GRT_UNLIKELY(!atomic_compare_exchange_strong_explicit(
		    &l->q.word, &v, 0, memory_order_release, /* rwlock.A */
		    memory_order_relaxed)))
		unlock_slow(l, true);
}
