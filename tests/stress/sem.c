/* sem.c - semaphores: so many at once and no more, and no unit is lost. */
/* SPDX-License-Identifier: MIT */
#include "lock.h"

static goru_sem sem;
enum { UNITS = 3 };
static _Atomic int holding;

static void holds_units(uint64_t salt)
{
	uint64_t r = stress_rand(500 + salt);

	while (stress_more()) {
		int n = 0, want = 1 + (int)grt_rand_below(&r, 2);

		while (n < want) {
			int rc = n || grt_rand_below(&r, 4) == 0 ? goru_sem_try_wait(&sem) :
				 grt_rand_below(&r, 2) ? goru_sem_wait_until(&sem, soon(&r)) :
							 goru_sem_wait(&sem);

			if (!took(rc))
				break;
			n++;
		}
		CHECK(atomic_fetch_add(&holding, n) + n <= UNITS);
		dally(&r);
		atomic_fetch_sub(&holding, n);
		if (n)
			goru_sem_post(&sem, (unsigned)n);
	}
}

static void test_sem(void **state)
{
	int n = 0;

	(void)state;
	goru_sem_post(&sem, UNITS);
	together(holds_units);
	while (goru_sem_try_wait(&sem) == 0)
		n++;
	CHECK_EQ(n, UNITS);
}

STRESS_MAIN("stress/sem", cmocka_unit_test(test_sem))
