/* fair.c - two goroutines that wake each other for ever hold up nobody: ring, shared queue, timers, plain threads. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <sched.h>

static _Atomic int64_t rallies;
static goru_waitgroup wg;

static void player(goru_chan *in, goru_chan *out, bool serve)
{
	int v = 0;

	if (serve)
		(void)goru_chan_send(out, &v);
	while (goru_chan_recv(in, &v) > 0) {
		atomic_fetch_add_explicit(&rallies, 1, memory_order_relaxed);
		if (goru_chan_send(out, &v) < 0)
			break;
	}
	goru_chan_unref(in);
	goru_chan_unref(out);
	goru_waitgroup_done(&wg);
}

/* As many pairs as there are Ps, so that every one is taken. */
enum { PAIRS = 32 };
static goru_chan *court[PAIRS][2];
static unsigned pairs;

static void begin(size_t cap)
{
	pairs = stress_procs() > PAIRS ? PAIRS : stress_procs();
	goru_waitgroup_add(&wg, 2 * (int)pairs);
	for (unsigned i = 0; i < pairs; i++) {
		court[i][0] = goru_chan_make(sizeof(int), cap);
		court[i][1] = goru_chan_make(sizeof(int), cap);
		GO(player, goru_chan_ref(court[i][0]), goru_chan_ref(court[i][1]), true);
		GO(player, goru_chan_ref(court[i][1]), goru_chan_ref(court[i][0]), false);
	}
}

