/* plain.c - how a plain thread waits: ready before and during, deadline, cancel, drain. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "os/os.h"
#include "rt/plain.h"

static struct waiter *begin(void)
{
	static struct waiter w;

	w = (struct waiter){ .won = -1 };
	grt_waiter_begin(&w, NULL);
	grt_plain_enter();
	return &w;
}

static void ready_before_the_wait(void)
{
	struct waiter *w = begin();

	CHECK(grt_waiter_claim(w, END_READY));
	grt_plain_ready(w);
	CHECK_EQ(grt_plain_wait(w, INT64_MAX), END_READY);
	grt_plain_leave();
}

static void deadline_comes(void)
{
	int64_t t = grt_os_now();
	const int64_t at[] = { t + 20 * GORU_MSEC, t, 0, INT64_MIN };

	for (size_t i = 0; i < grt_countof(at); i++) {
		struct waiter *w = begin();

		CHECK_EQ(grt_plain_wait(w, at[i]), END_TIMEDOUT);
		CHECK(grt_os_now() >= at[i]);
		grt_plain_leave();
	}
}

static struct waiter *_Atomic sleeper;
static _Atomic int ended = -1;

static void sleep_there(void)
{
	struct waiter w = { .won = -1 };

	grt_waiter_begin(&w, NULL);
	grt_plain_enter();
	atomic_store(&sleeper, &w);
	atomic_store(&ended, grt_plain_wait(&w, INT64_MAX));
	atomic_store(&sleeper, NULL);
	grt_plain_leave();
}

static void ready_during_the_wait(void)
{
	pthread_t t;

	atomic_store(&ended, -1);
	test_thread(&t, sleep_there);
	UNTIL(atomic_load(&sleeper));
	for (int i = 0; i < 50; i++)
		test_nap();
	CHECK_EQ(atomic_load(&ended), -1);
	grt_plain_ready(atomic_load(&sleeper));
	test_join(t);
	CHECK_EQ(atomic_load(&ended), END_READY);
}

/* All that are inside when drain begins, also those that begin to wait only then; who comes later is not meant. */
static void drain_cancels_those_that_wait(void)
{
	struct waiter *w;
	pthread_t t[3];

	for (int i = 0; i < 3; i++) {
		atomic_store(&ended, -1);
		atomic_store(&sleeper, NULL);
		test_thread(&t[i], sleep_there);
		UNTIL(atomic_load(&sleeper));
	}
	grt_plain_drain();
	for (int i = 0; i < 3; i++)
		test_join(t[i]);
	CHECK_EQ(atomic_load(&ended), END_CANCELED);
	w = begin();
	CHECK_EQ(grt_plain_wait(w, grt_os_now() + GORU_MSEC), END_TIMEDOUT);
	grt_plain_leave();
}

static _Atomic int step;

static void be_inside(void)
{
	grt_plain_enter();
	atomic_store(&step, 1);
	for (int i = 0; i < 100; i++)
		test_nap();
	atomic_store(&step, 2);
	grt_plain_leave();
}

static void drain_waits_for_those_inside(void)
{
	pthread_t t;

	grt_plain_drain(); /* nobody */
	atomic_store(&step, 0);
	test_thread(&t, be_inside);
	UNTIL(atomic_load(&step));
	grt_plain_drain();
	CHECK_EQ(atomic_load(&step), 2);
	test_join(t);
}

/* One who sleeps in goru is not inside: drain would wait for ever. */
static void drain_does_not_wait_for_sleepers(void)
{
	pthread_t t;

	test_thread(&t, sleep_there);
	UNTIL(atomic_load(&sleeper));
	UNTIL(test_asleep() == 1);
	grt_plain_drain();
	test_join(t);
}

static struct waiter claimed;

static void readies_it_late(void)
{
	for (int i = 0; i < 50; i++)
		test_nap();
	grt_plain_ready(&claimed);
}

/* It gives up, finds that it was claimed, and waits for the claimer's last touch. */
static void claimed_before_it_gave_up(void)
{
	pthread_t t;

	claimed = (struct waiter){ .won = -1 };
	grt_waiter_begin(&claimed, NULL);
	CHECK(grt_waiter_claim(&claimed, END_READY));
	test_thread(&t, readies_it_late);
	grt_plain_enter();
	CHECK_EQ(grt_plain_wait(&claimed, 0), END_READY);
	grt_plain_leave();
	test_join(t);
}

/* And the other way round: who comes too late to claim finds it ended. */
static void gave_up_before_it_was_claimed(void)
{
	struct waiter *w = begin();

	CHECK_EQ(grt_plain_wait(w, 0), END_TIMEDOUT);
	CHECK(!grt_waiter_claim(w, END_READY));
	CHECK_EQ(grt_waiter_ending(w), END_TIMEDOUT);
	grt_plain_leave();
}

TEST_MAIN(TEST(ready_before_the_wait), TEST(deadline_comes), TEST(ready_during_the_wait),
	  TEST(drain_cancels_those_that_wait), TEST(drain_waits_for_those_inside),
	  TEST(drain_does_not_wait_for_sleepers), TEST(claimed_before_it_gave_up),
	  TEST(gave_up_before_it_was_claimed))
