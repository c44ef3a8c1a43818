/* timer.c - timers once and again, stopped, moved, freed; channels that tell the time. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"

static _Atomic int fired;
static _Atomic uint64_t last_id;
static _Atomic int64_t fired_at;

static void fires(void *arg)
{
	atomic_store(&fired_at, goru_now());
	atomic_store(&last_id, goru_id());
	atomic_fetch_add(&fired, arg ? *(int *)arg : 1);
}

static void refuses(void)
{
	goru_timer t = GORU_TIMER_INIT;

	CHECK_EQ(goru_timer_start(NULL, 0, 0, fires, NULL), -EINVAL);
	CHECK_EQ(goru_timer_start(&t, 0, 0, NULL, NULL), -EINVAL);
	CHECK_EQ(goru_timer_start(&t, 0, -1, fires, NULL), -EINVAL);
	CHECK_EQ(goru_timer_stop(NULL), -EINVAL);
	CHECK_EQ(goru_timer_stop(&t), 0);
	CHECK(!goru_tick(0));
	CHECK(!goru_tick(-1));
}

static void once(void)
{
	static const int64_t ns[] = { -5, 0, 1, 100000, 3000000, 20000000 };
	goru_timer t = GORU_TIMER_INIT;
	int two = 2;

	for (size_t i = 0; i < sizeof(ns) / sizeof(ns[0]); i++) {
		int64_t due = goru_in(ns[i]);

		atomic_store(&fired, 0);
		CHECK_EQ(goru_timer_start(&t, due, 0, fires, &two), 0);
		UNTIL(atomic_load(&fired));
		CHECK_EQ(atomic_load(&fired), 2);
		CHECK(atomic_load(&fired_at) >= due);
		CHECK(atomic_load(&last_id) != 0 && atomic_load(&last_id) != goru_id());
		CHECK_EQ(goru_timer_stop(&t), 0);
	}
	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, INT64_MIN, 0, fires, NULL), 0);
	UNTIL(atomic_load(&fired) == 1);
}

static void stopped(void)
{
	goru_timer t = GORU_TIMER_INIT;
	goru_timer far = GORU_TIMER_INIT;

	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, goru_in(20 * GORU_MSEC), 0, fires, NULL), 0);
	CHECK_EQ(goru_timer_start(&far, GORU_FOREVER, 0, fires, NULL), 0);
	if (goru_timer_stop(&t) == 1) { /* or the machine is that busy */
		CHECK_EQ(goru_timer_stop(&t), 0);
		CHECK_EQ(goru_sleep(30 * GORU_MSEC), 0);
		CHECK_EQ(atomic_load(&fired), 0);
	}
	CHECK_EQ(goru_timer_stop(&far), 1);
	CHECK_EQ(goru_timer_stop(&far), 0);
}

/* Only the last of several starts counts. */
static void moved(void)
{
	goru_timer t = GORU_TIMER_INIT;
	int ten = 10;
	int64_t due;

	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, goru_in(3600 * GORU_SEC), 0, fires, NULL), 0);
	CHECK_EQ(goru_timer_start(&t, goru_in(7200 * GORU_SEC), GORU_SEC, fires, NULL), 0);
	due = goru_in(5 * GORU_MSEC);
	CHECK_EQ(goru_timer_start(&t, due, 0, fires, &ten), 0);
	UNTIL(atomic_load(&fired));
	CHECK(atomic_load(&fired_at) >= due);
	CHECK_EQ(goru_sleep(5 * GORU_MSEC), 0);
	CHECK_EQ(atomic_load(&fired), 10);
	CHECK_EQ(goru_timer_stop(&t), 0);
	/* and later */
	due = goru_in(30 * GORU_MSEC);
	CHECK_EQ(goru_timer_start(&t, goru_in(10 * GORU_SEC), 0, fires, &ten), 0);
	CHECK_EQ(goru_timer_start(&t, due, 0, fires, &ten), 0);
	UNTIL(atomic_load(&fired) == 20);
	CHECK(atomic_load(&fired_at) >= due);
}

static bool quiet(void)
{
	int n = atomic_load(&fired);

	CHECK_EQ(goru_sleep(50 * GORU_MSEC), 0);
	return atomic_load(&fired) == n;
}

static void again_and_again(void)
{
	goru_timer t = GORU_TIMER_INIT;
	int64_t begin = goru_now();

	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, begin + 2 * GORU_MSEC, GORU_MSEC, fires, NULL), 0);
	UNTIL(atomic_load(&fired) >= 5);
	CHECK(goru_now() >= begin + 6 * GORU_MSEC);
	CHECK_EQ(goru_timer_stop(&t), 1);
	CHECK_EQ(goru_timer_stop(&t), 0);
	UNTIL(quiet()); /* one that began before may still be on its way */
}

