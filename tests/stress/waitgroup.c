/* waitgroup.c - wait groups used again and again, and freed the moment wait returns. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static goru_waitgroup all;

struct box {
	goru_waitgroup wg;
	uint64_t slot[16];
};

static void worker(struct box *b, int i, uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	if (grt_rand_below(&r, 4) == 0)
		goru_yield();
	b->slot[i] = (uint64_t)i + 1;
	goru_waitgroup_done(&b->wg);
}

struct arg {
	struct box *b;
	int i;
	uint64_t salt;
};

static void *worker_thread(void *arg)
{
	struct arg a = *(struct arg *)arg;

	free(arg);
	worker(a.b, a.i, a.salt);
	return NULL;
}

/* Allocates, uses, waits, frees at once; what the workers wrote is there. */
static void user(uint64_t salt, bool plain_workers, bool until)
{
	uint64_t r = stress_rand(salt);

	while (stress_more()) {
		struct box *b = calloc(1, sizeof(*b));
		int n = 1 + (int)grt_rand_below(&r, 16), threads = 0, rc = -ETIMEDOUT;
		pthread_t t[2];

		goru_waitgroup_add(&b->wg, n);
		for (int i = 0; i < n; i++) {
			if (plain_workers && threads < 2 && grt_rand_below(&r, 4) == 0) {
				struct arg *a = malloc(sizeof(*a));

				*a = (struct arg){ b, i, grt_rand64(&r) };
				stress_thread(&t[threads++], worker_thread, a);
			} else {
				GO(worker, b, i, grt_rand64(&r));
			}
		}
		while (until && rc == -ETIMEDOUT && grt_rand_below(&r, 4))
			rc = goru_waitgroup_wait_until(&b->wg, goru_in(grt_rand_below(&r, 30000)));
		if (rc == -ETIMEDOUT)
			rc = goru_waitgroup_wait(&b->wg);
		CHECK_EQ(rc, 0);
		for (int i = 0; i < n; i++)
			CHECK_EQ(b->slot[i], i + 1);
		memset(b, 0xff, sizeof(*b));
		free(b);
		for (int i = 0; i < threads; i++)
			stress_join(t[i]);
	}
}

static void user_goroutine(uint64_t salt, bool plain_workers, bool until)
{
	user(salt, plain_workers, until);
	goru_waitgroup_done(&all);
}

static void *user_thread(void *arg)
{
	user((uint64_t)(uintptr_t)arg, false, (uintptr_t)arg & 1);
	return NULL;
}

static void test_freed_at_once(void **state)
{
	pthread_t t[2];

	(void)state;
	goru_waitgroup_add(&all, 4);
	for (uint64_t i = 0; i < 4; i++)
		GO(user_goroutine, i, i == 3, i & 1);
	for (uint64_t i = 0; i < 2; i++)
		stress_thread(&t[i], user_thread, (void *)(uintptr_t)(10 + i));
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
	for (int i = 0; i < 2; i++)
		stress_join(t[i]);
}

/* On the waiter's stack, which is used for something else at once. */
static void on_stack(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	while (stress_more()) {
		{
			struct box b = { 0 };
			int n = 1 + (int)grt_rand_below(&r, 3);

			goru_waitgroup_add(&b.wg, n);
			for (int i = 0; i < n; i++)
				GO(worker, &b, i, grt_rand64(&r));
			CHECK_EQ(goru_waitgroup_wait(&b.wg), 0);
		}
		{
			volatile uint64_t b[sizeof(struct box) / 8];

			for (size_t i = 0; i < sizeof(b) / 8; i++)
				b[i] = UINT64_C(0x5555555555555555);
			if (grt_rand_below(&r, 8) == 0)
				goru_yield();
			for (size_t i = 0; i < sizeof(b) / 8; i++)
				CHECK_EQ(b[i], 0x5555555555555555);
		}
	}
	goru_waitgroup_done(&all);
}

static void test_on_stack(void **state)
{
	(void)state;
	goru_waitgroup_add(&all, 4);
	for (uint64_t i = 0; i < 4; i++)
		GO(on_stack, 100 + i);
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
}

/* Many wait for one zero; some give up. The group is used again in the same memory. */
static goru_waitgroup gate;
static _Atomic int through;
static _Atomic bool opened;

static void at_gate(int64_t patience)
{
	int rc = -ETIMEDOUT;

	if (patience)
		rc = goru_waitgroup_wait_until(&gate, goru_in(patience));
	if (rc == -ETIMEDOUT)
		rc = goru_waitgroup_wait(&gate);
	CHECK_EQ(rc, 0);
	CHECK(atomic_load_explicit(&opened, memory_order_relaxed));
	atomic_fetch_add(&through, 1);
	goru_waitgroup_done(&all);
}

static void *at_gate_thread(void *arg)
{
	at_gate((intptr_t)arg);
	return NULL;
}

static void test_many_wait(void **state)
{
	uint64_t r = stress_rand(7);

	(void)state;
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, 20);
		pthread_t t[2];

		goru_waitgroup_add(&gate, 1);
		atomic_store(&through, 0);
		atomic_store(&opened, false);
		goru_waitgroup_add(&all, n + 2);
		for (int i = 0; i < n; i++)
			GO(at_gate, (int64_t)grt_rand_below(&r, 100000));
		for (int i = 0; i < 2; i++)
			stress_thread(&t[i], at_gate_thread,
				      (void *)(uintptr_t)grt_rand_below(&r, 100000));
		stress_pause(&r, 100);
		if (grt_rand_below(&r, 4) == 0)
			goru_sleep(grt_rand_below(&r, 100000));
		atomic_store_explicit(&opened, true, memory_order_relaxed);
		goru_waitgroup_done(&gate);
		CHECK_EQ(goru_waitgroup_wait(&all), 0);
		for (int i = 0; i < 2; i++)
			stress_join(t[i]);
		CHECK_EQ(atomic_load(&through), n + 2);
	}
}

/* Up and down through zero without anybody's wait being lost. */
static void up_down(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	while (stress_more()) {
		goru_waitgroup_add(&gate, 1);
		if (grt_rand_below(&r, 4) == 0)
			goru_yield();
		goru_waitgroup_done(&gate);
		if (grt_rand_below(&r, 4) == 0)
			CHECK_EQ(goru_waitgroup_wait(&gate), 0);
		else
			goru_yield();
	}
	goru_waitgroup_done(&all);
}

static void test_up_down(void **state)
{
	(void)state;
	goru_waitgroup_add(&all, 6);
	for (uint64_t i = 0; i < 6; i++)
		GO(up_down, 200 + i);
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
	CHECK_EQ(goru_waitgroup_wait_until(&gate, 0), 0);
}

STRESS_MAIN("stress/waitgroup", cmocka_unit_test(test_freed_at_once),
	    cmocka_unit_test(test_on_stack), cmocka_unit_test(test_many_wait),
	    cmocka_unit_test(test_up_down))
