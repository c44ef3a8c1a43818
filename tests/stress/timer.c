/* timer.c - timers started, moved, stopped and freed by many at once; channels that tell the time and lose their last reference. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static goru_waitgroup wg;

/* On goroutines too. */
#define UNTIL(x)                                                                                   \
	do {                                                                                       \
		while (!(x))                                                                       \
			CHECK_EQ(goru_sleep(100000), 0);                                           \
		stress_progress();                                                                 \
	} while (0)

/* One start of a timer, and what came of it. Freed by whoever knows that nobody else will look. */
struct job {
	_Atomic int ran;
	_Atomic int called_off;
};
static _Atomic long runs;

static void job_runs(void *arg)
{
	struct job *j = arg;

	atomic_fetch_add(&runs, 1);
	CHECK(atomic_load(&j->called_off) != 1);
	CHECK_EQ(atomic_fetch_add(&j->ran, 1), 0); /* the last touch: its starter waits for that */
}

/* Each timer is in memory of its own, which goes back the moment that stop has returned. */
static void one_after_the_other(uint64_t *r, int n, long *expected)
{
	struct job *jobs = calloc((size_t)n, sizeof(*jobs));
	int64_t spread = 1 + grt_rand_below(r, 200000);

	CHECK(jobs);
	for (int i = 0; i < n; i++) {
		goru_timer *t = calloc(1, sizeof(*t));
		int rc;

		CHECK(t);
		CHECK_EQ(goru_timer_start(t, goru_in(grt_rand_below(r, (uint32_t)spread)), 0,
					  job_runs, &jobs[i]),
			 0);
		if (grt_rand_below(r, 3) == 0)
			CHECK_EQ(goru_sleep(grt_rand_below(r, 100000)), 0);
		rc = goru_timer_stop(t);
		memset(t, 0xff, sizeof(*t));
		free(t);
		atomic_store(&jobs[i].called_off, rc);
		*expected += !rc;
	}
	/* those that were too late to stop may be on their way still */
	for (int i = 0; i < n; i++)
		UNTIL(atomic_load(&jobs[i].called_off) != atomic_load(&jobs[i].ran));
	free(jobs);
}

static _Atomic long expected_runs;

static void stopper(uint64_t salt)
{
	uint64_t r = stress_rand(salt);
	long expected = 0;

	while (stress_more())
		one_after_the_other(&r, 1 + (int)grt_rand_below(&r, 50), &expected);
	atomic_fetch_add(&expected_runs, expected);
	goru_waitgroup_done(&wg);
}

static void *stopper_thread(void *salt)
{
	stopper((uint64_t)(uintptr_t)salt);
	return NULL;
}

/* n goroutines and two plain threads. */
static void crowd(void (*fn)(uint64_t), void *(*thread)(void *), int n)
{
	pthread_t t[2];

	goru_waitgroup_add(&wg, n + 2);
	for (int i = 0; i < n; i++)
		GO(fn, (uint64_t)i);
	for (uintptr_t i = 0; i < 2; i++)
		stress_thread(&t[i], thread, (void *)(100 + i));
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	for (int i = 0; i < 2; i++)
		stress_join(t[i]);
}

static void test_stop_and_free(void **state)
{
	(void)state;
	atomic_store(&runs, 0);
	atomic_store(&expected_runs, 0);
	crowd(stopper, stopper_thread, 8);
	CHECK_EQ(atomic_load(&runs), atomic_load(&expected_runs));
}

/* Many move and stop the same few. A start leads to one run, unless a stop or another start came before. */
enum { SHARED = 4 };
static goru_timer shared[SHARED];
static _Atomic long starts, stops;

static void counts(void *arg)
{
	(void)arg;
	atomic_fetch_add(&runs, 1);
}