/* Due long ago: the first comes at once, all that were missed do not. */
static void skips_what_it_missed(void)
{
	goru_timer t = GORU_TIMER_INIT;
	int n;

	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, INT64_MIN, 1000 * GORU_SEC, fires, NULL), 0);
	UNTIL(atomic_load(&fired));
	CHECK_EQ(goru_sleep(5 * GORU_MSEC), 0);
	n = atomic_load(&fired);
	CHECK(n == 1 || n == 2); /* 2: a multiple of 1000 s has just passed */
	CHECK_EQ(goru_timer_stop(&t), 1);
	/* the next time does not fit: never again */
	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, goru_now(), GORU_FOREVER, fires, NULL), 0);
	UNTIL(atomic_load(&fired) == 1);
	CHECK_EQ(goru_timer_stop(&t), 1);
}

static goru_chan *gate;

static void waits_at_gate(void *arg)
{
	(void)arg;
	atomic_fetch_add(&fired, 1);
	CHECK_EQ(goru_chan_recv(gate, NULL), 0);
	atomic_fetch_sub(&fired, 1);
}

static void may_overlap(void)
{
	goru_timer t = GORU_TIMER_INIT;

	gate = goru_chan_make(0, 0);
	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, goru_now(), GORU_MSEC, waits_at_gate, NULL), 0);
	UNTIL(atomic_load(&fired) >= 3);
	CHECK_EQ(goru_timer_stop(&t), 1);
	CHECK_EQ(goru_chan_close(gate), 0);
	UNTIL(atomic_load(&fired) == 0);
	goru_chan_unref(gate);
}

/* The memory belongs to the program when neither start nor stop runs: fn frees it, or it is gone long before. */
static void frees(void *arg)
{
	memset(arg, 0xff, sizeof(goru_timer));
	free(arg);
	atomic_fetch_add(&fired, 1);
}

static void freed_by_fn(void)
{
	atomic_store(&fired, 0);
	for (int i = 0; i < 100; i++) {
		goru_timer *t = calloc(1, sizeof(*t));

		CHECK_EQ(goru_timer_start(t, goru_in(i % 3 * 10000), 0, frees, t), 0);
	}
	UNTIL(atomic_load(&fired) == 100);
}

static void freed_before(void)
{
	atomic_store(&fired, 0);
	for (int i = 0; i < 100; i++) {
		goru_timer *t = calloc(1, sizeof(*t));

		CHECK_EQ(goru_timer_start(t, goru_in(2 * GORU_MSEC), 0, fires, NULL), 0);
		memset(t, 0xff, sizeof(*t));
		free(t);
	}
	UNTIL(atomic_load(&fired) == 100);
}

static void restarts_itself(void *arg)
{
	if (atomic_fetch_add(&fired, 1) < 9)
		CHECK_EQ(goru_timer_start(arg, goru_in(1000), 0, restarts_itself, arg), 0);
}

static void started_by_fn(void)
{
	static goru_timer t;

	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, 0, 0, restarts_itself, &t), 0);
	UNTIL(atomic_load(&fired) == 10);
	CHECK_EQ(goru_timer_stop(&t), 0);
}

static void after_sends_once(void)
{
	int64_t due = goru_in(5 * GORU_MSEC), at;
	goru_chan *c = goru_after(5 * GORU_MSEC);

	CHECK(c != NULL);
	CHECK_EQ(goru_chan_cap(c), 1);
	CHECK_EQ(goru_chan_recv(c, &at), 1);
	CHECK(at >= due && at <= goru_now());
	CHECK_EQ(goru_chan_recv_until(c, &at, goru_in(3 * GORU_MSEC)), -ETIMEDOUT);
	goru_chan_unref(c);
	c = goru_after(-1);
	CHECK_EQ(goru_chan_recv(c, &at), 1);
	goru_chan_unref(c);
	c = goru_after(GORU_FOREVER);
	CHECK_EQ(goru_chan_recv_until(c, &at, goru_in(3 * GORU_MSEC)), -ETIMEDOUT);
	goru_chan_unref(c);
}

static void after_in_select(void)
{
	goru_chan *never = goru_chan_make(0, 0), *c = goru_after(2 * GORU_MSEC);
	int64_t at;
	goru_case cases[] = { GORU_RECV(never, NULL), GORU_RECV(c, &at) };

	CHECK_EQ(goru_select(cases, 2), 1);
	CHECK_EQ(cases[1].result, 1);
	goru_chan_unref(c);
	goru_chan_unref(never);
}

