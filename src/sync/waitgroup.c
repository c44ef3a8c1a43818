/* waitgroup.c - a count and those who wait for zero. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL waitgroup
 *   Words    word[0]: the count in the upper 32 bits; LOCK, WAITERS below. word[1]: the newest waiter's node, under LOCK.
 *   Owners   the count: anyone by CAS while LOCK is clear. LOCK: whoever set it; he may store the word.
 *   Steps    add: CAS count + n, unless LOCK is set or the change would make zero with WAITERS set. Then set LOCK, look
 *            again, and store the count; for zero with WAITERS: take all waiters that can still be claimed off the list,
 *            store zero and no flags (the last touch), and ready them.
 *            wait: zero: done. Else set LOCK, check again, put the node on the list, clear LOCK with WAITERS set; sleep.
 *            A waiter that ended early sets LOCK, takes its node off if it is still queued, clears LOCK.
 *   Pairs    A add: word release -> B wait: word acquire   what was done before the last done is visible after wait
 *            A add: word release -> C lock: word acquire   and to whoever makes it zero, hence to the waiters he readies
 *            D unlock: word release -> B, C   the list, for the next holder of LOCK; zero, for a waiter that looks then
 *   Relaxed  the first look of add: the CAS checks it. A chain of adds hands on what each released: its CAS need not
 *            acquire.
 *   Reuse    zero may be stored and the memory freed by a waiter that looks only then: the storing CAS or store is the
 *            last touch. A waiter still queued keeps the group alive: its owner may not free what another waits on.
 *   Rejected a fetch-add: it cannot leave the zero to the one who has the list.
 *   Checked  tests/model/waitgroup.c, tests/stress/waitgroup.c
 */
#include "base/chaos.h"
#include "base/fatal.h"
#include "goru.h"
#include "sync/wait.h"
#include "sync/waitgroup.h"
#include "sync/who.h"

enum { LOCK = 1, WAITERS = 2, FLAGS = 3 };

struct group {
	_Atomic uint64_t word;
	struct wnode *first; /* newest first */
};
_Static_assert(sizeof(struct group) == sizeof(goru_waitgroup), "the header's size is fixed");

static struct group *group_of(goru_waitgroup *wg)
{
	return (struct group *)(void *)wg;
}

static int32_t count_of(uint64_t v)
{
	return (int32_t)(v >> 32);
}

static uint64_t with_count(int32_t n, uint64_t flags)
{
	return (uint64_t)(uint32_t)n << 32 | flags;
}

/* Spins while another holds LOCK: some tens of instructions, or until the OS lets its holder go on. */
static uint64_t not_locked(struct group *g)
{
	for (unsigned i = 0;; i++) {
		uint64_t v = grt_load(&g->word);

		if (!(v & LOCK))
			return v;
		grt_spin_pause(i);
	}
}

/* The word before LOCK was set. */
static uint64_t lock(struct group *g)
{
	if (GRT_CHECKS_ON)
		grt_lock_wanted(g, LOCK_GROUP);
	for (;;) {
		uint64_t v = not_locked(g);

		if (atomic_compare_exchange_weak_explicit(&g->word, &v, v | LOCK,
							  memory_order_acquire, /* waitgroup.C */
							  memory_order_relaxed)) {
			if (GRT_CHECKS_ON)
				grt_lock_taken(g, LOCK_GROUP);
			return v;
		}
	}
}

static void unlock(struct group *g, uint64_t v)
{
	if (GRT_CHECKS_ON)
		grt_lock_left(g, LOCK_GROUP);
	grt_chaos();
	atomic_store_explicit(&g->word, v, memory_order_release); /* waitgroup.D */
	grt_chaos();
}

static void push(struct group *g, struct wnode *n)
{
	n->next = g->first;
	n->prev = NULL;
	if (g->first)
		g->first->prev = n;
	g->first = n;
	n->queued = true;
}

static void del(struct group *g, struct wnode *n)
{
	if (n->prev)
		n->prev->next = n->next;
	else
		g->first = n->next;
	if (n->next)
		n->next->prev = n->prev;
	n->queued = false;
}

/* LOCK is held and the count is zero: several wait, or a plain thread. Those who still do are ended, oldest first. */
static GRT_NOINLINE void release_all(struct group *g, struct self s)
{
	struct woken woken = { 0 };

	while (g->first) {
		struct wnode *n = g->first;

		del(g, n);
		if (!grt_waiter_claim(n->w, END_READY))
			continue;
		n->w->won = n->index;
		grt_woken_add_front(&woken, n);
	}
	unlock(g, 0);
	grt_woken_ready(&woken, s.p);
}

/* The same for the usual case, one goroutine. It runs next: its data is here. */
GRT_INLINE void release(struct group *g, struct self s)
{
	struct wnode *n = g->first;
	struct waiter *w;

	if (GRT_UNLIKELY(!n || n->next || !n->w->g)) {
		release_all(g, s);
		return;
	}
	w = n->w;
	g->first = NULL;
	n->queued = false;
	if (GRT_UNLIKELY(!grt_waiter_claim(w, END_READY))) {
		unlock(g, 0);
		return;
	}
	w->won = n->index;
	unlock(g, 0);
	grt_ready(s.p, w->g);
}

static GRT_COLD _Noreturn void misuse(struct group *g, int64_t n)
{
	grt_fatal("wait group %p: %s (count %lld), by %s", (void *)g,
		  n < 0 ? "done more often than added" : "more added than fit", (long long)n,
		  grt_who(grt_me()).text);
}

