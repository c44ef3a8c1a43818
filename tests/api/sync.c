/* sync.c - wait groups, and brackets around blocking code. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

static goru_waitgroup wg, other;
static _Atomic int ran, flag;

static void adds_one(void)
{
	atomic_fetch_add(&ran, 1);
	goru_waitgroup_done(&wg);
}

static void zero_does_not_wait(void)
{
	goru_waitgroup w = GORU_WAITGROUP_INIT;

	CHECK_EQ(goru_waitgroup_wait(&w), 0);
	CHECK_EQ(goru_waitgroup_wait_until(&w, INT64_MIN), 0);
	goru_waitgroup_add(&w, 3);
	goru_waitgroup_add(&w, 0);
	goru_waitgroup_add(&w, -2);
	goru_waitgroup_done(&w);
	CHECK_EQ(goru_waitgroup_wait(&w), 0);
	goru_waitgroup_add(&w, INT32_MAX);
	goru_waitgroup_add(&w, -INT32_MAX);
	CHECK_EQ(goru_waitgroup_wait_until(&w, 0), 0);
}

static void waits_for_all(void)
{
	for (int round = 0; round < 20; round++) {
		atomic_store(&ran, 0);
		for (int i = 0; i < 30; i++) {
			goru_waitgroup_add(&wg, 1);
			CHECK_EQ(go(adds_one), 0);
		}
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		CHECK_EQ(atomic_load(&ran), 30);
	}
}

static void deadlines(void)
{
	goru_waitgroup w = GORU_WAITGROUP_INIT;
	int64_t t;

	goru_waitgroup_add(&w, 1);
	CHECK_EQ(goru_waitgroup_wait_until(&w, INT64_MIN), -ETIMEDOUT);
	CHECK_EQ(goru_waitgroup_wait_until(&w, 0), -ETIMEDOUT);
	t = goru_now();
	CHECK_EQ(goru_waitgroup_wait_until(&w, goru_in(5 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 5 * GORU_MSEC);
	goru_waitgroup_done(&w); /* those that gave up are off its list */
	CHECK_EQ(goru_waitgroup_wait_until(&w, GORU_FOREVER), 0);
}

static void waits(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	goru_waitgroup_done(&other);
}

static void waits_a_while(void)
{
	int rc;

	atomic_fetch_add(&ran, 1);
	rc = goru_waitgroup_wait_until(&wg, goru_in(GORU_MSEC));
	CHECK(rc == -ETIMEDOUT || rc == 0); /* 0: on a busy machine, that late */
	goru_waitgroup_done(&other);
}

static void zero_lets_all_go(void)
{
	pthread_t t[3];

	atomic_store(&ran, 0);
	goru_waitgroup_add(&wg, 2);
	goru_waitgroup_add(&other, 9);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(go(waits), 0);
		CHECK_EQ(go(waits_a_while), 0);
		test_thread(&t[i], waits);
	}
	UNTIL(atomic_load(&ran) == 9);
	UNTIL(test_asleep() == 6 && test_alive() == 3); /* three gave up */
	goru_waitgroup_done(&wg);
	goru_sleep(2 * GORU_MSEC);
	CHECK_EQ(goru_waitgroup_wait_until(&other, 0), -ETIMEDOUT);
	goru_waitgroup_done(&wg);
	goru_waitgroup_add(&wg, 5); /* what is added after does not hold them */
	CHECK_EQ(goru_waitgroup_wait(&other), 0);
	for (int i = 0; i < 3; i++)
		test_join(t[i]);
	goru_waitgroup_add(&wg, -5);
}

static int64_t moment;
static _Atomic int went_on;

static void waits_on(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	atomic_store(&went_on, 1);
}

static void gives_up_after_it(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, moment + 1), -ETIMEDOUT);
	goru_waitgroup_done(&other);
}

static void done_at_the_moment(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_sleep_until(moment), 0);
	goru_waitgroup_done(&wg);
	goru_waitgroup_done(&other);
}

static void computes_past_it(void)
{
	while (goru_now() < moment + 2 * GORU_MSEC)
		;
}

/* Both deadlines have come when the one P looks next: the wait of the newest waiter is over, but it has not run, and
 * still stands first on the list when zero is reached. It must not keep the others from going on. */
static void ended_waits_are_passed_over(void)
{
	unsigned n = goru_procs();

	CHECK_EQ(goru_set_procs(1), 0);
	atomic_store(&went_on, 0);
	moment = goru_in(30 * GORU_MSEC);
	goru_waitgroup_add(&wg, 1);
	goru_waitgroup_add(&other, 2);
	atomic_store(&ran, 0);
	CHECK_EQ(go(waits_on), 0);
	UNTIL(test_asleep() == 1);
	CHECK_EQ(go(gives_up_after_it), 0);
	UNTIL(test_asleep() == test_alive()); /* or it is late, and has given up already */
	CHECK_EQ(go(done_at_the_moment), 0);
	UNTIL(test_asleep() == test_alive());
	CHECK_EQ(go(computes_past_it), 0);
	CHECK_EQ(goru_waitgroup_wait(&other), 0);
	UNTIL(atomic_load(&went_on));
	CHECK_EQ(goru_set_procs(n), 0);
}

/* The waiter may free it at once: the last done has done with it. Under a sanitizer this shows. */
static void done_it(goru_waitgroup *w)
{
	goru_waitgroup_done(w);
}

static void freed_by_the_waiter(void)
{
	for (int i = 0; i < 300; i++) {
		goru_waitgroup *w = calloc(1, sizeof(*w));

		goru_waitgroup_add(w, 2);
		CHECK_EQ(go(done_it, w), 0);
		CHECK_EQ(go(done_it, w), 0);
		CHECK_EQ(goru_waitgroup_wait(w), 0);
		memset(w, 0xff, sizeof(*w));
		free(w);
	}
}

