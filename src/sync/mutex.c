/* mutex.c - mutual exclusion: barging for speed, hand-over to one who has waited for 1 ms. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL mutex
 *   Words    word: the owner (grt_me, 0: free), QUEUE_LOCK, and what unlock must not miss: QUEUE_WAITERS (somebody waits and
 *            nobody is on his way) and STARVING (somebody has waited for long: the mutex is handed over, so that it has an
 *            owner as long as this is set, and who comes queues). first: the list, under QUEUE_LOCK, and in its lowest bit
 *            WOKEN: one who waited was woken and tries to get it; nobody else need be woken.
 *   Owners   the owner part: 0 -> me by whoever wants it, me -> 0 by the owner; under QUEUE_LOCK its holder, who may be
 *            handing over. WOKEN: set by the unlock that wakes, cleared by the one it woke when he has the mutex, queues
 *            again or gives up.
 *   Steps    lock: CAS 0 -> me. Taken: spin a little if the owner runs elsewhere and there is nothing else to do, then
 *            queue: lock the queue, look again, put the node on the list (in front if one was woken before), wait.
 *            Woken: lock the queue, take it if it is free, else queue; after 1 ms set STARVING then.
 *            unlock: CAS me -> 0. Not just me: lock the queue and take the first who still waits:
 *            STARVING: owner = him. Otherwise owner = 0, WOKEN. Unlock; ready him.
 *   Pairs    A unlock: word release -> B lock: word acquire   what was done under the mutex
 *   Relaxed  the look before a CAS that is not the first.
 *   Reuse    the CAS or the store that frees it is unlock's last touch.
 *   Rejected hand-over always: each contended unlock is then a switch, or a wake-up of another CPU (Go: 100 ns, 30 us).
 *            WOKEN in the word: while one is on his way, the usual case under contention, each lock and unlock must then
 *            look before its CAS, which costs more than the rest beside the two CAS (2.3 of 15 ns).
 *            an unlock by a plain store: it could look for waiters only after that, when the mutex may be gone; so they
 *            would have to stand in a table elsewhere, and each would pay a membarrier before it sleeps, to save 2 ns of
 *            13: the next lock's CAS waits for the store. Without any locked instruction, while there is one P: 1.5 ns, but each
 *            plain thread and each goroutine between brackets would have to be kept out by a hand-shake first.
 *   Checked  tests/model/lock.c, tests/stress/mutex.c
 */
#include "sync/mutex.h"

#include "base/fatal.h"
#include "sync/queue.h"

#define STARVING (UINT64_C(1) << 60)
#define OWNER	 (STARVING - 1)
#define WOKEN	 ((uintptr_t)1) /* in first */

enum {
	SPINS = 4,
	PAUSES = 30,	    /* of the CPU, a spin */
	PATIENCE = 1000000, /* ns */
	HANDED = 1,	    /* waiter.won: the mutex is ours; 0: try */
};

_Static_assert(sizeof(struct queue) == sizeof(goru_mutex), "the header's size is fixed");

static struct queue *queue_of(goru_mutex *mu)
{
	return (struct queue *)(void *)mu;
}

static GRT_COLD _Noreturn void locked_twice(struct queue *q, uint64_t self)
{
	grt_fatal("mutex %p locked again by %s, which holds it", (void *)q, grt_who(self).text);
}

/* What its holder may change under QUEUE_LOCK. */
struct inside {
	uint64_t word;
	struct wnode *first;
	bool woken;
};

static struct inside lock_queue(struct queue *q)
{
	uint64_t v = grt_queue_lock(q);
	uintptr_t first = (uintptr_t)q->first;

	return (struct inside){ v, (struct wnode *)(first & ~WOKEN), first & WOKEN };
}

static void unlock_queue(struct queue *q, const struct inside *in)
{
	bool must_look = in->first && !in->woken;

	q->first = (struct wnode *)((uintptr_t)in->first | (in->woken ? WOKEN : 0));
	grt_queue_unlock(q, (in->word & ~QUEUE_WAITERS) | (must_look ? QUEUE_WAITERS : 0));
}

/* True: it is ours. */
static bool take(struct queue *q, uint64_t self)
{
	uint64_t v = grt_queue_unlocked(q);

	while (!(v & OWNER)) {
		if (atomic_compare_exchange_weak_explicit(&q->word, &v, v | self,
							  memory_order_acquire, /* mutex.B */
							  memory_order_relaxed))
			return true;
		if (v & QUEUE_LOCK)
			v = grt_queue_unlocked(q);
	}
	if (GRT_UNLIKELY((v & OWNER) == self))
		locked_twice(q, self);
	return false;
}