GRT_INLINE int64_t sum(struct group *g, uint64_t v, int n)
{
	int64_t count = (int64_t)count_of(v) + n;

	if (GRT_UNLIKELY(count < 0 || count > INT32_MAX))
		misuse(g, count);
	return count;
}

/* Somebody waits for the zero that this makes, or LOCK is set. */
static GRT_NOINLINE void add_locked(struct group *g, int n)
{
	struct self s = grt_enter_nowait();
	uint64_t v = lock(g);
	int64_t count = sum(g, v, n);

	if (count == 0 && (v & WAITERS))
		release(g, s);
	else
		unlock(g, with_count((int32_t)count, v & FLAGS));
	grt_leave_nowait(s);
}

/* Does not enter: a word of the program's changes, and nothing of goru's. */
GRT_PUBLIC void goru_waitgroup_add(goru_waitgroup *wg, int n)
{
	struct group *g = group_of(wg);
	uint64_t v = grt_load(&g->word), to;

	grt_tsan_release(wg);
	for (;;) {
		int64_t count;

		if (GRT_UNLIKELY(v & LOCK))
			break;
		count = sum(g, v, n);
		if (count == 0 && v & WAITERS)
			break;
		to = with_count((int32_t)count, v & FLAGS);
		grt_chaos();
		if (GRT_LIKELY(atomic_compare_exchange_weak_explicit(
			    &g->word, &v, to, memory_order_release, /* waitgroup.A */
			    memory_order_relaxed)))
			return;
	}
	add_locked(g, n);
}

GRT_PUBLIC void goru_waitgroup_done(goru_waitgroup *wg)
{
	goru_waitgroup_add(wg, -1);
}

/* A plain thread, a deadline, a scope, an entry out of the ordinary. */
static GRT_NOINLINE int wait_slow(goru_waitgroup *wg, int64_t deadline)
{
	struct group *g = group_of(wg);
	struct p *p;
	struct m *m = grt_enter_wait(&p);
	struct wnode n;
	struct waiter w;
	uint64_t v = lock(g);
	int rc = count_of(v) ? 0 : 1;

	if (!rc && deadline != GORU_FOREVER && deadline <= grt_os_now())
		rc = -ETIMEDOUT;
	if (!rc) {
		grt_wnode_init(&n, &w, wg, NULL, 0, false);
		grt_wait_begin(&w, m ? m->curg : NULL, KIND_WAITGROUP, &n, 1);
		rc = grt_wait_arm(p, &w, deadline);
	}
	if (rc) {
		if (rc > 0)
			grt_tsan_acquire(wg);
		unlock(g, v);
		grt_leave_wait(m);
		return rc < 0 ? rc : 0;
	}
	push(g, &n);
	unlock(g, v | WAITERS);

	enum ending end = grt_wait(&m, &p, &w, deadline, WAIT_WAITGROUP);

	if (end != END_READY) {
		grt_waitgroup_remove(&n);
		grt_leave_wait(m);
		return grt_ending_error(end);
	}
	grt_tsan_acquire(wg);
	grt_leave_wait(m);
	return 0;
}

/* The usual wait: a goroutine's, without a deadline. */
static GRT_NOINLINE int wait_park(goru_waitgroup *wg, struct m *m, struct p *p)
{
	struct group *g = group_of(wg);
	struct g *self = grt_g_of(m);
	struct wnode n;
	struct waiter w;
	uint64_t v = lock(g);

	if (count_of(v) == 0) {
		unlock(g, v);
	} else {
		grt_wnode_init(&n, &w, wg, NULL, 0, false);
		grt_wait_begin(&w, self, KIND_WAITGROUP, &n, 1);
		push(g, &n);
		unlock(g, v | WAITERS);
		grt_wait_g(&m, &p, self, &w, WAIT_WAITGROUP);
	}
	grt_tsan_acquire(wg);
	grt_leave(m);
	return 0;
}

void grt_waitgroup_remove(struct wnode *n)
{
	struct group *g = n->obj;
	uint64_t v = lock(g);

	if (n->queued)
		del(g, n);
	unlock(g, g->first ? v | WAITERS : v & ~(uint64_t)WAITERS);
}

/* Zero, and stored: under LOCK the one who makes it has yet to touch the group for the last time. */
GRT_INLINE bool is_zero(goru_waitgroup *wg)
{
	uint64_t v =
		atomic_load_explicit(&group_of(wg)->word, memory_order_acquire); /* waitgroup.B */

	if (count_of(v) || v & LOCK)
		return false;
	grt_tsan_acquire(wg);
	return true;
}

static GRT_NOINLINE int wait_until(goru_waitgroup *wg, int64_t deadline)
{
	int rc = grt_scoped_ask();

	if (rc || is_zero(wg))
		return rc;
	rc = wait_slow(wg, deadline);
	grt_leave_bracketed();
	return rc;
}

GRT_PUBLIC int goru_waitgroup_wait_until(goru_waitgroup *wg, int64_t deadline)
{
	return wait_until(wg, deadline);
}

GRT_PUBLIC int goru_waitgroup_wait(goru_waitgroup *wg)
{
	struct m *m;
	struct p *p;

	if (GRT_LIKELY(!grt_scoped()) && is_zero(wg))
		return 0;
	if (GRT_UNLIKELY(!grt_enter_short(&m, &p)))
		return wait_until(wg, GORU_FOREVER);
	return wait_park(wg, m, p);
}
