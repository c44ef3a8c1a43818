/* sem.c - semaphores: every form and result, first come first served. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include "lock.h"

static goru_sem sem;
static _Atomic int order;

static void anew(void)
{
	memset(&sem, 0, sizeof(sem));
	atomic_store(&order, 0);
}

static void takes_a_unit(int number)
{
	CHECK_EQ(goru_sem_wait(&sem), 0);

	int before = atomic_load(&order);

	while (!atomic_compare_exchange_weak(&order, &before, before * 10 + number))
		;
	goru_waitgroup_done(&wg);
}

static void sem_forms(void)
{
	int64_t t;

	anew();
	sem = (goru_sem)GORU_SEM_INIT(2);
	CHECK_EQ(goru_sem_wait(&sem), 0);
	CHECK_EQ(goru_sem_try_wait(&sem), 0);
	CHECK_EQ(goru_sem_try_wait(&sem), -EAGAIN);
	CHECK_EQ(goru_sem_wait_until(&sem, INT64_MIN), -ETIMEDOUT);
	t = goru_now();
	CHECK_EQ(goru_sem_wait_until(&sem, goru_in(3 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 3 * GORU_MSEC);
	goru_sem_post(&sem, 0);
	CHECK_EQ(goru_sem_try_wait(&sem), -EAGAIN);
	goru_sem_post(&sem, 3);
	CHECK_EQ(goru_sem_wait_until(&sem, INT64_MIN), 0);
	CHECK_EQ(goru_sem_wait_until(&sem, GORU_FOREVER), 0);
	CHECK_EQ(goru_sem_wait(&sem), 0);
	goru_sem_post(&sem, INT32_MAX);
	CHECK_EQ(goru_sem_try_wait(&sem), 0);
	goru_sem_post(&sem, 1);
}

static void first_come_first_served(void)
{
	unsigned n = goru_procs();

	anew();
	CHECK_EQ(goru_set_procs(1),
		 0); /* so that the order they run in is the order they are served in */
	for (int i = 1; i <= 4; i++) {
		goru_waitgroup_add(&wg, 1);
		CHECK_EQ(go(takes_a_unit, i), 0);
		UNTIL(test_asleep() == i);
	}
	for (int i = 0; i < 2; i++) {
		goru_sem_post(&sem, 1);
		UNTIL(test_alive() == 3 - i);
	}
	CHECK_EQ(goru_sem_try_wait(&sem), -EAGAIN); /* units go to those who wait */
	goru_sem_post(&sem, 3);
	all_ended();
	CHECK_EQ(atomic_load(&order), 1234);
	CHECK_EQ(goru_sem_try_wait(&sem), 0); /* what was left */
	CHECK_EQ(goru_sem_try_wait(&sem), -EAGAIN);
	CHECK_EQ(goru_set_procs(n), 0);
}

TEST_MAIN(TEST_BOTH(sem_forms), TEST_BOTH(first_come_first_served))
