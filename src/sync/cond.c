/* cond.c - conditions: a list of those who wait, woken first come first. */
/* SPDX-License-Identifier: MIT */
/*
 * The mutex makes the rest easy: who waits is on the list before the mutex is free, so a signal by somebody who has held
 * the mutex since finds him. The word has no more than the flags of PROTOCOL queue.
 */
#include "base/fatal.h"
#include "sync/mutex.h"
#include "sync/queue.h"

_Static_assert(sizeof(struct queue) == sizeof(goru_cond), "the header's size is fixed");

static struct queue *queue_of(goru_cond *c)
{
	return (struct queue *)(void *)c;
}

/* A signal would wake one who did not hold what its sender holds. */
static GRT_COLD _Noreturn void two_mutexes(struct m *m, struct queue *q, goru_mutex *mu)
{
	if (m)
		grt_g_set_state(m->curg, G_RUNNING); /* after all */
	grt_fatal("condition %p waited on by %s with mutex %p, and by others with mutex %p",
		  (void *)q, grt_who(grt_me()).text, (void *)mu, q->first->elem);
}

static int wait_on(struct queue *q, goru_mutex *mu, int64_t deadline)
{
	struct p *p;
	struct m *m = grt_enter_wait(&p);
	struct waiter w;
	struct wnode n;
	uint64_t v;
	int rc;

	grt_wnode_init(&n, &w, q, mu, 0, false);
	grt_wait_begin(&w, m ? m->curg : NULL, KIND_QUEUE, &n, 1);
	v = grt_queue_lock(q);
	if (GRT_UNLIKELY(q->first && q->first->elem != mu))
		two_mutexes(m, q, mu);
	rc = grt_wait_arm(p, &w, deadline);
	if (rc < 0) {
		grt_queue_unlock(q, v);
		grt_leave_wait(m);
		return rc;
	}
	grt_queue_push(&q->first, &n);
	grt_queue_unlock(q, v | QUEUE_WAITERS);
	grt_mutex_unlock_within(mu, p);

	enum ending end = grt_wait(&m, &p, &w, deadline, WAIT_COND);

	if (end != END_READY)
		grt_queue_remove(&n);
	grt_leave_wait(m);
	grt_mutex_lock_again(mu);
	return end == END_READY ? 0 : grt_ending_error(end);
}

GRT_PUBLIC int goru_cond_wait_until(goru_cond *c, goru_mutex *mu, int64_t deadline)
{
	int rc;

	if (GRT_UNLIKELY(!grt_mutex_mine(mu)))
		grt_fatal("condition %p waited on by %s without its mutex %p", (void *)c,
			  grt_who(grt_me()).text, (void *)mu);
	rc = grt_scoped_ask();
	if (rc)
		return rc;
	if (deadline != GORU_FOREVER && deadline <= grt_os_now())
		return -ETIMEDOUT;
	rc = wait_on(queue_of(c), mu, deadline);
	grt_leave_bracketed();
	return rc;
}

GRT_PUBLIC int goru_cond_wait(goru_cond *c, goru_mutex *mu)
{
	return goru_cond_wait_until(c, mu, GORU_FOREVER);
}

GRT_INLINE bool nobody(struct queue *q)
{
	return !(atomic_load_explicit(&q->word, memory_order_relaxed) &
		 (QUEUE_LOCK | QUEUE_WAITERS));
}

static GRT_NOINLINE void wake(struct queue *q, bool all)
{
	struct self s = grt_enter_nowait();
	struct woken woken = { 0 };
	struct wnode *n;

	(void)grt_queue_lock(q);
	do {
		n = grt_queue_pop(&q->first);
		if (n)
			grt_woken_add(&woken, n);
	} while (n && all);
	grt_queue_unlock(q, q->first ? QUEUE_WAITERS : 0);
	grt_woken_ready(&woken, s.p);
	grt_leave_nowait(s);
}

GRT_PUBLIC void goru_cond_signal(goru_cond *c)
{
	if (!nobody(queue_of(c)))
		wake(queue_of(c), false);
}

GRT_PUBLIC void goru_cond_broadcast(goru_cond *c)
{
	if (!nobody(queue_of(c)))
		wake(queue_of(c), true);
}
