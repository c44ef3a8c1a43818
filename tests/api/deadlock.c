/* deadlock.c - the deadlock report: when nobody can wake anybody any more, and only then. */
/* SPDX-License-Identifier: MIT */
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"

static goru_chan *c;

static void waits(void *arg)
{
	goru_chan_recv(arg ? (goru_chan *)arg : c, NULL);
}

static void two_wait(void *arg)
{
	goru_attr a = { .name = "other" };

	CHECK_EQ(goru_go_attr(&a, waits, NULL), 0);
	waits(arg);
}

static void deadlocks(void)
{
	c = goru_chan_make(0, 0);
	goru_run(two_wait, NULL);
}

static bool exact(void)
{
	/* other threads: the sanitizer's, the emulator's */
	return !GRT_TSAN_ON && !test_emulated();
}

static void is_reported(void)
{
	static struct test_end e;
	static const char line[] = "goru: fatal: all goroutines are asleep - deadlock!\n";

	if (!exact())
		return;
	test_child(deadlocks, &e);
	CHECK(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 2);
	CHECK(!strncmp(e.err, line, strlen(line)));
	test_drop_ages(e.err);
	CHECK(strstr(e.err, "\ngoroutine 1 [waiting: chan recv]\n"));
	CHECK(strstr(e.err, "(other) [waiting: chan recv]\n"));
	CHECK(strstr(e.err, "started by two_wait+0x"));
}

static void *waits_too(void *arg)
{
	(void)!goru_chan_recv(c, NULL);
	return arg;
}

static void deadlocks_with_a_thread(void)
{
	pthread_t t;

	c = goru_chan_make(0, 0);
	pthread_create(&t, NULL, waits_too, NULL);
	UNTIL(test_asleep() == 1);
	goru_run(two_wait, NULL);
}

static void a_thread_that_waits_is_no_help(void)
{
	static struct test_end e;

	if (!exact())
		return;
	test_child(deadlocks_with_a_thread, &e);
	CHECK(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 2);
}

static int asked;

static void on_deadlock(void *arg)
{
	CHECK(arg == &asked);
	asked++;
}

static void nothing(void *arg)
{
	(void)arg;
}

/* The one that waited goes on when it is let, and its end is not that of a later run. */
static void second(void *arg)
{
	CHECK_EQ(goru_chan_close(c), 0);
	UNTIL(test_alive() == 0);
	*(int *)arg = 1;
}

