/* rescue.c - a goroutine that was readied runs although its waker goes on computing; nothing of the P is lost. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <stdlib.h>
#include <string.h>

static goru_waitgroup wg;
static _Atomic int step;

static void answer(void)
{
	atomic_store_explicit(&step, 1, memory_order_release);
}

/* The new goroutine lies in runnext, where no thief looks: without the monitor this loop would never end. */
static void compute(void *arg)
{
	(void)arg;
	while (stress_more()) {
		atomic_store(&step, 0);
		GO(answer);
		while (!atomic_load_explicit(&step, memory_order_acquire))
			grt_relax();
	}
}

static void test_spawned(void **state)
{
	(void)state;
	if (stress_procs() < 2)
		skip();
	CHECK_EQ(goru_run(compute, NULL), 0);
}

/* The same with one that was parked, and with several Ps in that state at once. */
static void echo(goru_chan *c, _Atomic int *heard)
{
	int v;

	while (goru_chan_recv(c, &v) > 0)
		atomic_store_explicit(heard, v, memory_order_release);
	goru_chan_unref(c);
	goru_waitgroup_done(&wg);
}

static void asker(_Atomic int *heard)
{
	goru_chan *c = goru_chan_make(sizeof(int), 1);

	goru_waitgroup_add(&wg, 1);
	GO(echo, goru_chan_ref(c), heard);
	for (int i = 1; stress_more(); i++) {
		CHECK_EQ(goru_chan_send(c, &i), 0);
		while (atomic_load_explicit(heard, memory_order_acquire) != i)
			grt_relax();
	}
	CHECK_EQ(goru_chan_close(c), 0);
	goru_chan_unref(c);
	goru_waitgroup_done(&wg);
}

static void test_readied(void **state)
{
	static _Atomic int heard[3];
	unsigned n = stress_procs() / 2;

	(void)state;
	if (n < 1)
		skip();
	n = n > 3 ? 3 : n;
	goru_waitgroup_add(&wg, (int)n);
	for (unsigned i = 0; i < n; i++)
		GO(asker, &heard[i]);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/*
 * Stretches of computing around the monitor's tick, with goroutines readied before and calls of every kind after: the
 * monitor's hand is on the P at any moment of them. All readied run, once.
 */
static _Atomic int64_t sent, got;

static void count(void)
{
	atomic_fetch_add_explicit(&got, 1, memory_order_relaxed);
	goru_waitgroup_done(&wg);
}

static void spawn_one(void)
{
	atomic_fetch_add_explicit(&sent, 1, memory_order_relaxed);
	goru_waitgroup_add(&wg, 1);
	GO(count);
}

static void meddler(uint64_t salt)
{
	uint64_t r = stress_rand(salt);
	goru_chan *c = goru_chan_make(8, 4);
	uint64_t v = 0;

	while (stress_more()) {
		spawn_one();
		stress_spin(300000 + grt_rand_below(&r, 900000));
		switch (grt_rand_below(&r, 8)) {
		case 0:
			goru_yield();
			break;
		case 1:
			spawn_one();
			break;
		case 2:
			goru_block_enter();
			stress_spin(20000);
			goru_block_exit();
			break;
		case 3:
			(void)goru_chan_try_send(c, &v);
			break;
		case 4:
			(void)goru_chan_recv_until(c, &v, 0);
			break;
		case 5:
			goru_sleep(1000);
			break;
		case 6: {
			/* it ends, another one goes on */
			goru_chan_unref(c);
			GO(meddler, grt_rand64(&r));
			return;
		}
		default:
			break;
		}
	}
	goru_chan_unref(c);
	goru_waitgroup_done(&wg);
}

static void meddle(void)
{
	uint64_t r = stress_rand(5);

	atomic_store(&sent, 0);
	atomic_store(&got, 0);
	goru_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		GO(meddler, grt_rand64(&r));
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(atomic_load(&got), atomic_load(&sent));
}

static void test_meddled(void **state)
{
	(void)state;
	meddle();
}

/* The same where entering pays for its own fence. */
static void test_without_membarrier(void **state)
{
	char before[256] = "";

	(void)state;
	if (getenv("GORU_DEBUG"))
		strncpy(before, getenv("GORU_DEBUG"), sizeof(before) - 1);
	CHECK_EQ(goru_shutdown(), 0);
	setenv("GORU_DEBUG", "membarrier=0", 1);
	CHECK_EQ(goru_init(NULL), 0);
	if (stress_procs() >= 2)
		CHECK_EQ(goru_run(compute, NULL), 0);
	stress_again();
	meddle();
	CHECK_EQ(goru_shutdown(), 0);
	setenv("GORU_DEBUG", before, 1);
}

STRESS_MAIN("stress/rescue", cmocka_unit_test(test_spawned), cmocka_unit_test(test_readied),
	    cmocka_unit_test(test_meddled), cmocka_unit_test(test_without_membarrier))
