/* until.c - deadlines that race with what was waited for: one of the two ends a wait, and the next wait is its own. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>

static goru_waitgroup wg;

/* Around the time the other side needs, so that both happen. */
static int64_t close_call(uint64_t *r)
{
	return goru_in(grt_rand_below(r, 8) ? 1000 + grt_rand_below(r, 120000) : 0);
}

/*
 * A sender numbers its values and goes on only with what was sent; a receiver sees every number, in order. A value that
 * was taken although the send said it was not, or the reverse, is a hole or a repetition.
 */
struct pair {
	goru_chan *c;
	_Atomic bool stop;
	_Atomic uint64_t sent, timeouts;
};

static void sender(struct pair *p, uint64_t salt)
{
	uint64_t r = stress_rand(salt), v = 1;

	while (!atomic_load_explicit(&p->stop, memory_order_relaxed)) {
		int rc = goru_chan_send_until(p->c, &v, close_call(&r));

		if (rc == 0)
			v++;
		else
			CHECK_EQ(rc, -ETIMEDOUT);
		if (rc)
			atomic_fetch_add_explicit(&p->timeouts, 1, memory_order_relaxed);
		if (grt_rand_below(&r, 4) == 0)
			goru_sleep(grt_rand_below(&r, 60000));
	}
	atomic_store(&p->sent, v - 1);
	CHECK_EQ(goru_chan_close(p->c), 0);
	goru_waitgroup_done(&wg);
}

static void receiver(struct pair *p, uint64_t salt)
{
	uint64_t r = stress_rand(salt), want = 1, v;
	goru_chan *never = goru_chan_make(8, 0);

	for (;;) {
		int rc;

		v = 42;
		if (grt_rand_below(&r, 3) == 0) {
			goru_case k[] = { GORU_RECV(never, &v), GORU_RECV(p->c, &v) };

			rc = goru_select_until(k, 2, close_call(&r));
			CHECK(rc == 1 || rc == -ETIMEDOUT);
			rc = rc == 1 ? k[1].result : rc;
		} else {
			rc = goru_chan_recv_until(p->c, &v, close_call(&r));
		}
		if (rc == 0)
			break;
		if (rc == 1) {
			CHECK_EQ(v, want);
			want++;
		} else {
			CHECK_EQ(rc, -ETIMEDOUT);
			CHECK_EQ(v, 42);
			atomic_fetch_add_explicit(&p->timeouts, 1, memory_order_relaxed);
		}
		if (grt_rand_below(&r, 4) == 0)
			goru_sleep(grt_rand_below(&r, 60000));
	}
	CHECK_EQ(want - 1, atomic_load(&p->sent));
	goru_chan_unref(never);
	goru_waitgroup_done(&wg);
}

struct role {
	struct pair *p;
	uint64_t salt;
};

static void *sender_thread(void *arg)
{
	struct role *a = arg;

	sender(a->p, a->salt);
	return NULL;
}

static void *receiver_thread(void *arg)
{
	struct role *a = arg;

	receiver(a->p, a->salt);
	return NULL;
}

enum { PAIRS = 4 };

static void pairs(bool plain_sender, bool plain_receiver)
{
	struct pair p[PAIRS] = { 0 };
	struct role sr[PAIRS], rr[PAIRS];
	pthread_t st[PAIRS], rt[PAIRS];

	goru_waitgroup_add(&wg, 2 * PAIRS);
	for (int i = 0; i < PAIRS; i++) {
		p[i].c = goru_chan_make(8, (size_t)i % 3);
		sr[i] = (struct role){ &p[i], 10 + (uint64_t)i };
		rr[i] = (struct role){ &p[i], 20 + (uint64_t)i };
		if (plain_sender)
			stress_thread(&st[i], sender_thread, &sr[i]);
		else
			GO(sender, &p[i], sr[i].salt);
		if (plain_receiver)
			stress_thread(&rt[i], receiver_thread, &rr[i]);
		else
			GO(receiver, &p[i], rr[i].salt);
	}
	while (stress_more())
		stress_nap();
	for (int i = 0; i < PAIRS; i++)
		atomic_store(&p[i].stop, true);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	for (int i = 0; i < PAIRS; i++) {
		if (plain_sender)
			stress_join(st[i]);
		if (plain_receiver)
			stress_join(rt[i]);
		goru_chan_unref(p[i].c);
	}
}

