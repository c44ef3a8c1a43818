/* wake.c - work handed to an idle runtime in small bursts: no wake-up is lost, which a hang would show. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <sched.h>
#include <time.h>

enum { THREADS = 3 };

static _Atomic int ran;

static void one(void)
{
	atomic_fetch_add_explicit(&ran, 1, memory_order_release);
}

/* From nothing to a few microseconds: around what a worker needs to go to sleep. */
static void gap(uint64_t *r)
{
	uint32_t dice = grt_rand_below(r, 4);

	if (dice == 0)
		stress_spin(grt_rand_below(r, 40000));
	else if (dice == 1)
		nanosleep(&(struct timespec){ 0, grt_rand_below(r, 120000) }, NULL);
	else if (dice == 2)
		sched_yield();
}

static void until(int n)
{
	while (atomic_load_explicit(&ran, memory_order_acquire) < n)
		sched_yield();
	stress_progress();
}

static void test_bursts(void **state)
{
	uint64_t r = stress_rand(1);

	(void)state;
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, 3);

		atomic_store(&ran, 0);
		for (int i = 0; i < n; i++)
			GO(one);
		until(n);
		gap(&r);
	}
}

/* Each thread waits for its own: one that is lost is not made good by another's wake. */
static void mine(_Atomic int *flag)
{
	atomic_store_explicit(flag, 1, memory_order_release);
}

static void *burster(void *arg)
{
	uint64_t r = stress_rand(10 + (uint64_t)(uintptr_t)arg);

	while (stress_more()) {
		_Atomic int flag = 0;

		GO(mine, &flag);
		while (!atomic_load_explicit(&flag, memory_order_acquire))
			sched_yield();
		gap(&r);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		stress_thread(&t[i], burster, (void *)(uintptr_t)i);
	for (int i = 0; i < THREADS; i++)
		stress_join(t[i]);
}

/* A parked goroutine is readied from outside, again and again. */
static void echo(goru_chan *in, goru_chan *out)
{
	int v;

	while (goru_chan_recv(in, &v) > 0)
		CHECK_EQ(goru_chan_send(out, &v), 0);
	CHECK_EQ(goru_chan_close(out), 0);
	goru_chan_unref(in);
	goru_chan_unref(out);
}

static void *caller(void *arg)
{
	uint64_t r = stress_rand(20 + (uint64_t)(uintptr_t)arg);
	goru_chan *in = goru_chan_make(sizeof(int), 0),
		  *out = goru_chan_make(sizeof(int), grt_rand_below(&r, 2));
	int i, v;

	GO(echo, goru_chan_ref(in), goru_chan_ref(out));
	for (i = 0; stress_more(); i++) {
		CHECK_EQ(goru_chan_send(in, &i), 0);
		if (grt_rand_below(&r, 2))
			gap(&r);
		CHECK_EQ(goru_chan_recv(out, &v), 1);
		CHECK_EQ(v, i);
		gap(&r);
	}
	CHECK_EQ(goru_chan_close(in), 0);
	CHECK_EQ(goru_chan_recv(out, &v), 0);
	goru_chan_unref(in);
	goru_chan_unref(out);
	return NULL;
}

static void test_echo(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		stress_thread(&t[i], caller, (void *)(uintptr_t)i);
	for (int i = 0; i < THREADS; i++)
		stress_join(t[i]);
}

/*
 * One wake-up has to bring all workers: n goroutines that each compute until all have come, n the number of Ps. The
 * first is handed in from outside, the others lie in rings.
 */
static _Atomic unsigned came;

static goru_waitgroup met;

static void meet_one(unsigned n)
{
	atomic_fetch_add_explicit(&came, 1, memory_order_acq_rel);
	while (atomic_load_explicit(&came, memory_order_acquire) < n)
		sched_yield();
	goru_waitgroup_done(&met);
}

static void meet_first(unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		GO(meet_one, n);
	meet_one(n);
}

static void test_all_come(void **state)
{
	uint64_t r = stress_rand(3);
	unsigned n = stress_procs();

	(void)state;
	while (stress_more()) {
		atomic_store(&came, 0);
		goru_waitgroup_add(&met, (int)n);
		GO(meet_first, n);
		CHECK_EQ(goru_waitgroup_wait(&met), 0);
		gap(&r);
	}
}

/* The same with all of them handed in from outside, through the shared queue, which the monitor does not look at: a worker
 * that stops looking because it found one of them has to see to the others. */
static void *hander(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	GO(meet_one, n);
	return NULL;
}

static void test_all_come_from_outside(void **state)
{
	uint64_t r = stress_rand(4);
	unsigned n = stress_procs() > 4 ? 4 : stress_procs();

	(void)state;
	while (stress_more()) {
		bool threads = grt_rand_below(&r, 8) == 0;
		pthread_t t[4];

		atomic_store(&came, 0);
		goru_waitgroup_add(&met, (int)n);
		for (unsigned i = 0; i < n; i++) {
			if (threads)
				stress_thread(&t[i], hander, (void *)(uintptr_t)n);
			else
				GO(meet_one, n);
			if (grt_rand_below(&r, 2))
				stress_spin(grt_rand_below(&r, 5000));
		}
		CHECK_EQ(goru_waitgroup_wait(&met), 0);
		for (unsigned i = 0; threads && i < n; i++)
			stress_join(t[i]);
		gap(&r);
	}
}

STRESS_MAIN("stress/wake", cmocka_unit_test(test_bursts), cmocka_unit_test(test_threads),
	    cmocka_unit_test(test_echo), cmocka_unit_test(test_all_come),
	    cmocka_unit_test(test_all_come_from_outside))