/* Does spinning make sense: may the owner be on another CPU, and is there nothing else for this one? */
static bool may_spin(struct queue *q, struct p *p)
{
	struct g *owner;

	if (!p || grt_load(&grt_rt.procs) == 1 || grt_own_any(p))
		return false;
	owner = grt_stack_find((uintptr_t)(grt_load(&q->word) & OWNER));
	return owner && grt_load(&owner->state) == G_RUNNING;
}

/* One who wants the mutex, and what he has been through. */
struct turn {
	uint64_t self;
	int64_t since, deadline;
	bool woken;
	bool stays; /* no scope ends this */
};

/* Who was woken takes it under the queue's lock, where he says that he is there. */
static bool free_or_ours(struct queue *q, const struct turn *t)
{
	return t->woken ? !(grt_load(&q->word) & OWNER) : take(q, t->self);
}

static bool spin(struct queue *q, const struct turn *t, struct p *p)
{
	if (free_or_ours(q, t))
		return true;
	for (int i = 0; i < SPINS && may_spin(q, p); i++) {
		for (int j = 0; j < PAUSES; j++)
			grt_relax();
		if (free_or_ours(q, t))
			return true;
	}
	return false;
}

/* The mutex was handed to us: who comes may barge again unless others have waited for long, too. */
static void handed(struct queue *q, const struct turn *t)
{
	struct inside in = lock_queue(q);

	if (!in.first || grt_os_now() - t->since < PATIENCE)
		in.word &= ~STARVING;
	unlock_queue(q, &in);
}

/* 0: it is ours. 1: woken, to try again. Negative: an error. */
static int wait_turn(struct queue *q, struct turn *t, struct m **m, struct p **p)
{
	struct waiter w;
	struct wnode n;
	struct inside in = lock_queue(q);
	int64_t now;
	int rc = 0;

	if (t->woken)
		in.woken = false;
	if (!(in.word & OWNER)) {
		in.word |= t->self;
		unlock_queue(q, &in);
		return 0;
	}
	now = grt_os_now();
	if (t->deadline <= now)
		rc = -ETIMEDOUT;
	if (!rc) {
		grt_wnode_init(&n, &w, q, (void *)(uintptr_t)t->self, 0, false);
		grt_wait_begin(&w, *m ? (*m)->curg : NULL, KIND_MUTEX, &n, 1);
		rc = t->stays ? 0 : grt_wait_arm(*p, &w, t->deadline);
	}
	if (rc) {
		unlock_queue(q, &in);
		return rc;
	}
	if (!t->woken)
		t->since = now;
	else if (now - t->since >= PATIENCE)
		in.word |= STARVING;
	if (t->woken)
		grt_queue_push_front(&in.first, &n);
	else
		grt_queue_push(&in.first, &n);
	unlock_queue(q, &in);

	enum ending end = grt_wait(m, p, &w, t->deadline, WAIT_MUTEX);

	if (end != END_READY) {
		grt_mutex_drop(&n);
		return grt_ending_error(end);
	}
	t->woken = w.won != HANDED;
	if (!t->woken)
		handed(q, t);
	return t->woken;
}

static int lock_turn(struct queue *q, struct turn t)
{
	struct p *p;
	struct m *m = grt_enter_wait(&p);
	int rc = 1;

	while (rc > 0)
		rc = spin(q, &t, p) && !t.woken ? 0 : wait_turn(q, &t, &m, &p);
	grt_leave_wait(m);
	grt_leave_bracketed();
	return rc;
}

static GRT_NOINLINE int lock_slow(struct queue *q, uint64_t self, int64_t deadline)
{
	return lock_turn(q, (struct turn){ .self = self, .deadline = deadline });
}

/* No look before: it would cost more than all the rest beside the CAS. */
GRT_INLINE bool lock_free(struct queue *q, uint64_t self)
{
	uint64_t v = 0;

	return GRT_LIKELY(atomic_compare_exchange_strong_explicit(
		&q->word, &v, self, memory_order_acquire, /* mutex.B */
		memory_order_relaxed));
}

GRT_INLINE int lock_unscoped(goru_mutex *mu, uint64_t self, int64_t deadline)
{
	struct queue *q = queue_of(mu);
	int rc = lock_free(q, self) ? 0 : lock_slow(q, self, deadline);

	if (GRT_LIKELY(!rc))
		grt_tsan_acquire(mu);
	return rc;
}

static GRT_NOINLINE int lock_scoped(goru_mutex *mu, struct g *g, int64_t deadline)
{
	int rc = grt_scope_ask(g->scope);

	return rc ? rc : lock_unscoped(mu, (uintptr_t)g, deadline);
}

GRT_INLINE int lock_it(goru_mutex *mu, int64_t deadline)
{
	struct m *m = grt_arch_self();
	uint64_t self = GRT_PLAIN_SELF; /* grt_me */

	if (GRT_LIKELY(m)) {
		struct g *g = grt_g_of(m);

		if (GRT_UNLIKELY(g->scoped))
			return lock_scoped(mu, g, deadline);
		self = (uintptr_t)g;
	} else {
		grt_not_forked();
	}
	return lock_unscoped(mu, self, deadline);
}

