/* once.c - once: its function runs once, everybody waits for it, and it may not do itself. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include "lock.h"

static goru_once once;
static int counter;

static void anew(void)
{
	memset(&once, 0, sizeof(once));
	counter = 0;
}

static void makes(void *arg)
{
	goru_sleep(2 * GORU_MSEC);
	*(int *)arg += 1;
}

static void all_need_it(void)
{
	goru_once_do(&once, makes, &counter);
	CHECK_EQ(counter, 1);
	goru_waitgroup_done(&wg);
}

static void runs_once(void)
{
	pthread_t t[2];

	anew();
	start(6, all_need_it);
	goru_waitgroup_add(&wg, 2);
	for (int i = 0; i < 2; i++)
		test_thread(&t[i], all_need_it);
	all_ended();
	for (int i = 0; i < 2; i++)
		test_join(t[i]);
	goru_once_do(&once, makes, &counter);
	CHECK_EQ(counter, 1);
}

TEST_MAIN(TEST_BOTH(runs_once))