static void mover(uint64_t salt)
{
	uint64_t r = stress_rand(50 + salt);

	while (stress_more()) {
		goru_timer *t = &shared[grt_rand_below(&r, SHARED)];

		if (grt_rand_below(&r, 3)) {
			atomic_fetch_add(&starts, 1);
			CHECK_EQ(goru_timer_start(t, goru_in(grt_rand_below(&r, 50000)), 0, counts,
						  NULL),
				 0);
		} else if (goru_timer_stop(t) == 1) {
			atomic_fetch_add(&stops, 1);
		}
		stress_pause(&r, 50);
		if (grt_rand_below(&r, 50) == 0)
			CHECK_EQ(goru_sleep(grt_rand_below(&r, 100000)), 0);
	}
	goru_waitgroup_done(&wg);
}

static void *mover_thread(void *salt)
{
	mover((uint64_t)(uintptr_t)salt);
	return NULL;
}

static void test_move(void **state)
{
	(void)state;
	atomic_store(&runs, 0);
	atomic_store(&starts, 0);
	atomic_store(&stops, 0);
	crowd(mover, mover_thread, 8);
	for (int i = 0; i < SHARED; i++)
		if (goru_timer_stop(&shared[i]) == 1)
			atomic_fetch_add(&stops, 1);
	CHECK(atomic_load(&runs) + atomic_load(&stops) <= atomic_load(&starts));
}

/* Periodic ones whose functions take longer than the period, beside Ps that come and go and goroutines that block. */
struct beat {
	goru_timer timer;
	_Atomic long begun, ended;
};

static void beats(void *arg)
{
	struct beat *b = arg;

	atomic_fetch_add(&b->begun, 1);
	CHECK_EQ(goru_sleep(300000), 0);
	atomic_fetch_add(&b->ended, 1);
}

static void beater(uint64_t salt)
{
	uint64_t r = stress_rand(200 + salt);

	while (stress_more()) {
		static struct beat all[16];
		struct beat *b = &all[salt % 16];
		int64_t period = 20000 + grt_rand_below(&r, 200000);

		CHECK_EQ(goru_timer_start(&b->timer, goru_now(), period, beats, b), 0);
		UNTIL(atomic_load(&b->begun) >= 1);
		CHECK_EQ(goru_timer_stop(&b->timer), 1);
		CHECK_EQ(goru_timer_stop(&b->timer), 0);
		UNTIL(atomic_load(&b->begun) == atomic_load(&b->ended));
		if (grt_rand_below(&r, 4) == 0) {
			goru_block_enter();
			usleep(grt_rand_below(&r, 300));
			CHECK_EQ(goru_timer_start(&b->timer, goru_in(100000), 0, beats, b), 0);
			goru_block_exit();
			goru_timer_stop(&b->timer);
		}
	}
	goru_waitgroup_done(&wg);
}

static void *changes_procs(void *arg)
{
	uint64_t r = stress_rand((uint64_t)(uintptr_t)arg);

	while (stress_more()) {
		CHECK_EQ(goru_set_procs(1 + grt_rand_below(&r, 6)), 0);
		usleep(1 + grt_rand_below(&r, 2000));
	}
	CHECK_EQ(goru_set_procs(stress_procs()), 0);
	goru_waitgroup_done(&wg);
	return NULL;
}

static void test_periodic(void **state)
{
	(void)state;
	crowd(beater, changes_procs, 10);
}

/* The last reference goes while the time is being sent, before or after; by who received it, at once. */
static void ticker(uint64_t salt)
{
	uint64_t r = stress_rand(300 + salt);

	while (stress_more()) {
		int64_t begin = goru_now(), ns = grt_rand_below(&r, 100000), at = 0, last = 0;
		bool often = grt_rand_below(&r, 2);
		goru_chan *c = often ? goru_tick(ns + 1) : goru_after(ns);
		int n = often ? (int)grt_rand_below(&r, 4) : (int)grt_rand_below(&r, 2);

		CHECK(c);
		for (int i = 0; i < n; i++) {
			CHECK_EQ(goru_chan_recv(c, &at), 1);
			CHECK(at >= begin + ns && at > last && at <= goru_now());
			last = at;
		}
		if (grt_rand_below(&r, 2))
			stress_spin(grt_rand_below(&r, 100000));
		if (grt_rand_below(&r, 8) == 0)
			CHECK_EQ(goru_chan_close(c), 0);
		goru_chan_unref(c);
	}
	goru_waitgroup_done(&wg);
}

