/* shutdown.c - start, load of every kind, shutdown, again: everyone gets an answer, channels survive, nothing stays. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "stress.h"

#include <errno.h>
#include <unistd.h>

enum { THREADS = 4, LOAD = 30 };

static goru_chan *c, *never;
static goru_waitgroup group; /* never zero while goroutines wait on it */
static _Atomic bool over;

/* What a goroutine does until it is dropped. */
static void load(uint64_t salt)
{
	uint64_t r = stress_rand(salt), v = 1;
	goru_case k[3];

	for (;;) {
		switch (grt_rand_below(&r, 14)) {
		case 0:
			goru_sleep(grt_rand_below(&r, 200000));
			break;
		case 1:
			goru_sleep(3600 * GORU_SEC);
			break;
		case 2:
			(void)goru_chan_recv(never, &v);
			break;
		case 3:
			(void)goru_chan_send(c, &v);
			break;
		case 4:
			(void)goru_chan_recv_until(c, &v, goru_in(grt_rand_below(&r, 200000)));
			break;
		case 5:
			k[0] = GORU_RECV(never, &v);
			k[1] = GORU_SEND(c, &v);
			k[2] = GORU_RECV(c, &v);
			(void)goru_select_until(k, 3, goru_in(grt_rand_below(&r, 200000)));
			break;
		case 6:
			(void)goru_select(k, 0);
			break;
		case 7:
			CHECK_EQ(goru_waitgroup_wait_until(&group,
							   goru_in(grt_rand_below(&r, 200000))),
				 -ETIMEDOUT);
			break;
		case 8:
			goru_blocking(usleep(grt_rand_below(&r, 300)));
			break;
		case 9: {
			int rc = go(load, grt_rand64(&r));

			CHECK(rc == 0 || rc == -ESHUTDOWN);
			return;
		}
		case 10:
			stress_spin(grt_rand_below(&r, 50000));
			break;
		case 11:
			goru_block_enter();
			return;
		default:
			goru_yield();
			break;
		}
	}
}

/* A plain thread that does not know when the runtime is on. Every wait has a deadline or may be cancelled. */
static void *outsider(void *arg)
{
	uint64_t r = stress_rand(100 + (uint64_t)(uintptr_t)arg), v = 1;
	goru_case k[2];

	while (!atomic_load(&over)) {
		int rc = 0;

		switch (grt_rand_below(&r, 9)) {
		case 0:
			rc = goru_chan_send_until(c, &v, goru_in(grt_rand_below(&r, 300000)));
			break;
		case 1:
			rc = goru_chan_recv_until(c, &v, goru_in(grt_rand_below(&r, 300000)));
			break;
		case 2:
			k[0] = GORU_RECV(never, &v);
			k[1] = grt_rand_below(&r, 2) ? GORU_RECV(c, &v) : GORU_SEND(c, &v);
			rc = goru_select_until(k, 2, goru_in(grt_rand_below(&r, 300000)));
			break;
		case 3:
			rc = goru_sleep(grt_rand_below(&r, 300000));
			break;
		case 4:
			rc = goru_waitgroup_wait_until(&group, goru_in(grt_rand_below(&r, 300000)));
			break;
		case 5:
			/* starts the runtime, if it is off */
			rc = go(load, grt_rand64(&r));
			break;
		case 6:
			rc = goru_set_procs(1 + grt_rand_below(&r, 4));
			break;
		case 7:
			goru_yield();
			break;
		default:
			rc = goru_chan_try_send(c, &v);
			break;
		}
		CHECK(rc >= 0 || rc == -ETIMEDOUT || rc == -ECANCELED || rc == -EAGAIN ||
		      rc == -ESHUTDOWN);
		stress_pause(&r, 300);
	}
	return NULL;
}

