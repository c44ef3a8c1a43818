/* spin.c - the spin lock keeps others out, and its waiters give the CPU away. */
/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "test.h"

#include "base/spin.h"
#include "os/os.h"

enum { THREADS = 4, ROUNDS = 300000 };

static struct spin lock = GRT_SPIN(LOCK_CHAN);
static long counter; /* under lock */
static _Atomic int inside;

static void try_tells(void)
{
	struct spin s = GRT_SPIN(LOCK_CHAN);

	CHECK(grt_spin_try(&s));
	CHECK(!grt_spin_try(&s));
	grt_spin_unlock(&s);
	CHECK(grt_spin_try(&s));
	grt_spin_unlock(&s);
	grt_spin_lock(&s);
	CHECK(!grt_spin_try(&s));
	grt_spin_unlock(&s);
}

static void count(void)
{
	uint64_t r = (uint64_t)pthread_self();
	int together = 0;

	for (int i = 0; i < ROUNDS; i++) {
		grt_spin_lock(&lock);
		together += atomic_fetch_add_explicit(&inside, 1, memory_order_relaxed);
		counter++;
		atomic_fetch_sub_explicit(&inside, 1, memory_order_relaxed);
		grt_spin_unlock(&lock);
		/* others come to a free lock, too, and at the same moment */
		for (uint64_t k = test_rand(&r) % 8; k > 0; k--)
			grt_relax();
	}
	CHECK_EQ(together, 0);
}

static void keeps_others_out(void)
{
	pthread_t t[THREADS];

	counter = 0;
	for (int i = 0; i < THREADS; i++)
		test_thread(&t[i], count);
	for (int i = 0; i < THREADS; i++)
		test_join(t[i]);
	CHECK_EQ(counter, THREADS * ROUNDS);
}

static int64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static _Atomic int64_t waited, burnt;
static _Atomic bool waiting;

static void wait_for_it(void)
{
	int64_t t = grt_os_now(), c = cpu_time();

	atomic_store(&waiting, true);
	grt_spin_lock(&lock);
	grt_spin_unlock(&lock);
	atomic_store(&waited, grt_os_now() - t);
	atomic_store(&burnt, cpu_time() - c);
}

/* A holder that the OS took its CPU from: who waits must not burn its own meanwhile. */
static void waiter_gives_its_cpu_away(void)
{
	pthread_t t;
	struct timespec ts = { 0, 200000000 };

	grt_spin_lock(&lock);
	test_thread(&t, wait_for_it);
	UNTIL(atomic_load(&waiting));
	nanosleep(&ts, NULL);
	grt_spin_unlock(&lock);
	test_join(t);
	CHECK(atomic_load(&waited) > 100000000);
	CHECK(atomic_load(&burnt) < atomic_load(&waited) / 2);
}

static void pause_sleeps_in_the_end(void)
{
	int64_t t = grt_os_now();

	grt_spin_pause(0);
	grt_spin_pause(150);
	grt_spin_pause(1000);
	CHECK(grt_os_now() - t >= 50000);
}

TEST_MAIN(TEST(try_tells), TEST(keeps_others_out), TEST(waiter_gives_its_cpu_away),
	  TEST(pause_sleeps_in_the_end))
