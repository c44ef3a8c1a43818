/* hang.c - GORU_DEBUG=hang=S and the tests' own watchdog: what stands still is reported with the list of goroutines. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static void waits_for_nobody(void *arg)
{
	goru_chan *never = goru_chan_make(0, 0);

	(void)arg;
	goru_chan_recv(never, NULL);
}

static void *sleeps(void *arg)
{
	pause();
	return arg;
}

static void hangs(void)
{
	pthread_t other;

	setenv("GORU_DEBUG", "hang=1", 1);
	pthread_create(&other, NULL, sleeps, NULL); /* it might wake somebody: no deadlock */
	goru_run(waits_for_nobody, NULL);
}

static void hang_is_reported(void)
{
	static struct test_end child;

	test_child(hangs, &child);
	CHECK(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGABRT);
	CHECK(!strncmp(child.err,
		       "goru: fatal: hang: no goroutine has been run for 1 s\n"
		       "goroutine 1 [waiting: chan recv",
		       84)); /* its age may be just below the second that is shown */
}

static void moves(void *arg)
{
	(void)arg;
	for (int i = 0; i < 120; i++)
		goru_sleep(50 * GORU_MSEC);
}

static void moves_slowly(void)
{
	setenv("GORU_DEBUG", "hang=5", 1); /* a busy machine may hold all up for seconds */
	CHECK_EQ(goru_run(moves, NULL), 0);
}

static void what_moves_is_no_hang(void)
{
	CHECK_LIVES(moves_slowly, "");
}

/* The watchdog of these tests, too. */
static void stands_still(void)
{
	goru_attr a = { .name = "stuck" };

	CHECK_EQ(goru_go_attr(&a, waits_for_nobody, NULL), 0);
	UNTIL(test_asleep() == 1);
	test_watch("that stands still", 1);
	pause();
}

static void watchdog_lists_goroutines(void)
{
	static struct test_end child;

	test_child(stands_still, &child);
	CHECK(strstr(child.err, "goru: fatal: test that stands still makes no progress\n"));
	CHECK(strstr(child.err, "goroutine 1 (stuck) [waiting: chan recv"));
}

TEST_MAIN(TEST(hang_is_reported), TEST(what_moves_is_no_hang), TEST(watchdog_lists_goroutines))