/* The channels that dropped goroutines waited on work as before, and hold no trace of them. */
static void check_channels(void)
{
	uint64_t v = 1;

	CHECK_EQ(goru_chan_close(never), 0);
	CHECK_EQ(goru_chan_recv(never, &v), 0);
	goru_chan_unref(never);
	CHECK_EQ(goru_chan_close(c), 0);
	while (goru_chan_recv(c, &v) > 0)
		;
	goru_chan_unref(c);
	goru_waitgroup_done(&group);
	CHECK_EQ(goru_waitgroup_wait(&group), 0);
}

static void rounds(int threads)
{
	uint64_t r = stress_rand((uint64_t)threads);

	while (stress_more()) {
		pthread_t t[THREADS];

		c = goru_chan_make(8, grt_rand_below(&r, 3));
		never = goru_chan_make(8, 0);
		goru_waitgroup_add(&group, 1);
		atomic_store(&over, false);
		for (int i = 0; i < threads; i++)
			stress_thread(&t[i], outsider, (void *)(uintptr_t)i);
		for (int k = 0; k < 3; k++) {
			int n = (int)grt_rand_below(&r, LOAD);

			for (int i = 0; i < n; i++)
				GO(load, grt_rand64(&r));
			usleep(grt_rand_below(&r, 4) ? grt_rand_below(&r, 3000) : 0);
			CHECK_EQ(goru_shutdown(), 0);
			stress_progress();
		}
		atomic_store(&over, true);
		for (int i = 0; i < threads; i++)
			stress_join(t[i]);
		CHECK_EQ(goru_shutdown(), 0); /* an outsider may have started it again */
		check_channels();
	}
}

static void test_alone(void **state)
{
	(void)state;
	rounds(0);
}

static void test_with_threads(void **state)
{
	(void)state;
	rounds(THREADS);
}

/* Plain threads that wait for ever get -ECANCELED: those that were seen to wait before. */
static void *for_ever(void *arg)
{
	unsigned how = (unsigned)(uintptr_t)arg;
	goru_case k[2] = { GORU_RECV(never, NULL), GORU_RECV(c, NULL) };

	switch (how % 4) {
	case 0:
		return (void *)(intptr_t)goru_chan_recv(never, NULL);
	case 1:
		return (void *)(intptr_t)goru_select(k, 2);
	case 2:
		return (void *)(intptr_t)goru_waitgroup_wait(&group);
	default:
		return (void *)(intptr_t)goru_sleep_until(GORU_FOREVER);
	}
}

static void nothing(void) {}

static void test_canceled(void **state)
{
	(void)state;
	while (stress_more()) {
		pthread_t t[THREADS];

		c = goru_chan_make(8, 0);
		never = goru_chan_make(8, 0);
		goru_waitgroup_add(&group, 1);
		GO(nothing);
		for (uintptr_t i = 0; i < THREADS; i++)
			stress_thread(&t[i], for_ever, (void *)i);
		/* whoever begins to wait too late is met by the next one */
		for (int i = 0; i < THREADS; i++) {
			void *result = NULL;

			for (;;) {
				GO(nothing);
				CHECK_EQ(goru_shutdown(), 0);
				if (pthread_tryjoin_np(t[i], &result) == 0)
					break;
				usleep(200);
			}
			CHECK_EQ((intptr_t)result, -ECANCELED);
			stress_progress();
		}
		check_channels();
	}
}

/* Ps that end with much in private, while others look for work and watch them. */
static void litter(int depth)
{
	for (int i = 0; i < 40 && depth > 0; i++) {
		int rc = go(litter, depth - 1);

		CHECK(rc == 0 || rc == -ESHUTDOWN);
	}
	stress_spin(depth ? 40000 : 1000);
}

static void test_full(void **state)
{
	uint64_t r = stress_rand(200);

	(void)state;
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, 3);

		for (int i = 0; i < n; i++)
			GO(litter, 2);
		usleep(grt_rand_below(&r, 1500));
		CHECK_EQ(goru_shutdown(), 0);
	}
}

STRESS_MAIN("stress/shutdown", cmocka_unit_test(test_alone), cmocka_unit_test(test_with_threads),
	    cmocka_unit_test(test_canceled), cmocka_unit_test(test_full))