static void waits_for_ever(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), -ECANCELED);
	atomic_fetch_add(&flag, 1);
}

static void drops(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK(goru_waitgroup_wait(&wg) + 1000 == 0); /* never returns */
}

static void shutdown_ends_waits(void)
{
	pthread_t t;

	atomic_store(&ran, 0);
	atomic_store(&flag, 0);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(drops), 0);
	test_thread(&t, waits_for_ever);
	UNTIL(test_asleep() == 2);
	CHECK_EQ(goru_shutdown(), 0);
	test_join(t);
	CHECK_EQ(atomic_load(&flag), 1);
	goru_waitgroup_done(&wg); /* and the group is as if nobody had waited */
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(wg.word[1], 0);
}

/* Blocking code. */

static void brackets_do_nothing_on_threads(void)
{
	goru_block_exit();
	goru_block_enter();
	goru_block_enter();
	goru_block_exit();
	CHECK_EQ(goru_blocking(3 + 4), 7);
	CHECK_EQ(goru_blocking_sys(close(-1)), -EBADF);
}

static void set_flag(void)
{
	atomic_store(&flag, 1);
}

/* More than there are Ps block in the kernel until somebody else has run. */
static int pipe_fd[2];

static void blocks_in_read(void)
{
	char c = 0;

	CHECK_EQ(goru_blocking_sys(read(pipe_fd[0], &c, 1)), 1);
	CHECK_EQ(c, 'x');
	goru_waitgroup_done(&wg);
}

static void writes(void)
{
	for (int i = 0; i < 20; i++)
		CHECK_EQ(write(pipe_fd[1], "x", 1), 1);
	goru_waitgroup_done(&wg);
}

static void others_run_meanwhile(void)
{
	CHECK_EQ(pipe(pipe_fd), 0);
	goru_waitgroup_add(&wg, 21);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(go(blocks_in_read), 0);
	CHECK_EQ(go(writes), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static long thread_id(void)
{
	return syscall(SYS_gettid);
}

/* The goroutine stays on its thread between the brackets, also nested, and can call what does not wait. */
static void nests_and_keeps_its_thread(void)
{
	goru_chan *c = goru_chan_make(4, 1);
	int v = 5;
	long t;

	goru_block_enter();
	t = thread_id();
	goru_block_enter();
	usleep(2000);
	CHECK_EQ(goru_chan_try_send(c, &v), 0);
	CHECK_EQ(goru_chan_try_recv(c, &v), 1);
	atomic_store(&flag, 0);
	CHECK_EQ(go(set_flag), 0);
	for (int i = 0; i < 100000 && !atomic_load(&flag); i++)
		usleep(100); /* not UNTIL, which would wait in goru */
	CHECK(atomic_load(&flag));
	CHECK(goru_id() > 0);
	CHECK_EQ(thread_id(), t);
	goru_block_exit();
	CHECK_EQ(thread_id(), t);
	goru_block_exit();
	goru_chan_unref(c);
}

/* Waiting inside is allowed: it may end on another thread, with a P, and the exit is still due. */
static void waits_inside(void)
{
	goru_chan *c = goru_chan_make(4, 0);
	int v;

	goru_block_enter();
	CHECK_EQ(goru_chan_recv_until(c, &v, goru_in(GORU_MSEC)), -ETIMEDOUT);
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	goru_yield();
	goru_block_exit();
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	goru_chan_unref(c);
}

static void ends_blocked(void)
{
	goru_block_enter();
	goru_block_enter();
	goru_waitgroup_done(&wg);
}

/* One that ends without its exits takes nothing with it. */
static void ends_between_the_brackets(void)
{
	for (int i = 0; i < 20; i++) {
		goru_waitgroup_add(&wg, 1);
		CHECK_EQ(go(ends_blocked), 0);
	}
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	waits_for_all();
}

static int calls;

static int count_call(int v)
{
	calls++;
	return v;
}

static long fails_with(int e)
{
	errno = e;
	return -1;
}

static void blocking_macros(void)
{
	char *p;

	calls = 0;
	CHECK_EQ(goru_blocking(count_call(8)), 8);
	goru_blocking((void)count_call(1));
	CHECK_EQ(calls, 2);
	CHECK_EQ(goru_blocking(goru_blocking(3) + 1), 4);
	CHECK_EQ(goru_blocking_sys(fails_with(EMFILE)), -EMFILE);
	CHECK_EQ(goru_blocking_sys(count_call(-1) ? open("/nonexistent/x", O_RDONLY) : 0), -ENOENT);
	CHECK_EQ(goru_blocking_sys(count_call(-2)), -2);
	CHECK_EQ(goru_blocking_sys(count_call(0)), 0);
	p = goru_blocking_sys((char *)&calls);
	CHECK(p == (char *)&calls);
	CHECK_EQ(sizeof(goru_blocking_sys((int)1)), sizeof(int));
}

TEST_MAIN(TEST_BOTH(zero_does_not_wait), TEST_BOTH(waits_for_all), TEST_BOTH(deadlines),
	  TEST_BOTH(zero_lets_all_go), TEST(ended_waits_are_passed_over),
	  TEST_BOTH(freed_by_the_waiter), TEST(brackets_do_nothing_on_threads),
	  TEST(others_run_meanwhile), TEST_GO(nests_and_keeps_its_thread), TEST_GO(waits_inside),
	  TEST_BOTH(ends_between_the_brackets), TEST_BOTH(blocking_macros),
	  TEST(shutdown_ends_waits))