static void test_goroutines(void **state)
{
	(void)state;
	pairs(false, false);
}

static void test_plain_sender(void **state)
{
	(void)state;
	pairs(true, false);
}

static void test_plain_receiver(void **state)
{
	(void)state;
	pairs(false, true);
}

static void test_plain_both(void **state)
{
	(void)state;
	pairs(true, true);
}

/*
 * Waits with far deadlines that end early leave their timer entries behind, and a short wait with a near one follows
 * at once, on the same goroutine or, after its end, on the same record: no wait ends before its own deadline.
 */
static void early(goru_chan *c, uint64_t salt)
{
	uint64_t r = stress_rand(salt), v = 1;

	for (int i = 0; i < 20; i++) {
		int64_t soon = goru_in(20000 + grt_rand_below(&r, 200000)), late = soon + 1000000;

		CHECK_EQ(goru_chan_send(c, &v), 0);
		CHECK_EQ(goru_chan_recv_until(c, &v, soon), 1);
		/* the entry for soon falls due in this one */
		if (grt_rand_below(&r, 2)) {
			CHECK_EQ(goru_chan_recv_until(c, &v, late), -ETIMEDOUT);
			CHECK(goru_now() >= late);
		} else {
			CHECK_EQ(goru_sleep_until(late), 0);
			CHECK(goru_now() >= late);
		}
	}
	goru_chan_unref(c);
	goru_waitgroup_done(&wg);
}

/* The value comes from another goroutine, after the wait has begun: the entry is made. */
static void feeder(goru_chan *c, goru_chan *ask)
{
	uint64_t v = 1;

	while (goru_chan_recv(ask, NULL) > 0)
		CHECK_EQ(goru_chan_send(c, &v), 0);
	goru_chan_unref(c);
	goru_chan_unref(ask);
	goru_waitgroup_done(&wg);
}

static void fed(uint64_t salt)
{
	uint64_t r = stress_rand(salt), v;
	goru_chan *c = goru_chan_make(8, 0), *ask = goru_chan_make(0, 1);

	goru_waitgroup_add(&wg, 1);
	GO(feeder, goru_chan_ref(c), goru_chan_ref(ask));
	for (int i = 0; i < 20; i++) {
		int64_t soon = goru_in(500000 + grt_rand_below(&r, 500000)), late = soon + 500000;

		CHECK_EQ(goru_chan_send(ask, NULL), 0);
		if (goru_chan_recv_until(c, &v, soon) == -ETIMEDOUT) {
			CHECK(goru_now() >= soon);
			CHECK_EQ(goru_chan_recv(c, &v), 1); /* it comes yet */
		}
		CHECK_EQ(goru_chan_recv_until(c, &v, late), -ETIMEDOUT);
		CHECK(goru_now() >= late);
	}
	CHECK_EQ(goru_chan_close(ask), 0);
	goru_chan_unref(c);
	goru_chan_unref(ask);
	goru_waitgroup_done(&wg);
}

static void test_stale_entries(void **state)
{
	uint64_t r = stress_rand(5);

	(void)state;
	while (stress_more()) {
		goru_waitgroup_add(&wg, 20);
		for (int i = 0; i < 10; i++) {
			GO(early, goru_chan_make(8, 1), grt_rand64(&r) >> 4);
			GO(fed, grt_rand64(&r) >> 4);
		}
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

STRESS_MAIN("stress/until", cmocka_unit_test(test_goroutines), cmocka_unit_test(test_plain_sender),
	    cmocka_unit_test(test_plain_receiver), cmocka_unit_test(test_plain_both),
	    cmocka_unit_test(test_stale_entries))