static void program_is_asked(void)
{
	goru_config cfg = GORU_CONFIG_INIT;
	int done = 0;

	cfg.on_deadlock = on_deadlock;
	cfg.on_deadlock_arg = &asked;
	CHECK_EQ(goru_init(&cfg), 0);
	c = goru_chan_make(0, 0);
	CHECK_EQ(goru_run(waits, NULL), -EDEADLK);
	CHECK_EQ(asked, 1);
	CHECK_EQ(goru_run(two_wait, NULL), -EDEADLK);
	CHECK_EQ(asked, 2);
	CHECK_EQ(goru_run(nothing, NULL), 0);
	CHECK_EQ(goru_run(second, &done), 0);
	CHECK_EQ(done, 1);
	CHECK_EQ(asked, 2);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

/* A deadline that was not needed, a timer that was stopped: no time will come. */
static void never_runs(void *arg)
{
	(void)arg;
	CHECK(!"stopped, and runs");
}

static void was_in_time(void *arg)
{
	goru_timer t = GORU_TIMER_INIT;
	goru_chan *in_time = goru_chan_make(0, 0), *after = goru_after(3600 * GORU_SEC);

	CHECK_EQ(goru_timer_start(&t, goru_in(3600 * GORU_SEC), GORU_SEC, never_runs, NULL), 0);
	CHECK_EQ(goru_go(waits, in_time), 0);
	CHECK_EQ(goru_chan_send_until(in_time, NULL, goru_in(3600 * GORU_SEC)), 0);
	/* a worker sleeps for one of them by now, or another time */
	CHECK_EQ(goru_sleep(3 * GORU_MSEC), 0);
	CHECK_EQ(goru_timer_stop(&t), 1);
	goru_chan_unref(after);
	waits(arg);
}

static void time_that_does_not_come(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.on_deadlock = on_deadlock;
	cfg.on_deadlock_arg = &asked;
	CHECK_EQ(goru_init(&cfg), 0);
	c = goru_chan_make(0, 0);
	CHECK_EQ(goru_run(was_in_time, NULL), -EDEADLK);
	CHECK_EQ(asked, 1);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

static void what_is_over_is_no_help(void)
{
	if (exact())
		CHECK_LIVES(time_that_does_not_come, "");
}

static void program_decides(void)
{
	if (exact())
		CHECK_LIVES(program_is_asked, "");
}

/* None of these is one. */

static void sleeps(void *arg)
{
	(void)arg;
	goru_sleep(100 * GORU_MSEC);
}

static void timed(void *arg)
{
	CHECK_EQ(goru_chan_recv_until(c, arg, goru_in(100 * GORU_MSEC)), -ETIMEDOUT);
}

static void blocks(void *arg)
{
	goru_block_enter();
	usleep(100000);
	goru_block_exit();
	goru_chan_send(c, arg);
}

static void waits_for_blocked(void *arg)
{
	CHECK_EQ(goru_go(blocks, NULL), 0);
	CHECK_EQ(goru_chan_recv(c, arg), 1);
}

static void blocks_bare(void *arg)
{
	usleep(100000);
	goru_chan_send(c, arg);
}

static void waits_for_bare(void *arg)
{
	CHECK_EQ(goru_go(blocks_bare, NULL), 0);
	CHECK_EQ(goru_chan_recv(c, arg), 1);
}

static void *sends(void *arg)
{
	usleep(100000);
	(void)!goru_chan_send(c, arg);
	return NULL;
}

static void *sends_in_time(void *arg)
{
	goru_case none[] = { GORU_RECV(NULL, NULL) };

	CHECK_EQ(goru_select_until(none, 1, goru_in(100 * GORU_MSEC)), -ETIMEDOUT);
	(void)!goru_chan_send(c, arg);
	return NULL;
}

static void waits_for_one(void *arg)
{
	CHECK_EQ(goru_chan_recv(c, arg), 1);
}

static void closes(void *arg)
{
	goru_chan_close(arg);
}

static void waits_for_timer(void *arg)
{
	static goru_timer t;
	goru_chan *other = goru_chan_make(0, 0);

	(void)arg;
	CHECK_EQ(goru_timer_start(&t, goru_in(100 * GORU_MSEC), 0, closes, other), 0);
	waits(other);
	goru_chan_unref(other);
	other = goru_after(100 * GORU_MSEC);
	waits(other);
	goru_chan_unref(other);
}

static void none_of_these(void)
{
	void *(*const threads[])(void *) = { sends, sends_in_time };

	c = goru_chan_make(0, 0);
	CHECK_EQ(goru_run(sleeps, NULL), 0);
	CHECK_EQ(goru_run(timed, NULL), 0);
	CHECK_EQ(goru_run(waits_for_timer, NULL), 0);
	CHECK_EQ(goru_run(waits_for_blocked, NULL), 0);
	CHECK_EQ(goru_run(waits_for_bare, NULL), 0);
	for (int i = 0; i < 2; i++) {
		pthread_t t;

		CHECK_EQ(pthread_create(&t, NULL, threads[i], NULL), 0);
		CHECK_EQ(goru_run(waits_for_one, NULL), 0);
		pthread_join(t, NULL);
	}
	/* outside goru_run nobody knows what the program still wants */
	CHECK_EQ(goru_go(waits, NULL), 0);
	usleep(100000);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

static void others_are_not(void)
{
	CHECK_LIVES(none_of_these, "");
}

TEST_MAIN(TEST(is_reported), TEST(a_thread_that_waits_is_no_help), TEST(program_decides),
	  TEST(what_is_over_is_no_help), TEST(others_are_not))
