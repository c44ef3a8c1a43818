/* block.c - goroutines that block their threads, more of them than Ps: the others go on, everyone comes back. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <unistd.h>

static goru_waitgroup wg;
static _Atomic int64_t inside;

/* All read from one pipe at once, without a P; goroutines that block nothing do all the writing. The reads end only if
 * these run while all Ps' worth of readers and more are in the kernel. */
static void reader(int fd, _Atomic int *ended)
{
	char b = 0;
	long n;

	atomic_fetch_add(&inside, 1);
	n = goru_blocking_sys(read(fd, &b, 1));
	CHECK_EQ(n, 1);
	CHECK_EQ(b, 'x');
	CHECK(goru_id() > 0);
	goru_yield();
	atomic_fetch_add(ended, 1);
	goru_waitgroup_done(&wg);
}

static void writer(int fd, int n)
{
	/* all are about to block, most do: this goroutine runs nevertheless */
	while (atomic_load(&inside) < n)
		goru_yield();
	for (int i = 0; i < n; i++) {
		CHECK_EQ(write(fd, "x", 1), 1);
		if (i % 3 == 0)
			goru_yield();
	}
	goru_waitgroup_done(&wg);
}

static void test_more_than_procs(void **state)
{
	uint64_t r = stress_rand(1);
	int n = (int)stress_procs() + 8, fd[2];

	(void)state;
	CHECK_EQ(pipe(fd), 0);
	while (stress_more()) {
		_Atomic int ended = 0;
		int k = 1 + (int)grt_rand_below(&r, (uint32_t)n);

		atomic_store(&inside, 0);
		goru_waitgroup_add(&wg, k + 1);
		for (int i = 0; i < k; i++)
			GO(reader, fd[0], &ended);
		GO(writer, fd[1], k);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		CHECK_EQ(atomic_load(&ended), k);
	}
	close(fd[0]);
	close(fd[1]);
}

/*
 * Each makes another goroutine, the newest of its P, and blocks until that one has written what it reads; as many at
 * once as there are Ps and more. Whoever made it is in the kernel when it has to run.
 */
static void child(int fd)
{
	CHECK_EQ(write(fd, "x", 1), 1);
}

static void parent(uint64_t salt)
{
	uint64_t r = stress_rand(salt);
	char b;
	int fd[2];

	CHECK_EQ(pipe(fd), 0);
	while (stress_more()) {
		GO(child, fd[1]);
		if (grt_rand_below(&r, 8) == 0)
			stress_spin(grt_rand_below(&r, 1000000));
		CHECK_EQ(goru_blocking_sys(read(fd[0], &b, 1)), 1);
		if (grt_rand_below(&r, 4) == 0)
			goru_yield();
	}
	close(fd[0]);
	close(fd[1]);
	goru_waitgroup_done(&wg);
}

