/* sem.c - counting semaphores: units go straight to those who wait, first come first. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL sem
 *   Words    word: the units at hand in its lower half; the flags of PROTOCOL queue.
 *   Steps    wait: CAS one unit out. None: lock the queue, look again, put the node on the list. post: CAS units in while
 *            nobody waits; else lock the queue, give one to each who can still be claimed, keep the rest, unlock, ready.
 *   Pairs    A post: word release -> B wait: word acquire   what was done before the post
 *   Relaxed  the look before a CAS.
 *   Reuse    the CAS or store that shows the units is the last touch.
 *   Checked  tests/model/lock.c, tests/stress/sem.c
 */
#include <limits.h>

#include "base/fatal.h"
#include "goru.h"
#include "sync/queue.h"

#define UNITS UINT64_C(0xffffffff)

_Static_assert(offsetof(goru_sem, word) == offsetof(struct queue, first) &&
		       sizeof(goru_sem) >= sizeof(struct queue),
	       "the initialiser sets the word");

static struct queue *queue_of(goru_sem *s)
{
	return (struct queue *)(void *)s;
}

static bool take(struct queue *q)
{
	uint64_t v = grt_load(&q->word);

	while (v & UNITS) {
		if (v & QUEUE_LOCK)
			v = grt_queue_unlocked(q);
		else if (atomic_compare_exchange_weak_explicit(&q->word, &v, v - 1,
							       memory_order_acquire, /* sem.B */
							       memory_order_relaxed))
			return true;
	}
	return false;
}

static GRT_NOINLINE int wait_slow(struct queue *q, int64_t deadline)
{
	struct p *p;
	struct m *m = grt_enter_wait(&p);
	struct waiter w;
	struct wnode n;
	uint64_t v = grt_queue_lock(q);
	int rc = v & UNITS ? 1 : 0;

	if (!rc && deadline != GORU_FOREVER && deadline <= grt_os_now())
		rc = -ETIMEDOUT;
	if (!rc) {
		grt_wnode_init(&n, &w, q, NULL, 0, false);
		grt_wait_begin(&w, m ? m->curg : NULL, KIND_QUEUE, &n, 1);
		rc = grt_wait_arm(p, &w, deadline);
	}
	if (rc) {
		grt_queue_unlock(q, rc > 0 ? v - 1 : v);
		grt_leave_wait(m);
		return rc > 0 ? 0 : rc;
	}
	grt_queue_push(&q->first, &n);
	grt_queue_unlock(q, v | QUEUE_WAITERS);

	enum ending end = grt_wait(&m, &p, &w, deadline, WAIT_SEM);

	/* with a unit the semaphore may be gone by now */
	if (end != END_READY)
		grt_queue_remove(&n);
	grt_leave_wait(m);
	return end == END_READY ? 0 : grt_ending_error(end);
}

GRT_PUBLIC int goru_sem_wait_until(goru_sem *s, int64_t deadline)
{
	int rc = grt_scoped_ask();

	if (GRT_UNLIKELY(rc))
		return rc;
	if (!take(queue_of(s))) {
		rc = wait_slow(queue_of(s), deadline);
		grt_leave_bracketed();
	}
	if (!rc)
		grt_tsan_acquire(s);
	return rc;
}

GRT_PUBLIC int goru_sem_wait(goru_sem *s)
{
	return goru_sem_wait_until(s, GORU_FOREVER);
}

GRT_PUBLIC int goru_sem_try_wait(goru_sem *s)
{
	if (!take(queue_of(s)))
		return -EAGAIN;
	grt_tsan_acquire(s);
	return 0;
}

static void check(struct queue *q, uint64_t v, unsigned n)
{
	if (GRT_UNLIKELY((v & UNITS) + n > INT_MAX))
		grt_fatal("semaphore %p: posted above INT_MAX (count %llu), by %s", (void *)q,
			  (unsigned long long)((v & UNITS) + n), grt_who(grt_me()).text);
}

static GRT_NOINLINE void post_slow(struct queue *q, unsigned n)
{
	struct self s = grt_enter_nowait();
	struct woken woken = { 0 };
	struct wnode *node;
	uint64_t v = grt_queue_lock(q);

	for (; n && (node = grt_queue_pop(&q->first)); n--)
		grt_woken_add(&woken, node);
	check(q, v, n);
	v = (v & UNITS) + n;
	grt_queue_unlock(q, q->first ? v | QUEUE_WAITERS : v);
	grt_woken_ready(&woken, s.p);
	grt_leave_nowait(s);
}

GRT_PUBLIC void goru_sem_post(goru_sem *s, unsigned n)
{
	struct queue *q = queue_of(s);
	uint64_t v = grt_load(&q->word);

	grt_tsan_release(s);
	while (!(v & (QUEUE_LOCK | QUEUE_WAITERS))) {
		check(q, v, n);
		if (atomic_compare_exchange_weak_explicit(&q->word, &v, v + n,
							  memory_order_release, /* sem.A */
							  memory_order_relaxed))
			return;
	}
	post_slow(q, n);
}