static void finish(void)
{
	for (unsigned i = 0; i < pairs; i++) {
		CHECK_EQ(goru_chan_close(court[i][0]), 0);
		CHECK_EQ(goru_chan_close(court[i][1]), 0);
		goru_chan_unref(court[i][0]);
		goru_chan_unref(court[i][1]);
	}
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

static _Atomic int64_t third;

/* From a plain thread: through the shared queue. */
static void bump(void)
{
	atomic_fetch_add_explicit(&third, 1, memory_order_release);
}

static void outsiders(size_t cap)
{
	begin(cap);
	while (stress_more()) {
		int64_t was = atomic_load(&third);

		GO(bump);
		while (atomic_load_explicit(&third, memory_order_acquire) == was)
			sched_yield();
	}
	finish();
}

static void test_shared_queue(void **state)
{
	(void)state;
	outsiders(0);
	stress_again();
	outsiders(1);
}

/* In the same ring: it yields. Its turns are counted against theirs: they may not get a thousand times more. */
static void yielder(_Atomic bool *stop)
{
	while (!atomic_load_explicit(stop, memory_order_relaxed)) {
		goru_yield();
		atomic_fetch_add_explicit(&third, 1, memory_order_relaxed);
	}
	goru_waitgroup_done(&wg);
}

static void test_ring(void **state)
{
	_Atomic bool stop = false;

	(void)state;
	begin(0);
	goru_waitgroup_add(&wg, 1);
	GO(yielder, &stop);
	while (stress_more()) {
		int64_t was = atomic_load(&third);

		while (atomic_load_explicit(&third, memory_order_relaxed) < was + 10)
			sched_yield();
	}
	atomic_store(&stop, true);
	finish();
}

/* What one P took from the shared queue at once and nobody else takes, behind two that rally. */
static void gate(_Atomic int *at)
{
	atomic_store(at, 1);
	while (atomic_load(at) != 2)
		grt_relax();
	goru_waitgroup_done(&wg);
}

static void test_taken_at_once(void **state)
{
	(void)state;
	while (stress_more()) {
		int64_t was = atomic_load(&third);
		_Atomic int at = 0;

		goru_waitgroup_add(&wg, 1);
		GO(gate, &at);
		STRESS_UNTIL(atomic_load(&at) == 1);
		begin(0);
		GO(bump);
		atomic_store(&at, 2);
		while (atomic_load_explicit(&third, memory_order_acquire) == was)
			sched_yield();
		finish();
	}
}

/* Goroutines spawned while the players rally, by one that parks then: on one P each has its turn after so many rallies,
 * those already there do not wait for the monitor. */
enum { CHILDREN = 200, SOON = CHILDREN * 1000 };

static void parent(_Atomic bool *stop)
{
	while (!atomic_load_explicit(stop, memory_order_relaxed)) {
		int64_t was = atomic_load(&rallies);
		goru_waitgroup mine = { 0 };

		goru_waitgroup_add(&mine, CHILDREN);
		for (int i = 0; i < CHILDREN; i++)
			GO(goru_waitgroup_done, &mine);
		CHECK_EQ(goru_waitgroup_wait(&mine), 0);
		if (stress_procs() == 1)
			CHECK(atomic_load(&rallies) - was < SOON);
		atomic_fetch_add_explicit(&third, 1, memory_order_relaxed);
	}
	goru_waitgroup_done(&wg);
}

static void test_spawned(void **state)
{
	_Atomic bool stop = false;

	(void)state;
	stress_handoff(false); /* a parent without its P would count what is no turn of its */
	begin(0);
	goru_waitgroup_add(&wg, 1);
	GO(parent, &stop);
	while (stress_more()) {
		int64_t was = atomic_load(&third);

		while (atomic_load_explicit(&third, memory_order_relaxed) < was + 1)
			sched_yield();
	}
	atomic_store(&stop, true);
	finish();
	stress_handoff(true);
}

/* A sleeper on the same P wakes; and one that gives up waiting. */
static void sleeper(_Atomic bool *stop)
{
	goru_chan *never = goru_chan_make(0, 0);

	while (!atomic_load_explicit(stop, memory_order_relaxed)) {
		CHECK_EQ(goru_sleep(20 * GORU_USEC), 0);
		CHECK_EQ(goru_chan_recv_until(never, NULL, goru_in(20 * GORU_USEC)), -ETIMEDOUT);
		atomic_fetch_add_explicit(&third, 1, memory_order_relaxed);
	}
	goru_chan_unref(never);
	goru_waitgroup_done(&wg);
}

static void test_timer(void **state)
{
	_Atomic bool stop = false;

	(void)state;
	begin(0);
	goru_waitgroup_add(&wg, 1);
	GO(sleeper, &stop);
	while (stress_more()) {
		int64_t was = atomic_load(&third);

		while (atomic_load_explicit(&third, memory_order_relaxed) < was + 3)
			sched_yield();
	}
	atomic_store(&stop, true);
	finish();
}

static _Atomic int64_t outside;

static void bump_outside(void)
{
	atomic_fetch_add_explicit(&outside, 1, memory_order_release);
}

/* A goroutine that yields for ever, alone on its P, lets the shared queue through, with timers and without. */
static void lone_yielder(bool timers)
{
	_Atomic bool stop = false;

	goru_waitgroup_add(&wg, (int)stress_procs() + timers);
	for (unsigned i = 0; i < stress_procs(); i++)
		GO(yielder, &stop);
	if (timers)
		GO(sleeper, &stop);
	while (stress_more()) {
		int64_t was = atomic_load(&outside);

		GO(bump_outside);
		while (atomic_load_explicit(&outside, memory_order_acquire) == was)
			sched_yield();
	}
	atomic_store(&stop, true);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

static void test_lone_yielder(void **state)
{
	(void)state;
	lone_yielder(false);
}

static void test_lone_yielder_and_timers(void **state)
{
	(void)state;
	lone_yielder(true);
}

STRESS_MAIN("stress/fair", cmocka_unit_test(test_shared_queue), cmocka_unit_test(test_ring),
	    cmocka_unit_test(test_taken_at_once), cmocka_unit_test(test_spawned),
	    cmocka_unit_test(test_timer), cmocka_unit_test(test_lone_yielder),
	    cmocka_unit_test(test_lone_yielder_and_timers))
