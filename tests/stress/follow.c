/* follow.c - the CPUs change at random under load, beside goru_set_procs and shutdown; nothing queued is lost. */
/* SPDX-License-Identifier: MIT */
/* test: procs=4 wrap=grt_os_cpus,grt_os_cpus_again */
#include "stress.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"

enum { LOAD = 12, MAX = 12 };

static _Atomic unsigned cpus = 2, looks;

unsigned __wrap_grt_os_cpus(void);
unsigned __wrap_grt_os_cpus_again(struct os_cpus *seen);

unsigned __wrap_grt_os_cpus(void)
{
	return atomic_load(&cpus);
}

unsigned __wrap_grt_os_cpus_again(struct os_cpus *seen)
{
	static uint64_t rand = 1; /* the monitor's */
	unsigned n = atomic_load(&cpus);

	(void)seen;
	atomic_fetch_add(&looks, 1);
	stress_pause(&rand, 1000); /* it may be old by the time it is used */
	return n;
}

static goru_waitgroup wg;
static _Atomic bool over;
static _Atomic int begun, ended;

static void child(int64_t ns)
{
	int64_t end = goru_in(ns);

	CHECK_EQ(goru_sleep_until(end), 0);
	CHECK(goru_now() >= end);
	atomic_fetch_add(&ended, 1);
	goru_waitgroup_done(&wg);
}

static void load(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	while (!atomic_load(&over)) {
		goru_waitgroup_add(&wg, 1);
		atomic_fetch_add(&begun, 1);
		GO(child, (int64_t)grt_rand_below(&r, 300000));
		stress_spin(grt_rand_below(&r, 50000));
		if (grt_rand_below(&r, 4) == 0)
			(void)goru_sleep((int64_t)grt_rand_below(&r, 200000));
		else
			goru_yield();
	}
	goru_waitgroup_done(&wg);
}

static void start(void)
{
	atomic_store(&cpus, 2);
	CHECK_EQ(goru_init(NULL), 0);
	atomic_store(&over, false);
	goru_waitgroup_add(&wg, LOAD);
	for (uint64_t i = 0; i < LOAD; i++)
		GO(load, i);
}

static void finish(void)
{
	atomic_store(&over, true);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(atomic_load(&begun), atomic_load(&ended));
	stress_progress();
}

static void *changer(void *arg)
{
	uint64_t r = stress_rand((uint64_t)(uintptr_t)arg);

	while (!atomic_load(&over)) {
		atomic_store(&cpus, 1 + grt_rand_below(&r, MAX));
		usleep(grt_rand_below(&r, 3000));
	}
	return NULL;
}

static void test_under_load(void **state)
{
	pthread_t t;

	(void)state;
	start();
	stress_thread(&t, changer, (void *)7);
	while (stress_more())
		usleep(1000);
	atomic_store(&over, true);
	stress_join(t);
	/* the load has yet to see it, or another runs meanwhile: the monitor is awake */
	atomic_store(&over, false);
	goru_waitgroup_add(&wg, 1);
	GO(load, 99);
	atomic_store(&cpus, 5);
	STRESS_UNTIL(goru_procs() == 5);
	CHECK(atomic_load(&looks) > 0);
	finish();
	CHECK_EQ(goru_shutdown(), 0);
}

/* What was set by hand stays, whatever was under way. */
static void test_beside_set_procs(void **state)
{
	uint64_t r = stress_rand(8);

	(void)state;
	while (stress_more()) {
		unsigned n = 1 + grt_rand_below(&r, MAX);
		pthread_t t;

		start();
		stress_thread(&t, changer, (void *)9);
		usleep(grt_rand_below(&r, 5000));
		CHECK_EQ(goru_set_procs(n), 0);
		for (int i = 0; i < 5; i++) {
			CHECK_EQ(goru_procs(), n);
			usleep(grt_rand_below(&r, 2000));
		}
		atomic_store(&over, true);
		stress_join(t);
		finish();
		CHECK_EQ(goru_procs(), n);
		CHECK_EQ(goru_shutdown(), 0);
	}
}

static void test_beside_shutdown(void **state)
{
	uint64_t r = stress_rand(10);

	(void)state;
	while (stress_more()) {
		pthread_t t;

		start();
		stress_thread(&t, changer, (void *)11);
		usleep(grt_rand_below(&r, 4000));
		finish();
		CHECK_EQ(goru_shutdown(), 0);
		stress_join(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_under_load),
		cmocka_unit_test(test_beside_set_procs),
		cmocka_unit_test(test_beside_shutdown),
	};
	char words[256];
	const char *debug = getenv("GORU_DEBUG");

	(void)snprintf(words, sizeof(words), "%s%sfollow=1", debug ? debug : "", debug ? "," : "");
	setenv("GORU_DEBUG", words, 1);
	unsetenv("GORU_PROCS");
	return stress_main("follow", tests, 3);
}
