/* follow.c - errno's value goes where the goroutine goes, whatever it waits for; migrate=1 moves it each time. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,16 env=GORU_DEBUG=migrate=1 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "goru/errno.h"
#include "test.h"
#include "ways.h"

/* Nothing of C++ is linked here: the runtime must do without. */
extern void *__cxa_get_globals(void) __attribute__((weak));

static long thread_id(void)
{
	return syscall(SYS_gettid);
}

static void is_plain_c(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
	CHECK(!__cxa_get_globals);
#endif
	CHECK_EQ(goru_init(NULL), 0);
}

/* It has begun, and waits for somebody who goes to it. */
static void spare_thread(void)
{
	goru_stats st;

	UNTIL(goru_stats_get(&st) == 0 && st.threads_idle == st.threads && st.threads > st.procs);
}

/* Whoever ends the wait of the one that looks, and the one that ran before it, have other values. */
static void each_way(void)
{
	for (int way = 0; way < ways_n; way++) {
		errno = 1000 + way;
		ways_go(way);
		if (!CHECK_EQ(errno, 1000 + way))
			print_message("that was %s\n", ways_name(way));
	}
}

/* What forces it: with one P, the end of the wait is another thread than its beginning. */
static void moves_each_time(void)
{
	if (goru_procs() > 1)
		return;
	for (int i = 0; i < 50; i++) {
		long was = thread_id();

		goru_yield();
		CHECK(thread_id() != was);
		was = thread_id();
		CHECK_EQ(goru_sleep(1), 0);
		CHECK(thread_id() != was);
	}
}

/* Back into a frame of the goroutine's own, from another thread than it was entered on. */
static void jumps_within(void)
{
	volatile int n = 0;
	jmp_buf again;

	if (setjmp(again))
		n++;
	ways_go(n);
	if (n < 5)
		longjmp(again, 1);
	CHECK_EQ(n, 5);
}

static goru_waitgroup wg;

static void wanders(int n)
{
	for (int i = 0; i < 4 * ways_n; i++) {
		errno = n * 1000 + i;
		ways_go(i % ways_n);
		CHECK_EQ(errno, n * 1000 + i);
	}
	goru_waitgroup_done(&wg);
}

static void many(void)
{
	goru_waitgroup_add(&wg, 8);
	for (int n = 1; n <= 8; n++)
		CHECK_EQ(go(wanders, n), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* A thread is a P's only while it holds it: more or fewer of them, and a new start, change nothing. */
static void while_ps_come_and_go(void)
{
	unsigned was = goru_procs();

	goru_waitgroup_add(&wg, 8);
	for (int n = 1; n <= 8; n++)
		CHECK_EQ(go(wanders, n), 0);
	for (unsigned i = 0; goru_waitgroup_wait_until(&wg, goru_in(GORU_MSEC)) == -ETIMEDOUT; i++)
		CHECK_EQ(goru_set_procs(1 + i % 5), 0);
	CHECK_EQ(goru_set_procs(was), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

TEST_MAIN(TEST(is_plain_c), TEST(spare_thread), TEST_GO(moves_each_time), TEST_GO(each_way),
	  TEST_GO(jumps_within), TEST_BOTH(many), TEST(while_ps_come_and_go), TEST_GO(each_way))