GRT_PUBLIC int goru_mutex_lock(goru_mutex *mu)
{
	return lock_it(mu, GORU_FOREVER);
}

GRT_PUBLIC int goru_mutex_lock_until(goru_mutex *mu, int64_t deadline)
{
	return lock_it(mu, deadline);
}

void grt_mutex_lock_again(goru_mutex *mu)
{
	struct queue *q = queue_of(mu);
	struct turn t = { .self = grt_me(), .deadline = GORU_FOREVER, .stays = true };

	if (!lock_free(q, t.self))
		while (lock_turn(q, t) < 0)
			;
	grt_tsan_acquire(mu);
}

GRT_PUBLIC int goru_mutex_try_lock(goru_mutex *mu)
{
	struct queue *q = queue_of(mu);
	uint64_t self = grt_me();
	uint64_t v = grt_queue_unlocked(q);

	/* no look at who holds it: one's own is "not now" like another's */
	while (!(v & OWNER)) {
		if (atomic_compare_exchange_weak_explicit(&q->word, &v, v | self,
							  memory_order_acquire, /* mutex.B */
							  memory_order_relaxed)) {
			grt_tsan_acquire(mu);
			return 0;
		}
		if (v & QUEUE_LOCK)
			v = grt_queue_unlocked(q);
	}
	return -EAGAIN;
}

/* The first who still waits, if any: on his way, or the owner. */
static struct wnode *pass_on(struct queue *q)
{
	struct inside in = lock_queue(q);
	struct wnode *n = grt_queue_pop(&in.first);
	uint64_t starving = in.word & STARVING;

	in.word = 0;
	if (n && starving) {
		n->w->won = HANDED;
		in.word = starving | (uintptr_t)n->elem;
	} else if (n) {
		n->w->won = 0;
		in.woken = true;
	}
	unlock_queue(q, &in);
	return n;
}

/* True: done, nobody has to be woken. */
static bool unlock_quietly(struct queue *q, uint64_t self)
{
	for (;;) {
		uint64_t v = grt_queue_unlocked(q);

		if (GRT_UNLIKELY((v & OWNER) != self))
			grt_fatal("mutex %p unlocked by %s, held by %s", (void *)q,
				  grt_who(self).text, grt_who(v & OWNER).text);
		if (v != self)
			return false;
		if (atomic_compare_exchange_weak_explicit(&q->word, &v, 0,
							  memory_order_release, /* mutex.A */
							  memory_order_relaxed))
			return true;
	}
}

static void unlock_and_wake(struct queue *q, struct p *p)
{
	struct wnode *n = pass_on(q);

	if (n)
		grt_waiter_ready(p, n->w);
}

static GRT_NOINLINE void unlock_slow(struct queue *q, uint64_t self)
{
	struct self s;

	if (unlock_quietly(q, self))
		return;
	s = grt_enter_nowait();
	unlock_and_wake(q, s.p);
	grt_leave_nowait(s);
}

GRT_INLINE bool unlock_fast(struct queue *q, uint64_t self)
{
	uint64_t v = self;

	grt_tsan_release(q);
	return GRT_LIKELY(atomic_compare_exchange_strong_explicit(
		&q->word, &v, 0, memory_order_release, /* mutex.A */
		memory_order_relaxed));
}

GRT_PUBLIC void goru_mutex_unlock(goru_mutex *mu)
{
	struct queue *q = queue_of(mu);
	uint64_t self = grt_me();

	if (!unlock_fast(q, self))
		unlock_slow(q, self);
}

void grt_mutex_unlock_within(goru_mutex *mu, struct p *p)
{
	struct queue *q = queue_of(mu);
	uint64_t self = grt_me();

	if (!unlock_fast(q, self) && !unlock_quietly(q, self))
		unlock_and_wake(q, p);
}

bool grt_mutex_mine(goru_mutex *mu)
{
	return (grt_load(&queue_of(mu)->word) & OWNER) == grt_me();
}

/* Who ended his wait early, or will not run again because shutdown drops him, has not taken the mutex, whatever was meant
 * for him. Wakes nobody: at shutdown all that wait are dropped, or canceled, and who comes later finds the mutex free. */
void grt_mutex_drop(struct wnode *n)
{
	struct queue *q = n->obj;
	struct inside in = lock_queue(q);

	if (n->queued)
		grt_queue_del(&in.first, n);
	else if (n->w->won == HANDED)
		in.word &= ~(OWNER | STARVING);
	else if (grt_waiter_ending(n->w) == END_READY)
		in.woken = false;
	unlock_queue(q, &in);
}