static void tick_sends_again(void)
{
	int64_t begin = goru_now(), at, last = 0;
	goru_chan *c = goru_tick(2 * GORU_MSEC);

	for (int i = 0; i < 5; i++) {
		CHECK_EQ(goru_chan_recv(c, &at), 1);
		CHECK(at > last && at <= goru_now());
		last = at;
	}
	CHECK(at >=
	      begin + 8 * GORU_MSEC); /* never sooner than its time: the fifth is due after 10, less what begin is late */
	/* nobody receives: one is kept, the others are dropped */
	UNTIL(goru_chan_len(c) == 1);
	CHECK_EQ(goru_sleep(20 * GORU_MSEC), 0);
	CHECK_EQ(goru_chan_len(c), 1);
	CHECK_EQ(goru_chan_recv(c, &at), 1);
	CHECK(at > last && at < goru_now() - 5 * GORU_MSEC);
	CHECK_EQ(goru_chan_recv(c, &last), 1);
	CHECK(last > at);
	goru_chan_unref(c);
}

/* Closed by the program: the tick ends; what was sent is still there. */
static void tick_closed(void)
{
	goru_chan *c = goru_tick(GORU_MSEC);
	int64_t at = 1;

	UNTIL(goru_chan_len(c) == 1);
	CHECK_EQ(goru_chan_close(c), 0);
	CHECK_EQ(goru_sleep(5 * GORU_MSEC), 0);
	CHECK_EQ(goru_chan_recv(c, &at), 1);
	CHECK(at != 0);
	CHECK_EQ(goru_chan_recv(c, &at), 0);
	CHECK_EQ(at, 0);
	goru_chan_unref(c);
}

/* Unref at any moment: before, during and after. Under the leak checker, and without growing. */
static void unref_stops(void)
{
	uint64_t r = 5;

	for (int i = 0; i < 300; i++) {
		goru_chan *c = i % 2 ? goru_tick(20000 + (int64_t)(test_rand(&r) % 30000)) :
				       goru_after((int64_t)(test_rand(&r) % 60000));
		goru_chan *second = i % 3 ? NULL : goru_chan_ref(c);

		CHECK_EQ(goru_sleep((int64_t)(test_rand(&r) % 60000)), 0);
		goru_chan_unref(c);
		goru_chan_unref(second);
	}
}

/* A time-out for each of very many steps, none of which comes to pass, holds no more than a few. */
static void cancelled_ones_are_used_again(void)
{
	enum { FEW = 1000 };
	int many = test_emulated() ? 5000 : 200000;
	goru_timer t = GORU_TIMER_INIT;
	size_t before;

	for (int i = 0; i < FEW; i++)
		goru_chan_unref(goru_after(3600 * GORU_SEC));
	before = test_resident();
	for (int i = 0; i < many; i++) {
		goru_chan *c = goru_after(3600 * GORU_SEC);

		if (!c)
			CHECK(c);
		goru_chan_unref(c);
		if (goru_timer_start(&t, goru_in(3600 * GORU_SEC), 0, fires, NULL))
			CHECK(false);
		if (i % 2 && goru_timer_stop(&t) != 1)
			CHECK(false);
	}
	goru_timer_stop(&t);
	/* not 64 bytes for each of 400,000; the sanitizers' own memory says nothing */
	if (!GRT_ASAN_ON && !GRT_TSAN_ON && !test_emulated())
		CHECK(test_resident() < before + (6 << 20));
}

static void counted(void)
{
	goru_timer t = GORU_TIMER_INIT;
	goru_stats st, now;

	CHECK_EQ(goru_sleep(1), 0); /* on */
	CHECK_EQ(goru_stats_get(&st), 0);
	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, goru_now(), 0, fires, NULL), 0);
	UNTIL(atomic_load(&fired) == 1);
	CHECK_EQ(goru_stats_get(&now), 0);
	CHECK(now.timer_fires > st.timer_fires);
	CHECK(now.spawned > st.spawned);
}

/* A bracketed goroutine has no P; its timers go off while it blocks. */
static void brackets(_Atomic int *done)
{
	goru_timer t = GORU_TIMER_INIT;

	goru_block_enter();
	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, goru_in(GORU_MSEC), 0, fires, NULL), 0);
	for (int i = 0; i < 20000 && !atomic_load(&fired); i++)
		usleep(1000);
	CHECK_EQ(atomic_load(&fired), 1);
	CHECK_EQ(goru_timer_stop(&t), 0);
	goru_block_exit();
	atomic_store(done, 1);
}

static void started_without_a_p(void)
{
	_Atomic int done = 0;

	CHECK_EQ(go(brackets, &done), 0);
	UNTIL(atomic_load(&done));
}

