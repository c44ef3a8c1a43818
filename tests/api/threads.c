/* threads.c - plain threads among goroutines: on both ends of a channel, and ending with things held. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>

#include "test.h"

GORU_CHAN_OF(ints, int);

static goru_waitgroup wg;

static ints *shared;
static _Atomic long sum;

static void thread_sends(void)
{
	for (int i = 1; i <= 300; i++)
		CHECK_EQ(ints_send(shared, i), 0);
}

static void thread_receives(void)
{
	int v;

	while (ints_recv(shared, &v) > 0)
		atomic_fetch_add(&sum, v);
}

static void receives(void)
{
	thread_receives();
	goru_waitgroup_done(&wg);
}

static void threads_and_goroutines(void)
{
	for (size_t cap = 0; cap < 3; cap++) {
		pthread_t t[4];

		shared = ints_make(cap);
		atomic_store(&sum, 0);
		goru_waitgroup_add(&wg, 2);
		CHECK_EQ(go(receives), 0);
		CHECK_EQ(go(receives), 0);
		for (int i = 0; i < 4; i++)
			test_thread(&t[i], i < 2 ? thread_sends : thread_receives);
		RUN_ON_GOROUTINE(thread_sends);
		for (int i = 0; i < 2; i++)
			test_join(t[i]); /* these threads are gone; what they sent is not */
		CHECK_EQ(ints_close(shared), 0);
		for (int i = 2; i < 4; i++)
			test_join(t[i]);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		CHECK_EQ(atomic_load(&sum), 3 * 300 * 301 / 2);
		ints_unref(shared);
	}
}

/* Threads that end holding something: a reference, a count, a bracket, a goroutine they started. */
static void leaves_things(void)
{
	int v = 5;

	CHECK(ints_ref(shared) == shared);
	goru_waitgroup_add(&wg, 1);
	goru_block_enter();
	CHECK_EQ(ints_send(shared, v), 0);
	CHECK_EQ(go(receives), 0);
	pthread_exit(NULL);
}

static void threads_that_end_take_nothing_along(void)
{
	pthread_t t[8];

	shared = ints_make(8);
	atomic_store(&sum, 0);
	for (int i = 0; i < 8; i++)
		test_thread(&t[i], leaves_things);
	for (int i = 0; i < 8; i++)
		test_join(t[i]);
	CHECK_EQ(ints_close(shared), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0); /* what they started goes on */
	CHECK_EQ(atomic_load(&sum), 40);
	for (int i = 0; i < 9; i++)
		ints_unref(shared);
}

TEST_MAIN(TEST(threads_and_goroutines), TEST(threads_that_end_take_nothing_along))