static void *ticker_thread(void *salt)
{
	ticker((uint64_t)(uintptr_t)salt);
	return NULL;
}

static void test_channels(void **state)
{
	(void)state;
	crowd(ticker, ticker_thread, 8);
}

/* Shutdown in the middle of it, with plain threads that start, stop and unref whatever the runtime does. */
static _Atomic bool over;

static void *through_shutdowns(void *salt)
{
	uint64_t r = stress_rand((uint64_t)(uintptr_t)salt);
	goru_timer *t[20] = { NULL };
	goru_chan *c[20] = { NULL };

	while (!atomic_load(&over)) {
		uint32_t i = grt_rand_below(&r, 20);
		int rc;

		if (t[i]) {
			rc = goru_timer_stop(t[i]);
			CHECK(rc == 0 || rc == 1);
			free(t[i]);
			goru_chan_unref(c[i]);
			t[i] = NULL;
			continue;
		}
		t[i] = calloc(1, sizeof(*t[i]));
		CHECK(t[i]);
		rc = goru_timer_start(t[i], goru_in(grt_rand_below(&r, 300000)),
				      grt_rand_below(&r, 2) * 50000, counts, NULL);
		CHECK(rc == 0 || rc == -ESHUTDOWN);
		c[i] = grt_rand_below(&r, 2) ? goru_tick(1 + grt_rand_below(&r, 50000)) :
					       goru_after(grt_rand_below(&r, 200000));
		stress_pause(&r, 100);
	}
	for (int i = 0; i < 20; i++) {
		if (t[i]) {
			goru_timer_stop(t[i]);
			free(t[i]);
			goru_chan_unref(c[i]);
		}
	}
	return NULL;
}

static void test_shutdown(void **state)
{
	uint64_t r = stress_rand(400);
	pthread_t t[2];

	(void)state;
	atomic_store(&over, false);
	for (uintptr_t i = 0; i < 2; i++)
		stress_thread(&t[i], through_shutdowns, (void *)(410 + i));
	while (stress_more()) {
		usleep(grt_rand_below(&r, 2000));
		CHECK_EQ(goru_shutdown(), 0);
	}
	atomic_store(&over, true);
	for (int i = 0; i < 2; i++)
		stress_join(t[i]);
	CHECK_EQ(goru_shutdown(), 0);
}

/* More than one look can take, most of them stopped: the others come when they are due. */
static void test_many(void **state)
{
	uint64_t r = stress_rand(500);

	(void)state;
	while (stress_more()) {
		int n = stress_many(20000);
		goru_timer *t = calloc((size_t)n, sizeof(*t));
		long stopped = 0;

		CHECK(t);
		atomic_store(&runs, 0);
		for (int i = 0; i < n; i++)
			CHECK_EQ(goru_timer_start(&t[i], goru_in(grt_rand_below(&r, 30000000)), 0,
						  counts, NULL),
				 0);
		for (int i = 0; i < n; i++)
			if (grt_rand_below(&r, 3))
				stopped += goru_timer_stop(&t[i]);
		free(t);
		UNTIL(atomic_load(&runs) == n - stopped);
	}
}

STRESS_MAIN("stress/timer", cmocka_unit_test(test_stop_and_free), cmocka_unit_test(test_move),
	    cmocka_unit_test(test_periodic), cmocka_unit_test(test_channels),
	    cmocka_unit_test(test_shutdown), cmocka_unit_test(test_many))
