/* select.c - exactly one of several: which, its result, fairness, limits, and no trace of the others. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>

#include "test.h"

GORU_CHAN_OF(ints, int);

static void bad_arguments(void)
{
	ints *c = ints_make(1);
	int v = 0;
	goru_case k[2] = { GORU_RECV(ints_chan(c), &v), GORU_SEND(ints_chan(c), NULL) };

	CHECK_EQ(goru_select(k, -1), -EINVAL);
	CHECK_EQ(goru_select(k, 65536), -EINVAL);
	CHECK_EQ(goru_select(NULL, 1), -EINVAL);
	CHECK_EQ(goru_try_select(k, -1), -EINVAL);
	CHECK_EQ(goru_try_select(k, INT32_MAX), -EINVAL);
	CHECK_EQ(goru_select_until(k, INT32_MIN, 0), -EINVAL);
	CHECK_EQ(goru_try_select(k, 2), -EINVAL); /* a NULL to send */
	k[1].op = 0;
	CHECK_EQ(goru_try_select(k, 2), -EINVAL);
	k[1].op = 3;
	CHECK_EQ(goru_select(k, 2), -EINVAL);
	CHECK_EQ(ints_len(c), 0);
	ints_unref(c);
}

static void nothing_to_wait_for(void)
{
	int v;
	goru_case none[] = { GORU_RECV(NULL, &v), GORU_SEND(NULL, &v), GORU_SEND(NULL, NULL) };
	int64_t t = goru_now();

	CHECK_EQ(goru_try_select(NULL, 0), -EAGAIN);
	CHECK_EQ(goru_try_select(none, 3), -EAGAIN);
	CHECK_EQ(goru_select_until(NULL, 0, INT64_MIN), -ETIMEDOUT);
	CHECK_EQ(goru_select_until(none, 3, goru_in(5 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 5 * GORU_MSEC);
}

static void takes_the_ready_one(void)
{
	ints *a = ints_make(1), *b = ints_make(1), *full = ints_make(1);
	int va = -1, vb = -1, out = 6;
	goru_case k[] = { GORU_RECV(ints_chan(a), &va), GORU_RECV(NULL, NULL),
			  GORU_RECV(ints_chan(b), &vb), GORU_SEND(ints_chan(full), &out) };

	CHECK_EQ(ints_send(full, 1), 0);
	CHECK_EQ(goru_try_select(k, 4), -EAGAIN);
	CHECK_EQ(goru_select_until(k, 4, goru_in(2 * GORU_MSEC)), -ETIMEDOUT);
	CHECK_EQ(ints_send(b, 5), 0);
	CHECK_EQ(goru_select(k, 4), 2);
	CHECK(k[2].result == 1 && vb == 5 && va == -1);
	CHECK_EQ(ints_recv(full, &va), 1);
	CHECK_EQ(goru_select_until(k, 4, INT64_MIN), 3); /* done though the deadline is past */
	CHECK_EQ(k[3].result, 0);
	CHECK_EQ(ints_recv(full, &va), 1);
	CHECK_EQ(va, 6);
	ints_unref(a);
	ints_unref(b);
	ints_unref(full);
}

static void closed_counts(void)
{
	ints *a = ints_make(0);
	int v = 9;
	goru_case r[] = { GORU_RECV(ints_chan(a), &v) }, s[] = { GORU_SEND(ints_chan(a), &v) };

	CHECK_EQ(ints_close(a), 0);
	CHECK_EQ(goru_select(r, 1), 0);
	CHECK(r[0].result == 0 && v == 0);
	CHECK_EQ(goru_try_select(s, 1), 0);
	CHECK_EQ(s[0].result, -EPIPE);
	ints_unref(a);
}

/* 3000 choices among 4 that are always ready: each near 750; 150 is six standard deviations. */
static void ready_ones_are_equally_likely(void)
{
	ints *c = ints_make(1);
	goru_chan *closed = goru_chan_make(0, 0);
	goru_case k[] = { GORU_RECV(closed, NULL), GORU_RECV(NULL, NULL), GORU_RECV(closed, NULL),
			  GORU_RECV(closed, NULL), GORU_RECV(closed, NULL) };
	int hits[5] = { 0 };

	goru_chan_close(closed);
	for (int i = 0; i < 3000; i++) {
		int n = i % 2 ? goru_select(k, 5) : goru_try_select(k, 5);

		if (CHECK(n >= 0 && n < 5))
			hits[n]++;
	}
	CHECK_EQ(hits[1], 0);
	for (int i = 0; i < 5; i++)
		if (i != 1)
			CHECK(hits[i] > 600 && hits[i] < 900);
	goru_chan_unref(closed);
	ints_unref(c);
}

static goru_waitgroup wg;

/* Runs fn(arg) elsewhere a little later, when the caller waits. */
static void later(void (*fn)(ints *), ints *c)
{
	goru_sleep(3 * GORU_MSEC);
	fn(c);
	goru_waitgroup_done(&wg);
}

static void start_later(void (*fn)(ints *), ints *c)
{
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(later, fn, c), 0);
}

static void finish(void)
{
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

static void send_7(ints *c)
{
	CHECK_EQ(ints_send(c, 7), 0);
}

static void recv_one(ints *c)
{
	int v = -1;

	CHECK_EQ(ints_recv(c, &v), 1);
	CHECK_EQ(v, 31);
}

static void close_it(ints *c)
{
	CHECK_EQ(ints_close(c), 0);
}

static void waits_for_the_first(void)
{
	ints *a = ints_make(0), *b = ints_make(0);
	int v = -1, out = 31;
	goru_case k[] = { GORU_RECV(ints_chan(a), &v), GORU_SEND(ints_chan(b), &out),
			  GORU_RECV(NULL, NULL) };

	start_later(send_7, a);
	CHECK_EQ(goru_select(k, 3), 0);
	CHECK(k[0].result == 1 && v == 7);
	finish();
	start_later(recv_one, b);
	CHECK_EQ(goru_select_until(k, 3, goru_in(20 * GORU_SEC)), 1);
	CHECK_EQ(k[1].result, 0);
	finish();
	/* the other case left no trace */
	CHECK_EQ(ints_try_send(a, 1), -EAGAIN);
	CHECK_EQ(ints_try_recv(b, &v), -EAGAIN);
	v = 9;
	start_later(close_it, a);
	CHECK_EQ(goru_select(k, 3), 0);
	CHECK(k[0].result == 0 && v == 0);
	finish();
	k[0].chan = NULL;
	start_later(close_it, b);
	CHECK_EQ(goru_select(k, 3), 1);
	CHECK_EQ(k[1].result, -EPIPE);
	finish();
	ints_unref(a);
	ints_unref(b);
}

/* Both directions and several times on one channel: it neither meets itself nor is served twice. */
static void same_channel_in_several_cases(void)
{
	ints *c = ints_make(0), *b = ints_make(1);
	int v = -1, w = -1, out = 31, n;
	goru_case k[] = { GORU_RECV(ints_chan(c), &v), GORU_SEND(ints_chan(c), &out),
			  GORU_RECV(ints_chan(c), &w), GORU_SEND(ints_chan(c), &out) };
	goru_case kb[] = { GORU_RECV(ints_chan(b), &v), GORU_SEND(ints_chan(b), &out) };

	CHECK_EQ(goru_try_select(k, 4), -EAGAIN);
	CHECK_EQ(goru_select_until(k, 4, goru_in(3 * GORU_MSEC)), -ETIMEDOUT);
	for (int i = 0; i < 10; i++) {
		v = w = -1;
		start_later(send_7, c);
		n = goru_select(k, 4);
		CHECK((n == 0 && v == 7 && w == -1) || (n == 2 && w == 7 && v == -1));
		CHECK_EQ(k[n > 0 ? n : 0].result, 1);
		finish();
		start_later(recv_one, c);
		n = goru_select(k, 4);
		CHECK(n == 1 || n == 3);
		finish();
		CHECK_EQ(ints_try_recv(c, &v), -EAGAIN);
		CHECK_EQ(ints_try_send(c, 1), -EAGAIN);
	}
	/* with a buffer it does go through, first in, then out */
	CHECK_EQ(goru_select(kb, 2), 1);
	CHECK_EQ(goru_select(kb, 2), 0);
	CHECK_EQ(v, 31);
	ints_unref(c);
	ints_unref(b);
}

/* More than fit on the stack: 17, 300 and the most there may be. */
static void many_cases(void)
{
	static const int ns[] = { 16, 17, 300, 65535 };
	goru_case *k = calloc(65535, sizeof(*k));
	ints *c[4];
	int v = -1;

	for (int i = 0; i < 4; i++)
		c[i] = ints_make(0);
	for (size_t t = 0; t < sizeof(ns) / sizeof(ns[0]); t++) {
		int n = ns[t], last = n - 1;

		for (int i = 0; i < n; i++)
			k[i] = GORU_RECV(i % 5 ? ints_chan(c[i % 3]) : NULL, NULL);
		k[last] = GORU_RECV(ints_chan(c[3]), &v);
		CHECK_EQ(goru_try_select(k, n), -EAGAIN);
		CHECK_EQ(goru_select_until(k, n, goru_in(GORU_MSEC)), -ETIMEDOUT);
		start_later(send_7, c[3]);
		CHECK_EQ(goru_select(k, n), last);
		CHECK(k[last].result == 1 && v == 7);
		finish();
		for (int i = 0; i < 4; i++)
			CHECK_EQ(ints_try_send(c[i], 1), -EAGAIN);
	}
	for (int i = 0; i < 4; i++)
		ints_unref(c[i]);
	free(k);
}

/* Two selects that could serve one another on either of two channels: each finds the other, once. */
static _Atomic int met;
static ints *left, *right;

static void meets(int n)
{
	int got = -1, mine = n;

	for (int i = 0; i < 200; i++) {
		goru_case k[] = { GORU_SEND(ints_chan(n % 2 ? left : right), &mine),
				  GORU_RECV(ints_chan(n % 2 ? right : left), &got) };

		CHECK(goru_select(k, 2) >= 0);
		atomic_fetch_add(&met, 1);
	}
	goru_waitgroup_done(&wg);
}

static void selects_meet_selects(void)
{
	left = ints_make(0);
	right = ints_make(0);
	atomic_store(&met, 0);
	goru_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(go(meets, i), 0);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	CHECK_EQ(atomic_load(&met), 800);
	ints_unref(left);
	ints_unref(right);
}

static _Atomic int rc_of[3];

static void never_0(void)
{
	atomic_store(&rc_of[0], 1);
	atomic_store(&rc_of[0], goru_select(NULL, 0));
}

static void never_nulls(void)
{
	goru_case none[20];

	for (int i = 0; i < 20; i++)
		none[i] = GORU_RECV(NULL, NULL);
	atomic_store(&rc_of[1], 1);
	atomic_store(&rc_of[1], goru_select(none, 20));
}

static void never_ready(void)
{
	goru_case k[] = { GORU_RECV(ints_chan(left), NULL), GORU_RECV(ints_chan(right), NULL) };

	atomic_store(&rc_of[2], 1);
	atomic_store(&rc_of[2], goru_select(k, 2));
}

/* For ever means until the runtime ends; and the channels are free of those that waited. */
static void for_ever_ends_with_the_runtime(void)
{
	void (*const fn[])(void) = { never_0, never_nulls, never_ready };
	pthread_t t[3];

	left = ints_make(0);
	right = ints_make(0);
	(void)goru_init(NULL);
	for (int i = 0; i < 3; i++) {
		atomic_store(&rc_of[i], 0);
		test_thread(&t[i], fn[i]);
		UNTIL(atomic_load(&rc_of[i]) == 1);
	}
	CHECK_EQ(goru_go((void (*)(void *))never_ready, NULL), 0);
	UNTIL(test_asleep() == 4);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(atomic_load(&rc_of[i]), 1);
	CHECK_EQ(goru_shutdown(), 0);
	for (int i = 0; i < 3; i++) {
		test_join(t[i]);
		CHECK_EQ(atomic_load(&rc_of[i]), -ECANCELED);
	}
	CHECK_EQ(ints_try_send(left, 1), -EAGAIN);
	ints_unref(left);
	ints_unref(right);
}

TEST_MAIN(TEST_BOTH(bad_arguments), TEST_BOTH(nothing_to_wait_for), TEST_BOTH(takes_the_ready_one),
	  TEST_BOTH(closed_counts), TEST_BOTH(ready_ones_are_equally_likely),
	  TEST_BOTH(waits_for_the_first), TEST_BOTH(same_channel_in_several_cases),
	  TEST_BOTH(many_cases), TEST_BOTH(selects_meet_selects),
	  TEST(for_ever_ends_with_the_runtime))
