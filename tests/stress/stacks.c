/* stacks.c - deep stacks and their reuse, stacks of all sizes, many made and dropped, and memory that comes back. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sanitizer.h"

static goru_waitgroup wg;

/* A kibibyte a level, written before going deeper and checked after coming back; now and then it waits on the way. */
static __attribute__((noinline)) uint64_t deep(int level, uint64_t *r)
{
	volatile uint64_t frame[128];
	uint64_t sum = (uint64_t)level;

	for (int i = 0; i < 128; i++)
		frame[i] = (uint64_t)level * 1000 + (uint64_t)i;
	if (grt_rand_below(r, 64) == 0)
		goru_yield();
	if (level > 0)
		sum += deep(level - 1, r);
	for (int i = 0; i < 128; i++)
		CHECK_EQ(frame[i], level * 1000 + i);
	return sum;
}

/* What the sanitizers add to a frame */
static int levels(size_t stack)
{
	size_t n = stack / 8 * 5 / 1024;

	return (int)(GRT_ASAN_ON || GRT_TSAN_ON ? n / 4 : n);
}

static void diver(int depth, uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	CHECK_EQ(deep(depth, &r), (int64_t)depth * (depth + 1) / 2);
	goru_waitgroup_done(&wg);
}

static void test_deep(void **state)
{
	uint64_t r = stress_rand(1);

	(void)state;
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, 60);

		goru_waitgroup_add(&wg, n);
		for (int i = 0; i < n; i++)
			GO(diver, (int)grt_rand_below(&r, (uint32_t)levels(262144)),
			   grt_rand64(&r));
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

struct dive {
	int depth;
	uint64_t salt;
};

static void attr_diver(void *arg)
{
	struct dive *d = arg;

	diver(d->depth, d->salt);
}

static void test_sizes(void **state)
{
	uint64_t r = stress_rand(2);
	struct dive dives[40];

	(void)state;
	while (stress_more()) {
		goru_waitgroup_add(&wg, 40);
		for (int i = 0; i < 40; i++) {
			size_t size = (size_t)16384 << grt_rand_below(&r, 8);
			goru_attr a = { .stack_size = size - grt_rand_below(&r, 1000),
					.name = "diver" };
			int most = levels(size) - (GRT_ASAN_ON || GRT_TSAN_ON ? 2 : 4);

			dives[i].depth = most > 0 ? (int)grt_rand_below(&r, (uint32_t)most) : 0;
			dives[i].salt = grt_rand64(&r);
			CHECK_EQ(goru_go_attr(&a, attr_diver, &dives[i]), 0);
		}
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

/* Up and down: stacks go through every list there is, and to the kernel and back. */
static void parked(goru_chan *c)
{
	CHECK_EQ(goru_chan_recv(c, NULL), 0);
	goru_waitgroup_done(&wg);
}

static void crowd(int n)
{
	goru_chan *c = goru_chan_make(0, 0);

	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		GO(parked, c);
	if (n & 1)
		goru_yield();
	CHECK_EQ(goru_chan_close(c), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	goru_chan_unref(c);
	stress_progress();
}

static void crowds(void *arg)
{
	uint64_t r = stress_rand(3);

	(void)arg;
	while (stress_more()) {
		crowd(1 + (int)grt_rand_below(&r, (uint32_t)stress_many(20000)));
		if (grt_rand_below(&r, 8) == 0)
			goru_sleep(grt_rand_below(&r, 20000000));
	}
}

static void test_crowds(void **state)
{
	(void)state;
	CHECK_EQ(goru_run(crowds, NULL), 0);
}

/* Half a minute is far more than needed: the test is that it comes to pass. */
static void test_comes_back(void **state)
{
	int n = GRT_ASAN_ON || GRT_TSAN_ON ? stress_many(10000) : 100000;
	long before, peak, now = 0;
	goru_chan *c;

	(void)state;
	if (stress_emulated())
		skip(); /* qemu-user keeps memory that has a guard in its range */
	c = goru_chan_make(0, 0);
	CHECK_EQ(goru_shutdown(), 0);
	before = stress_status("VmRSS:");
	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		GO(parked, c);
	stress_nap();
	peak = stress_status("VmRSS:");
	CHECK_EQ(goru_chan_close(c), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	goru_chan_unref(c);
	for (int i = 0; i < 300; i++) {
		now = stress_status("VmRSS:");
		if (now < before + (peak - before) / 10)
			break;
		usleep(100000);
		stress_progress();
	}
	printf("%d goroutines: RSS %ld kB before, %ld kB with them, %ld kB afterwards\n", n, before,
	       peak, now);
	if (!GRT_ASAN_ON && !GRT_TSAN_ON)
		CHECK(now < before + (peak - before) / 10);
}

STRESS_MAIN("stress/stacks", cmocka_unit_test(test_deep), cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_crowds), cmocka_unit_test(test_comes_back))
