/* time.c - the clock, deadlines made and met, sleeping in order. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 not=migrate */
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

enum { LATE = 20000 }; /* ms: a busy machine; less than a timer that was forgotten */

static void now_is_monotonic(void)
{
	struct timespec ts;
	int64_t a = goru_now(), b;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	b = goru_now();
	CHECK(a <= (int64_t)ts.tv_sec * GORU_SEC + ts.tv_nsec);
	CHECK(b >= (int64_t)ts.tv_sec * GORU_SEC + ts.tv_nsec);
}

static void in_saturates(void)
{
	int64_t now = goru_now(), d = goru_in(5 * GORU_SEC);

	CHECK(d >= now + 5 * GORU_SEC && d <= goru_now() + 5 * GORU_SEC);
	CHECK(goru_in(0) >= now);
	CHECK(goru_in(-GORU_SEC) < goru_now());
	CHECK(goru_in(GORU_FOREVER) == GORU_FOREVER);
	CHECK(goru_in(GORU_FOREVER - 1) == GORU_FOREVER);
	CHECK(goru_in(INT64_MIN) < 0);
	CHECK(goru_in(-GORU_FOREVER) < 0);
}

static void sleep_is_never_shorter(void)
{
	static const int64_t ns[] = { 1, 1000, 100000, 3 * 1000000, 20 * 1000000 };

	for (size_t i = 0; i < sizeof(ns) / sizeof(ns[0]); i++) {
		int64_t t = goru_now();

		CHECK_EQ(goru_sleep(ns[i]), 0);
		CHECK(goru_now() - t >= ns[i]);
		CHECK(goru_now() - t < ns[i] + LATE * GORU_MSEC);
	}
}

static void past_deadlines_return_at_once(void)
{
	const int64_t past[] = { INT64_MIN, -1, 0, 1, goru_now() - 1, goru_now() };
	int64_t t = goru_now();

	for (size_t i = 0; i < sizeof(past) / sizeof(past[0]); i++)
		CHECK_EQ(goru_sleep_until(past[i]), 0);
	CHECK_EQ(goru_sleep(0), 0);
	CHECK_EQ(goru_sleep(-5), 0);
	CHECK_EQ(goru_sleep(INT64_MIN), 0);
	CHECK(goru_now() - t < LATE * GORU_MSEC);
}

static void until_meets_its_deadline(void)
{
	int64_t d = goru_in(10 * GORU_MSEC);

	CHECK_EQ(goru_sleep_until(d), 0);
	CHECK(goru_now() >= d);
}

/* Sleeping sorts: those whose deadlines come while something else computes run in the deadlines' order. */
enum { SORTED = 12 };
static _Atomic int place;
static int order[SORTED];
static int64_t base;
static _Atomic bool in_time;
static goru_waitgroup wg;

static void sleeps(int i)
{
	CHECK_EQ(goru_sleep_until(base + i), 0);
	order[atomic_fetch_add(&place, 1)] = i;
	goru_waitgroup_done(&wg);
}

static void computes_past_them(void)
{
	atomic_store(&in_time, goru_now() < base);
	while (goru_now() < base + SORTED + 1)
		;
	goru_waitgroup_done(&wg);
}