/* Everything sleeps, for a timer that is far; a plain thread sets a nearer one. */
static void wakes_the_sleeping(void)
{
	goru_timer far = GORU_TIMER_INIT, near = GORU_TIMER_INIT;

	CHECK_EQ(goru_timer_start(&far, goru_in(3600 * GORU_SEC), 0, fires, NULL), 0);
	for (int i = 0; i < 5; i++) {
		int64_t due;

		usleep(20000); /* a worker and the monitor go to sleep; if they did not, the test says less */
		atomic_store(&fired, 0);
		due = goru_in(3 * GORU_MSEC);
		CHECK_EQ(goru_timer_start(&near, due, 0, fires, NULL), 0);
		UNTIL(atomic_load(&fired) == 1);
		CHECK(atomic_load(&fired_at) >= due);
	}
	CHECK_EQ(goru_timer_stop(&far), 1);
}

static void never_runs(void *arg)
{
	(void)arg;
	CHECK(!"a timer survived its runtime");
}

/* Shutdown stops all; what names them is still usable, and means nothing in the next runtime. */
static void shutdown_stops_all(void)
{
	goru_timer t[50] = { GORU_TIMER_INIT }, other[50] = { GORU_TIMER_INIT };
	goru_chan *tick, *after;
	int64_t at;

	for (int i = 0; i < 50; i++)
		CHECK_EQ(goru_timer_start(&t[i], goru_in(3600 * GORU_SEC), 0, never_runs, NULL), 0);
	tick = goru_tick(GORU_MSEC);
	after = goru_after(3600 * GORU_SEC);
	CHECK_EQ(goru_chan_recv(tick, &at), 1);
	CHECK_EQ(goru_shutdown(), 0);
	for (int i = 0; i < 25; i++)
		CHECK_EQ(goru_timer_stop(&t[i]), 0);
	CHECK_EQ(goru_timer_start(&other[0], goru_in(3600 * GORU_SEC), 0, never_runs, NULL), 0);
	for (int i = 1; i < 50; i++)
		CHECK_EQ(goru_timer_start(&other[i], goru_in(3600 * GORU_SEC), 0, never_runs, NULL),
			 0);
	for (int i = 25; i < 50; i++)
		CHECK_EQ(goru_timer_stop(&t[i]),
			 0); /* does not stop another that stands in the same place */
	while (goru_chan_try_recv(tick, &at) == 1)
		;
	CHECK_EQ(goru_chan_recv_until(tick, &at, goru_in(5 * GORU_MSEC)), -ETIMEDOUT);
	goru_chan_unref(after);
	for (int i = 0; i < 50; i++)
		CHECK_EQ(goru_timer_stop(&other[i]), 1);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(tick);
}

static void starts_the_runtime(void)
{
	goru_timer t = GORU_TIMER_INIT;
	goru_chan *c;
	int64_t at;

	goru_shutdown();
	CHECK_EQ(goru_timer_stop(&t), 0);
	atomic_store(&fired, 0);
	CHECK_EQ(goru_timer_start(&t, goru_in(1000), 0, fires, NULL), 0);
	UNTIL(atomic_load(&fired) == 1);
	CHECK_EQ(goru_shutdown(), 0);
	c = goru_after(1000);
	CHECK_EQ(goru_chan_recv(c, &at), 1);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

static _Atomic int refused;

/* Keeps the shutdown waiting until it was refused. */
static void starts_in_shutdown(void)
{
	static goru_timer t;
	int rc;

	atomic_store(&refused, 1);
	while ((rc = goru_timer_start(&t, GORU_FOREVER, 0, never_runs, NULL)) == 0)
		;
	CHECK_EQ(rc, -ESHUTDOWN);
	CHECK(!goru_after(0));
	goru_timer_stop(&t);
	atomic_store(&refused, 2);
}

static void refused_in_shutdown(void)
{
	atomic_store(&refused, 0);
	CHECK_EQ(go(starts_in_shutdown), 0);
	UNTIL(atomic_load(&refused) == 1);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(atomic_load(&refused), 2);
}

TEST_MAIN(TEST_BOTH(refuses), TEST_BOTH(once), TEST_BOTH(stopped), TEST_BOTH(moved),
	  TEST_BOTH(again_and_again), TEST_BOTH(skips_what_it_missed), TEST_BOTH(may_overlap),
	  TEST_BOTH(freed_by_fn), TEST_BOTH(freed_before), TEST_BOTH(started_by_fn),
	  TEST_BOTH(after_sends_once), TEST_BOTH(after_in_select), TEST_BOTH(tick_sends_again),
	  TEST_BOTH(tick_closed), TEST_BOTH(unref_stops), TEST_BOTH(cancelled_ones_are_used_again),
	  TEST_BOTH(counted), TEST_BOTH(started_without_a_p), TEST(wakes_the_sleeping),
	  TEST(shutdown_stops_all), TEST(starts_the_runtime), TEST(refused_in_shutdown))