static void test_child_first(void **state)
{
	int n = (int)stress_procs() + 4;

	(void)state;
	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		GO(parent, (uint64_t)i + 300);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* Everything at random: nested brackets, calls into goru inside them, ends and spawns inside them. */
static goru_chan *c;
static _Atomic int64_t sent, got;

static void waiter(void)
{
	uint64_t v;

	if (goru_chan_recv_until(c, &v, goru_in(GORU_MSEC)) == 1)
		atomic_fetch_add(&got, 1);
	goru_waitgroup_done(&wg);
}

static void mixer(uint64_t salt)
{
	uint64_t r = stress_rand(salt), v = 0;

	while (stress_more()) {
		unsigned depth = 1 + grt_rand_below(&r, 3);

		for (unsigned i = 0; i < depth; i++)
			goru_block_enter();
		for (unsigned i = 0; i < 3; i++) {
			switch (grt_rand_below(&r, 10)) {
			case 0:
				usleep(1 + grt_rand_below(&r, 100));
				break;
			case 1:
				if (goru_chan_try_send(c, &v) == 0)
					atomic_fetch_add(&sent, 1);
				break;
			case 2:
				if (goru_chan_send_until(c, &v, goru_in(50000)) == 0)
					atomic_fetch_add(&sent, 1);
				break;
			case 3:
				if (goru_chan_recv_until(c, &v, goru_in(50000)) == 1)
					atomic_fetch_add(&got, 1);
				break;
			case 4:
				goru_yield();
				break;
			case 5:
				goru_waitgroup_add(&wg, 1);
				GO(waiter);
				break;
			case 6:
				CHECK_EQ(goru_sleep(grt_rand_below(&r, 50000)), 0);
				break;
			case 7:
				goru_waitgroup_add(&wg, 1);
				GO(mixer, grt_rand64(&r) >> 2);
				goru_waitgroup_done(&wg);
				return; /* the brackets left open */
			default:
				break;
			}
		}
		while (depth--)
			goru_block_exit();
		if (grt_rand_below(&r, 2))
			goru_yield();
	}
	goru_waitgroup_done(&wg);
}

static void test_mixed(void **state)
{
	uint64_t v;
	int n = 24;

	(void)state;
	c = goru_chan_make(8, 2);
	atomic_store(&sent, 0);
	atomic_store(&got, 0);
	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		GO(mixer, (uint64_t)i + 10);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	while (goru_chan_try_recv(c, &v) == 1)
		atomic_fetch_add(&got, 1);
	CHECK_EQ(atomic_load(&sent), atomic_load(&got));
	goru_chan_unref(c);
}

/* Short brackets around nothing: away and back before anyone has taken the P, and a moment after. */
static void flicker(uint64_t salt)
{
	uint64_t r = stress_rand(salt);
	int64_t sum = 0;

	while (stress_more()) {
		for (int i = 0; i < 20; i++) {
			goru_block_enter();
			if (grt_rand_below(&r, 4) == 0)
				stress_spin(grt_rand_below(&r, 5000));
			goru_block_exit();
			sum += i;
		}
		goru_yield();
	}
	CHECK(sum > 0 || !stress_more());
	goru_waitgroup_done(&wg);
}

static void test_flicker(void **state)
{
	int n = (int)stress_procs() + 2;

	(void)state;
	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		GO(flicker, (uint64_t)i + 100);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* Compilers keep the address of errno across calls, and so of another thread's. */
static __attribute__((noinline)) void set_errno(int e)
{
	errno = e;
	__asm__ volatile("" : : : "memory");
}

static __attribute__((noinline)) int get_errno(void)
{
	__asm__ volatile("" : : : "memory");
	return errno;
}

/* The thread that made a call answers for its errno, whoever runs there afterwards. */
static void failer(uint64_t salt)
{
	uint64_t r = stress_rand(salt);
	char b;

	while (stress_more()) {
		bool which = grt_rand_below(&r, 2);
		long rc = which ? goru_blocking_sys(read(-1, &b, 1)) :
				  goru_blocking_sys(lseek(0, 0, 99));

		CHECK(rc == (which ? -EBADF : -EINVAL) || (!which && rc == -ESPIPE));
		set_errno(which ? 1000 : 2000);
		goru_yield();
		CHECK_EQ(get_errno(), which ? 1000 : 2000);
	}
	goru_waitgroup_done(&wg);
}

static void test_errno(void **state)
{
	(void)state;
	goru_waitgroup_add(&wg, 6);
	for (int i = 0; i < 6; i++)
		GO(failer, (uint64_t)i + 200);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

static void one_byte(int fd)
{
	goru_sleep(500 * GORU_USEC);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(close(fd), 0);
}

/* A call that waits inside the brackets needs a P; what follows may block again, and must not keep it. */
static void waits_inside(int how)
{
	goru_chan *never = goru_chan_make(0, 0);
	goru_case k = GORU_RECV(never, NULL);
	int fd[2];
	char b;

	CHECK_EQ(pipe(fd), 0);
	GO(one_byte, fd[1]);
	goru_block_enter();
	switch (how) {
	case 0:
		CHECK_EQ(goru_sleep(100 * GORU_USEC), 0);
		break;
	case 1:
		CHECK_EQ(goru_chan_recv_until(never, NULL, goru_in(100 * GORU_USEC)), -ETIMEDOUT);
		break;
	case 2:
		CHECK_EQ(goru_select_until(&k, 1, goru_in(100 * GORU_USEC)), -ETIMEDOUT);
		break;
	default:
		goru_yield();
	}
	CHECK_EQ(read(fd[0], &b, 1), 1);
	goru_block_exit();
	CHECK_EQ(close(fd[0]), 0);
	goru_chan_unref(never);
	goru_waitgroup_done(&wg);
}

static void test_waits_inside(void **state)
{
	(void)state;
	for (int i = 0; stress_more(); i++) {
		goru_waitgroup_add(&wg, 1);
		GO(waits_inside, i % 4);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

STRESS_MAIN("stress/block", cmocka_unit_test(test_more_than_procs),
	    cmocka_unit_test(test_child_first), cmocka_unit_test(test_mixed),
	    cmocka_unit_test(test_flicker), cmocka_unit_test(test_errno),
	    cmocka_unit_test(test_waits_inside))
