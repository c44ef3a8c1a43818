/* mutex.c - mutexes: exclusion, every form and result, nobody starves. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <unistd.h>

#include "lock.h"

static goru_mutex mu;
static int counter;

static void anew(void)
{
	memset(&mu, 0, sizeof(mu));
	counter = 0;
}

static void counts(void)
{
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		counter++;
		if (i % 64 == 0)
			goru_yield();
		goru_mutex_unlock(&mu);
	}
	goru_waitgroup_done(&wg);
}

static void one_at_a_time(void)
{
	pthread_t t[2];

	anew();
	start(8, counts);
	goru_waitgroup_add(&wg, 2);
	for (int i = 0; i < 2; i++)
		test_thread(&t[i], counts);
	all_ended();
	for (int i = 0; i < 2; i++)
		test_join(t[i]);
	CHECK_EQ(counter, 10000);
}

static void does_not_get_it(void)
{
	int64_t t = goru_now();

	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN);
	CHECK_EQ(goru_mutex_lock_until(&mu, 0), -ETIMEDOUT);
	CHECK_EQ(goru_mutex_lock_until(&mu, goru_in(3 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 3 * GORU_MSEC);
	goru_waitgroup_done(&wg);
}

static void mutex_forms(void)
{
	pthread_t t;

	anew();
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN); /* one's own, too */
	start(1, does_not_get_it);
	all_ended();
	goru_waitgroup_add(&wg, 1);
	test_thread(&t, does_not_get_it);
	test_join(t);
	goru_mutex_unlock(&mu);
	CHECK_EQ(goru_mutex_try_lock(&mu), 0);
	goru_mutex_unlock(&mu);
	CHECK_EQ(goru_mutex_lock_until(&mu, INT64_MIN), 0); /* free: taken, however late */
	goru_mutex_unlock(&mu);
	CHECK_EQ(goru_mutex_lock_until(&mu, GORU_FOREVER), 0);
	goru_mutex_unlock(&mu);
}

/* One who has waited for a millisecond is next, however quick the others are. */
static _Atomic bool got;

static void patient(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	atomic_store(&got, true);
	goru_mutex_unlock(&mu);
	goru_waitgroup_done(&wg);
}

static void nobody_starves(void)
{
	anew();
	atomic_store(&got, false);
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	start(1, patient);
	UNTIL(test_asleep() == 1);
	for (int64_t end = goru_in(20 * GORU_SEC); !atomic_load(&got) && goru_now() < end;) {
		goru_yield(); /* with the mutex: who is woken finds it taken */
		goru_mutex_unlock(&mu);
		CHECK_EQ(goru_mutex_lock(&mu), 0);
	}
	CHECK(atomic_load(&got));
	goru_mutex_unlock(&mu);
	all_ended();
}

static void locks_in_brackets(void)
{
	for (int i = 0; i < 200; i++) {
		goru_block_enter();
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		counter++;
		if (i % 16 == 0)
			usleep(20);
		goru_mutex_unlock(&mu);
		goru_block_exit();
	}
	goru_waitgroup_done(&wg);
}

static void without_a_p(void)
{
	anew();
	start(4, locks_in_brackets);
	start(1, counts);
	all_ended();
	CHECK_EQ(counter, 4 * 200 + 1000);
}

TEST_MAIN(TEST_BOTH(one_at_a_time), TEST_BOTH(mutex_forms), TEST_BOTH(nobody_starves),
	  TEST_BOTH(without_a_p))
