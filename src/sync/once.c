/* once.c - a function that is run by the first who comes, while the others wait. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL once
 *   Words    word: 0, then who runs the function (grt_me), then DONE; and the flags of PROTOCOL queue.
 *   Steps    do: DONE: return. CAS 0 -> me, run, lock the queue, take all who wait, unlock with DONE, ready them. Somebody
 *            runs it: lock the queue, look again, put the node on the list, wait, look again.
 *   Pairs    A done: word release -> B do: word acquire   what the function did
 *   Relaxed  CAS 0 -> me: nothing was done yet.
 *   Reuse    DONE is final; the store of it is the runner's last touch.
 *   Checked  tests/model/lock.c, tests/stress/once.c
 */
#include "base/fatal.h"
#include "goru.h"
#include "sync/queue.h"

#define DONE UINT64_C(1) /* nobody's grt_me */

_Static_assert(sizeof(struct queue) == sizeof(goru_once), "the header's size is fixed");

static void run(struct queue *q, void (*fn)(void *), void *arg)
{
	struct woken woken = { 0 };
	struct wnode *n;
	struct self s;

	fn(arg);
	grt_tsan_release(q);
	s = grt_enter_nowait();
	(void)grt_queue_lock(q);
	while ((n = grt_queue_pop(&q->first)))
		grt_woken_add(&woken, n);
	grt_queue_unlock(q, DONE); /* once.A */
	grt_woken_ready(&woken, s.p);
	grt_leave_nowait(s);
}

/* Until the function has run: there is no other way out. */
static void wait_done(struct queue *q)
{
	struct p *p;
	struct m *m = grt_enter_wait(&p);
	struct waiter w;
	struct wnode n;
	uint64_t v = grt_queue_lock(q);

	if (v == DONE) {
		grt_queue_unlock(q, v);
	} else {
		grt_wnode_init(&n, &w, q, NULL, 0, false);
		grt_wait_begin(&w, m ? m->curg : NULL, KIND_QUEUE, &n, 1);
		grt_queue_push(&q->first, &n);
		grt_queue_unlock(q, v | QUEUE_WAITERS);
		if (grt_wait(&m, &p, &w, GORU_FOREVER, WAIT_ONCE) != END_READY)
			grt_queue_remove(&n); /* shutdown, of a plain thread: wait again */
	}
	grt_leave_wait(m);
}

static GRT_NOINLINE void do_slow(struct queue *q, void (*fn)(void *), void *arg)
{
	uint64_t self = grt_me(), v = 0;

	if (atomic_compare_exchange_strong_explicit(&q->word, &v, self, memory_order_relaxed,
						    memory_order_relaxed)) {
		run(q, fn, arg);
		return;
	}
	if ((v & ~(QUEUE_LOCK | QUEUE_WAITERS)) == self)
		grt_fatal("once %p done again from its own function, by %s", (void *)q,
			  grt_who(self).text);
	while (atomic_load_explicit(&q->word, memory_order_acquire) != DONE) /* once.B */
		wait_done(q);
	grt_leave_bracketed();
}

GRT_PUBLIC void goru_once_do(goru_once *o, void (*fn)(void *), void *arg)
{
	struct queue *q = (struct queue *)(void *)o;

	if (GRT_UNLIKELY(atomic_load_explicit(&q->word, memory_order_acquire) != DONE)) /* once.B */
		do_slow(q, fn, arg);
	grt_tsan_acquire(q);
}
