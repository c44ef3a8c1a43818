/* migrate.c - a goroutine that changes threads keeps its errno, its numbers and its exceptions' place. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

enum { N = 8, MOVES = 60 };

/* Not inlined: a compiler keeps the address of errno, and of other thread-locals, over a call. */
static __attribute__((noinline)) void set_errno(int n)
{
	errno = n;
}

static __attribute__((noinline)) int get_errno(void)
{
	return errno;
}

static long thread_id(void)
{
	return syscall(SYS_gettid);
}

static _Atomic int moves, stop;
static goru_chan *c;
static goru_waitgroup wg;

static void check(int n, int v, double d, long double ld)
{
	CHECK_EQ(get_errno(), n * 1000);
	CHECK_EQ(v, n + 5);
	CHECK(d == n * 1.5 && ld == (long double)n / 3);
}

/* Waits in every way there is; each end of a wait may be on another thread. */
static void wanders(int n)
{
	long t = thread_id(), now;
	int v = n + 5, x = n;
	double d = n * 1.5;
	long double ld = (long double)n / 3;
	goru_case k[] = { GORU_RECV(c, &x), GORU_SEND(c, &v) };

	set_errno(n * 1000);
	for (unsigned i = 0; !atomic_load(&stop); i++) {
		switch (i % 5) {
		case 0:
			goru_yield();
			break;
		case 1:
			CHECK(goru_select(k, 2) >= 0);
			break;
		case 2:
			CHECK_EQ(goru_sleep(10 * GORU_USEC), 0);
			break;
		case 3:
			goru_block_enter();
			usleep(10);
			set_errno(n *
				  1000); /* usleep may change it; the kernel's is this thread's */
			goru_block_exit();
			break;
		default:
			(void)goru_chan_recv_until(c, &x, goru_in(10 * GORU_USEC));
		}
		check(n, v, d, ld);
		now = thread_id();
		if (now != t)
			atomic_fetch_add(&moves, 1);
		t = now;
	}
	goru_waitgroup_done(&wg);
}

/* A select needs a partner: one that ends late lets the last of them go. */
static void partner(void)
{
	int v = 1;

	while (!atomic_load(&stop) || goru_waitgroup_wait_until(&wg, 0) == -ETIMEDOUT) {
		(void)goru_chan_send_until(c, &v, goru_in(100 * GORU_USEC));
		goru_yield();
	}
}

static void keeps_what_is_its_own(void)
{
	c = goru_chan_make(sizeof(int), 0);
	atomic_store(&stop, 0);
	atomic_store(&moves, 0);
	goru_waitgroup_add(&wg, N);
	for (int i = 1; i <= N; i++)
		CHECK_EQ(go(wanders, i), 0);
	CHECK_EQ(go(partner), 0);
	UNTIL(atomic_load(&moves) > MOVES);
	atomic_store(&stop, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

TEST_MAIN(TEST(keeps_what_is_its_own))