/* All slept before the first deadline came, and then somebody computed until after the last. */
static bool sorted_in(int64_t patience)
{
	static const int shuffled[SORTED] = { 7, 2, 12, 1, 9, 4, 11, 3, 8, 10, 6, 5 };

	atomic_store(&place, 0);
	base = goru_in(patience);
	goru_waitgroup_add(&wg, SORTED + 1);
	for (int i = 0; i < SORTED; i++)
		CHECK_EQ(go(sleeps, shuffled[i]), 0);
	UNTIL(test_asleep() == test_alive());
	CHECK_EQ(go(computes_past_them), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	return atomic_load(&in_time);
}

static void in_order(void)
{
	unsigned n = goru_procs();
	int64_t patience = 10 * GORU_MSEC;

	CHECK_EQ(goru_set_procs(1), 0);
	while (!sorted_in(patience) && patience < 5 * GORU_SEC)
		patience *= 2;
	for (int i = 0; atomic_load(&in_time) && i < SORTED; i++)
		CHECK_EQ(order[i], i + 1);
	CHECK_EQ(goru_set_procs(n), 0);
}

static void sleeps_long(void)
{
	goru_sleep(3600 * GORU_SEC);
}

static void blocks_then_sleeps(_Atomic int64_t *took)
{
	int64_t t;

	goru_blocking(usleep(20000));
	t = goru_now();
	CHECK_EQ(goru_sleep(5 * GORU_MSEC), 0);
	atomic_store(took, goru_now() - t);
}

/* A worker sleeps until a late timer; a nearer one that comes while it does must not wait for it. */
static void nearer_timer_is_not_late(void)
{
	_Atomic int64_t took = 0;

	CHECK_EQ(go(sleeps_long), 0);
	UNTIL(test_asleep() == 1 && test_workers_asleep());
	for (int i = 0; i < 3; i++) {
		atomic_store(&took, 0);
		CHECK_EQ(go(blocks_then_sleeps, &took), 0);
		UNTIL(atomic_load(&took));
		CHECK(atomic_load(&took) < LATE * GORU_MSEC);
	}
	CHECK_EQ(goru_shutdown(), 0);
}

static _Atomic int stop;

static void computes(void)
{
	while (!atomic_load(&stop))
		goru_yield();
}

/* Goroutines that always have something to do do not hold a sleeper up. */
static void due_among_the_busy(void)
{
	int64_t t;

	atomic_store(&stop, 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(go(computes), 0);
	t = goru_now();
	for (int i = 0; i < 5; i++)
		CHECK_EQ(goru_sleep(2 * GORU_MSEC), 0);
	CHECK(goru_now() - t < 5 * LATE * GORU_MSEC);
	atomic_store(&stop, 1);
}

static _Atomic int64_t due;
static _Atomic int turns;

static void takes_long_turns(void)
{
	while (!atomic_load(&stop)) {
		int64_t end = goru_now() + 50 * GORU_USEC, at = atomic_load(&due);

		if (at && end >= at)
			atomic_fetch_add(&turns, 1);
		while (goru_now() < end)
			;
		goru_yield();
	}
}

static int by_size(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Whose turns are long look at the clock as often: one or two end before a sleeper is seen, not the 61 of a round. */
static void due_after_few_turns(void *arg)
{
	enum { NAPS = 51 };
	int taken[NAPS];

	(void)arg;
	for (int i = 0; i < NAPS; i++) {
		int64_t at = goru_in(2 * GORU_MSEC);

		atomic_store(&turns, 0);
		atomic_store(&due, at);
		CHECK_EQ(goru_sleep_until(at), 0);
		taken[i] = atomic_exchange(&turns, 0);
		atomic_store(&due, 0);
	}
	qsort(taken, NAPS, sizeof(*taken), by_size);
	CHECK(taken[NAPS / 2] <= 3);
	atomic_store(&stop, 1);
}

static void among_long_turns(int n, void (*fn)(void *))
{
	goru_config one = { .struct_size = sizeof(one), .procs = 1 };

	test_handoff(false);
	CHECK_EQ(goru_init(&one), 0);
	atomic_store(&stop, 0);
	for (int i = 0; i < n; i++)
		CHECK_EQ(go(takes_long_turns), 0);
	CHECK_EQ(goru_run(fn, NULL), 0);
	CHECK_EQ(goru_shutdown(), 0);
	test_handoff(true);
}

static void due_among_long_turns(void)
{
	among_long_turns(4, due_after_few_turns);
}

/* Who is due whenever anybody looks goes first, but not always. */
static void due_always(void *arg)
{
	enum { NAPS = 200 };

	(void)arg;
	atomic_store(&turns, 0);
	atomic_store(&due, 1);
	for (int i = 0; i < NAPS; i++) {
		int64_t end = goru_in(20 * GORU_USEC);

		while (goru_now() < end)
			;
		CHECK_EQ(goru_sleep(1), 0);
	}
	CHECK(atomic_load(&turns) >= NAPS / 8);
	atomic_store(&due, 0);
	atomic_store(&stop, 1);
}

static void due_and_the_others(void)
{
	among_long_turns(1, due_always);
}

static _Atomic int plain_rc;

static void plain_for_ever(void)
{
	atomic_store(&plain_rc, 2);
	atomic_store(&plain_rc, goru_sleep(GORU_FOREVER));
	CHECK_EQ(plain_rc, -ECANCELED);
}

static void goroutine_for_ever(void)
{
	atomic_store(&stop, 2);
	goru_sleep_until(GORU_FOREVER);
	atomic_store(&stop, 3);
}

static void for_ever_ends_with_the_runtime(void)
{
	pthread_t t;

	atomic_store(&stop, 0);
	atomic_store(&plain_rc, 1);
	CHECK_EQ(go(goroutine_for_ever), 0);
	test_thread(&t, plain_for_ever);
	UNTIL(test_asleep() == 2);
	CHECK_EQ(atomic_load(&plain_rc), 2);
	CHECK_EQ(goru_shutdown(), 0);
	test_join(t);
	CHECK_EQ(atomic_load(&stop), 2);
}

TEST_MAIN(TEST_BOTH(now_is_monotonic), TEST_BOTH(in_saturates), TEST_BOTH(sleep_is_never_shorter),
	  TEST_BOTH(past_deadlines_return_at_once), TEST_BOTH(until_meets_its_deadline),
	  TEST_BOTH(in_order), TEST_BOTH(due_among_the_busy), TEST(nearer_timer_is_not_late),
	  TEST(due_among_long_turns), TEST(due_and_the_others),
	  TEST(for_ever_ends_with_the_runtime))
