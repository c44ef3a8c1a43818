/* steal.c - uneven work: every goroutine runs exactly once, whoever takes it, and idle workers take it. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

enum { N = 2000 };

static _Atomic uint8_t runs[N];
static goru_waitgroup wg;

static void work(int i)
{
	uint64_t r = stress_rand((uint64_t)i);

	CHECK_EQ(atomic_fetch_add_explicit(&runs[i], 1, memory_order_relaxed), 0);
	switch (grt_rand_below(&r, 8)) {
	case 0:
		stress_spin(20000);
		break;
	case 1:
		goru_yield();
		break;
	case 2:
		stress_pause(&r, 100);
		break;
	default:
		break;
	}
	CHECK_EQ(atomic_fetch_add_explicit(&runs[i], 1, memory_order_relaxed), 1);
	goru_waitgroup_done(&wg);
}

/* All made by one, so that all others have to steal. */
static void maker(void *arg)
{
	uint64_t r = stress_rand(77);

	(void)arg;
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, N - 1);

		for (int i = 0; i < n; i++)
			atomic_store_explicit(&runs[i], 0, memory_order_relaxed);
		goru_waitgroup_add(&wg, n);
		for (int i = 0; i < n; i++) {
			GO(work, i);
			if (grt_rand_below(&r, 100) == 0)
				goru_yield();
		}
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		for (int i = 0; i < n; i++)
			CHECK_EQ(atomic_load_explicit(&runs[i], memory_order_relaxed), 2);
	}
}

static void test_once(void **state)
{
	(void)state;
	CHECK_EQ(goru_run(maker, NULL), 0);
}

/*
 * A goroutine fills its own ring and computes until all of it has run: with two Ps that only comes to pass when another
 * worker steals every last one, the newest included. Order of events only, no clock.
 */
static _Atomic int done;

static void tick(void)
{
	atomic_fetch_add_explicit(&done, 1, memory_order_release);
}

static void hog(void *arg)
{
	uint64_t r = stress_rand(78);

	(void)arg;
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, 200);

		atomic_store(&done, 0);
		for (int i = 0; i < n; i++)
			GO(tick);
		while (atomic_load_explicit(&done, memory_order_acquire) < n)
			grt_relax();
	}
}

static void test_spread(void **state)
{
	(void)state;
	if (stress_procs() < 2)
		skip();
	CHECK_EQ(goru_run(hog, NULL), 0);
}

/*
 * Who was taken from a goroutine that computes keeps work of its own to itself and computes until it is done, and so on:
 * each in turn has to be taken from, and the last of their children may run on one worker only.
 */
static void compute(int depth, _Atomic int *up)
{
	enum { CHILDREN = 3 };
	_Atomic int down = 0;

	if (depth > 0) {
		for (int i = 0; i < CHILDREN; i++)
			GO(compute, i == 1 ? depth - 1 : 0, &down);
		while (atomic_load_explicit(&down, memory_order_acquire) < CHILDREN)
			grt_relax();
	}
	atomic_fetch_add_explicit(up, 1, memory_order_release);
}

static void chain(void *arg)
{
	unsigned depth = stress_procs() - 1 < 3 ? stress_procs() - 1 : 3;

	(void)arg;
	while (stress_more()) {
		_Atomic int top = 0;

		compute((int)depth, &top);
		CHECK_EQ(atomic_load(&top), 1);
	}
}

static void test_chain(void **state)
{
	(void)state;
	if (stress_procs() < 2)
		skip();
	CHECK_EQ(goru_run(chain, NULL), 0);
}

/* Several rings at once, each thief a victim: chains that fork now and then. */
static _Atomic int64_t left, born;

static void fork_chain(uint32_t seed)
{
	uint64_t r = seed;

	for (int i = 0; i < 2; i++) {
		if (atomic_fetch_sub_explicit(&left, 1, memory_order_relaxed) <= 0)
			break;
		atomic_fetch_add_explicit(&born, 1, memory_order_relaxed);
		goru_waitgroup_add(&wg, 1);
		GO(fork_chain, (uint32_t)grt_rand64(&r));
		if (grt_rand_below(&r, 4) == 0)
			goru_yield();
	}
	goru_waitgroup_done(&wg);
}

static void test_forks(void **state)
{
	uint64_t r = stress_rand(79);

	(void)state;
	while (stress_more()) {
		int64_t n = 1 + grt_rand_below(&r, (uint32_t)stress_many(5000));

		atomic_store(&left, n);
		atomic_store(&born, 0);
		goru_waitgroup_add(&wg, 1);
		GO(fork_chain, (uint32_t)grt_rand64(&r));
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		CHECK_EQ(atomic_load(&born), n);
	}
}

STRESS_MAIN("stress/steal", cmocka_unit_test(test_once), cmocka_unit_test(test_spread),
	    cmocka_unit_test(test_chain), cmocka_unit_test(test_forks))
