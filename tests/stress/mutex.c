/* mutex.c - mutexes: exclusion by every form, between brackets too, and one who is greedy keeps nobody out. */
/* SPDX-License-Identifier: MIT */
#include "lock.h"

/* Mutex: what it guards is counted without atomics. */
static goru_mutex mu;
static uint64_t inside, entries;
static _Atomic uint64_t entered;

static void excludes(uint64_t salt)
{
	uint64_t r = stress_rand(salt), n = 0;

	while (stress_more()) {
		bool mine;

		switch (grt_rand_below(&r, 4)) {
		case 0:
			mine = took(goru_mutex_try_lock(&mu));
			break;
		case 1:
			mine = took(goru_mutex_lock_until(&mu, soon(&r)));
			break;
		default:
			mine = took(goru_mutex_lock(&mu));
			break;
		}
		if (!mine) {
			dally(&r);
			continue;
		}
		CHECK_EQ(inside++, 0);
		entries++;
		dally(&r);
		CHECK_EQ(--inside, 0);
		goru_mutex_unlock(&mu);
		n++;
		dally(&r);
	}
	atomic_fetch_add(&entered, n);
}

static void test_mutex(void **state)
{
	static const goru_mutex nobody;

	(void)state;
	together(excludes);
	CHECK_EQ(entries, atomic_load(&entered));
	CHECK(!memcmp(&mu, &nobody, sizeof(mu)) || goru_mutex_try_lock(&mu) == 0);
}

/* The same within brackets: who has no P locks, waits and unlocks all the same. */
static void in_brackets(uint64_t salt)
{
	uint64_t r = stress_rand(100 + salt);

	while (stress_more()) {
		goru_block_enter();
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		CHECK_EQ(inside++, 0);
		if (grt_rand_below(&r, 8) == 0)
			usleep(grt_rand_below(&r, 50));
		CHECK_EQ(--inside, 0);
		goru_mutex_unlock(&mu);
		goru_block_exit();
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		CHECK_EQ(inside++, 0);
		dally(&r);
		CHECK_EQ(--inside, 0);
		goru_mutex_unlock(&mu);
	}
}

static void test_brackets(void **state)
{
	(void)state;
	memset(&mu, 0, sizeof(mu));
	inside = 0;
	together(in_brackets);
}

/* One who holds it almost all the time cannot keep another out. */
static _Atomic uint64_t turns[2];

static void greedy(uint64_t salt)
{
	while (more_turns(turns)) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		stress_spin(10000);
		if (salt == 0)
			goru_yield();
		goru_mutex_unlock(&mu);
		atomic_fetch_add(&turns[0], 1);
	}
	goru_waitgroup_done(&all);
}

static void modest(void)
{
	while (more_turns(turns)) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		goru_mutex_unlock(&mu);
		atomic_fetch_add(&turns[1], 1);
		goru_sleep(50 * GORU_USEC);
	}
	goru_waitgroup_done(&all);
}

static void test_greedy(void **state)
{
	(void)state;
	goru_waitgroup_add(&all, 2);
	GO(greedy, 0);
	GO(modest);
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
}

STRESS_MAIN("stress/mutex", cmocka_unit_test(test_mutex), cmocka_unit_test(test_brackets),
	    cmocka_unit_test(test_greedy))
