/* sleep.c - thousands of sleepers: none too early, none for ever, the order of far-apart deadlines kept. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>

static goru_waitgroup wg;

static void sleeper(int64_t ns)
{
	int64_t end = goru_in(ns);

	CHECK_EQ(goru_sleep(ns), 0);
	CHECK(goru_now() >= end);
	goru_waitgroup_done(&wg);
}

static void test_many(void **state)
{
	uint64_t r = stress_rand(1);

	(void)state;
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, (uint32_t)stress_many(6000));

		goru_waitgroup_add(&wg, n);
		for (int i = 0; i < n; i++)
			GO(sleeper, (int64_t)grt_rand_below(&r, 30000000) - 1000);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

/*
 * With one P the deadlines that were set before the first was due end in their order. At most as many as the ring holds,
 * so that none goes over the shared queue.
 */
static _Atomic int64_t latest;
static _Atomic bool in_time;
static _Atomic int begun;
static int64_t base;

static void ordered(int64_t at)
{
	atomic_fetch_add(&begun, 1);
	CHECK_EQ(goru_sleep_until(base + at), 0);
	if (goru_procs() == 1 && atomic_load(&in_time)) {
		CHECK(atomic_load(&latest) <= at);
		atomic_store(&latest, at);
	}
	goru_waitgroup_done(&wg);
}

/* With one P all of them sleep once all have begun: nobody else runs in between. */
static void witness(int n)
{
	while (atomic_load(&begun) < n)
		goru_yield();
	atomic_store(&in_time, goru_now() < base + 5 * GORU_MSEC);
	goru_waitgroup_done(&wg);
}

static void test_order(void **state)
{
	uint64_t r = stress_rand(2);

	(void)state;
	stress_handoff(false);
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, 200);

		atomic_store(&latest, 0);
		atomic_store(&in_time, false);
		atomic_store(&begun, 0);
		base = goru_now();
		goru_waitgroup_add(&wg, n + 1);
		for (int i = 0; i < n; i++)
			GO(ordered, (int64_t)(5 + grt_rand_below(&r, 10)) * GORU_MSEC);
		GO(witness, n);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
	stress_handoff(true);
}

/* One sleeper after the other, everything idle in between: each sleep is somebody's own to end. */
static void lone(void)
{
	uint64_t r = stress_rand(3);

	while (stress_more()) {
		int64_t end = goru_in(grt_rand_below(&r, 3000000));

		CHECK_EQ(goru_sleep_until(end), 0);
		CHECK(goru_now() >= end);
	}
	goru_waitgroup_done(&wg);
}

static void test_lone(void **state)
{
	(void)state;
	goru_waitgroup_add(&wg, 1);
	GO(lone);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* A far deadline is being slept for when nearer ones come from outside. */
static void far(goru_chan *quit)
{
	CHECK_EQ(goru_chan_recv_until(quit, NULL, goru_in(3600 * GORU_SEC)), 0);
	goru_chan_unref(quit);
	goru_waitgroup_done(&wg);
}

static void test_nearer(void **state)
{
	uint64_t r = stress_rand(4);
	goru_chan *quit = goru_chan_make(0, 0);

	(void)state;
	goru_waitgroup_add(&wg, 1);
	GO(far, goru_chan_ref(quit));
	while (stress_more()) {
		goru_waitgroup_add(&wg, 1);
		GO(sleeper, (int64_t)grt_rand_below(&r, 2000000));
		while (goru_waitgroup_wait_until(&wg, 0) == -ETIMEDOUT && grt_rand_below(&r, 20))
			stress_nap();
	}
	CHECK_EQ(goru_chan_close(quit), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	goru_chan_unref(quit);
}

STRESS_MAIN("stress/sleep", cmocka_unit_test(test_many), cmocka_unit_test(test_order),
	    cmocka_unit_test(test_lone), cmocka_unit_test(test_nearer))
