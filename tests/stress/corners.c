/* corners.c - narrow cases of hand-over, retiring and timers, where what is left out elsewhere makes good for most. */
/* SPDX-License-Identifier: MIT */
/* test: procs=2 */
#include "stress.h"

#include <errno.h>
#include <unistd.h>

#include "rt/self.h"

static goru_waitgroup wg;
static _Atomic bool stop;

static void finish(void)
{
	atomic_store(&stop, true);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	atomic_store(&stop, false);
}

/* A receive from a full buffer ends the send that waits for room: without any further receive. */
static void sender(goru_chan *c, _Atomic int *sent)
{
	for (int i = 1; i <= 2; i++) {
		CHECK_EQ(goru_chan_send(c, &i), 0);
		atomic_store(sent, i);
	}
	goru_waitgroup_done(&wg);
}

static void test_room(void **state)
{
	(void)state;
	while (stress_more()) {
		goru_chan *c = goru_chan_make(sizeof(int), 1);
		_Atomic int sent = 0;
		int v = 0;

		goru_waitgroup_add(&wg, 1);
		GO(sender, c, &sent);
		STRESS_UNTIL(atomic_load(&sent) == 1);
		stress_nap(); /* it may wait for room by now */
		CHECK_EQ(goru_chan_recv(c, &v), 1);
		CHECK_EQ(v, 1);
		STRESS_UNTIL(atomic_load(&sent) == 2);
		CHECK_EQ(goru_chan_len(c), 1);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		goru_chan_unref(c);
	}
}

/*
 * Two Ps, two Ms, no third to be had. One goroutine gives its P away while its child is the newest there; the other
 * comes back from a call of its own to the P it had, and must find the child on the first one's.
 */
static int fd[2];
static _Atomic int gone;

static void child(void)
{
	CHECK_EQ(write(fd[1], "x", 1), 1);
}

static void parent(void)
{
	char b;

	STRESS_UNTIL(atomic_load(&gone) == 1);
	stress_nap(); /* the other is without its P by now */
	GO(child);
	atomic_store(&gone, 2);
	CHECK_EQ(goru_blocking_sys(read(fd[0], &b, 1)), 1);
	atomic_store(&gone, 3);
	goru_waitgroup_done(&wg);
}

static void other(void)
{
	goru_block_enter();
	atomic_store(&gone, 1);
	STRESS_UNTIL(atomic_load(&gone) == 2);
	stress_nap();
	stress_nap();
	goru_block_exit();
	while (atomic_load(&gone) != 3)
		CHECK_EQ(goru_sleep(200 * GORU_USEC), 0);
	goru_waitgroup_done(&wg);
}

static void test_hidden_child(void **state)
{
	goru_config cfg = { .struct_size = sizeof(cfg), .procs = 2, .max_threads = 2 };

	(void)state;
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(goru_init(&cfg), 0);
	CHECK_EQ(pipe(fd), 0);
	while (stress_more()) {
		atomic_store(&gone, 0);
		goru_waitgroup_add(&wg, 2);
		GO(parent);
		GO(other);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
	close(fd[0]);
	close(fd[1]);
	CHECK_EQ(goru_shutdown(), 0);
}

/* A timer falls due on a P whose goroutine computes: an idle worker sees to it. */
static void napper(_Atomic int *step)
{
	atomic_store(step, 1);
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	atomic_store(step, 2);
}

static void computer(void)
{
	while (stress_more()) {
		_Atomic int step = 0;

		GO(napper, &step);
		while (!atomic_load(&step))
			goru_yield();
		while (atomic_load(&step) != 2)
			grt_relax();
	}
	goru_waitgroup_done(&wg);
}

static void test_computing(void **state)
{
	(void)state;
	CHECK_EQ(goru_set_procs(2), 0);
	goru_waitgroup_add(&wg, 1);
	GO(computer);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* Who yields goes into the ring, and wakes nobody for that: one who computes then must not keep it there. */
static void spinner(_Atomic int *step)
{
	while (!atomic_load(step))
		grt_relax();
	atomic_store(step, 2);
}

static void yielder(void)
{
	while (stress_more()) {
		_Atomic int step = 0;

		GO(spinner, &step);
		goru_yield();
		atomic_store(&step, 1);
		while (atomic_load(&step) != 2)
			goru_yield();
	}
	goru_waitgroup_done(&wg);
}

static void test_yielded(void **state)
{
	(void)state;
	stress_handoff(false); /* which would take the computing one's P */
	CHECK_EQ(goru_set_procs(2), 0);
	goru_waitgroup_add(&wg, 1);
	GO(yielder);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	stress_handoff(true);
	CHECK_EQ(goru_set_procs(2), 0);
}

/* A timer of a P that all are busy with fires after a few turns of theirs, not at the shared queue's. */
static _Atomic int turns;
static goru_waitgroup naps;

static void worker(void)
{
	while (!atomic_load(&stop)) {
		stress_spin(5 * GORU_MSEC);
		atomic_fetch_add(&turns, 1);
		goru_yield();
	}
	goru_waitgroup_done(&wg);
}

static void counts_turns(_Atomic int *all)
{
	int from = atomic_load(&turns);

	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	atomic_fetch_add(all, atomic_load(&turns) - from);
	goru_waitgroup_done(&naps);
}

static void test_turns(void **state)
{
	enum { SLEEPS = 4 };
	_Atomic int all = 0;

	(void)state;
	CHECK_EQ(goru_set_procs(1), 0);
	goru_waitgroup_add(&wg, 2);
	GO(worker);
	GO(worker);
	for (int i = 0; i < SLEEPS; i++) {
		goru_waitgroup_add(&naps, 1);
		GO(counts_turns, &all);
		CHECK_EQ(goru_waitgroup_wait(&naps), 0);
	}
	CHECK(atomic_load(&all) < SLEEPS * 40); /* some 5 each; 61 without */
	finish();
	CHECK_EQ(goru_set_procs(2), 0);
}

/* Who runs on a P that has to go gets another one, and one only runs at a time. */
enum { MANY = 24 };
static _Atomic int inside, crowded, turn[MANY];

static void runner(int i)
{
	while (!atomic_load(&stop)) {
		if (atomic_fetch_add(&inside, 1))
			atomic_fetch_add(&crowded, 1);
		stress_spin(2000);
		atomic_fetch_sub(&inside, 1);
		atomic_fetch_add(&turn[i], 1);
		goru_yield();
	}
	goru_waitgroup_done(&wg);
}

static void test_retired_busy(void **state)
{
	(void)state;
	while (stress_more()) {
		int seen[MANY], was;

		CHECK_EQ(goru_set_procs(4), 0);
		goru_waitgroup_add(&wg, MANY);
		for (int i = 0; i < MANY; i++)
			GO(runner, i);
		for (int i = 0; i < 10; i++)
			stress_nap();
		CHECK_EQ(goru_set_procs(1), 0);
		do {
			was = atomic_load(&crowded);
			for (int i = 0; i < 50; i++)
				stress_nap();
		} while (atomic_load(&crowded) != was);
		stress_progress();
		for (int i = 0; i < MANY; i++)
			seen[i] = atomic_load(&turn[i]);
		for (int i = 0; i < MANY; i++)
			STRESS_UNTIL(atomic_load(&turn[i]) > seen[i] + 2);
		finish();
	}
	CHECK_EQ(goru_set_procs(2), 0);
}

/* Deadlines of a P that went fall due on one that always has something else to do. */
static void sleeper(_Atomic int *slept)
{
	stress_spin(50000); /* others take some of us */
	CHECK_EQ(goru_sleep(30 * GORU_MSEC), 0);
	atomic_fetch_add(slept, 1);
	goru_waitgroup_done(&wg);
}

static void test_retired_sleepers(void **state)
{
	(void)state;
	while (stress_more()) {
		_Atomic int slept = 0;

		CHECK_EQ(goru_set_procs(4), 0);
		goru_waitgroup_add(&wg, MANY);
		for (int i = 0; i < MANY; i++)
			GO(sleeper, &slept);
		for (int i = 0; i < 40; i++)
			stress_nap();
		CHECK_EQ(goru_set_procs(1), 0);
		goru_waitgroup_add(&wg, 2);
		GO(runner, 0);
		GO(runner, 1);
		STRESS_UNTIL(atomic_load(&slept) == MANY);
		finish();
	}
	CHECK_EQ(goru_set_procs(2), 0);
}

/*
 * The last to sleep does so on a P that has to go, when the one that is left is idle already: no worker sleeps for its
 * deadline, and the monitor, which had nothing left to do meanwhile, must.
 */
static _Atomic int computing, release;

static bool above(void)
{
	struct p *p = grt_load(&grt_arch_self()->p);

	return p && p->id > 0;
}

static void one_of_two(void)
{
	atomic_fetch_add(&computing, 1);
	while (atomic_load(&release) < 1)
		grt_relax();
	if (above()) {
		while (atomic_load(&release) < 2)
			grt_relax();
		CHECK_EQ(goru_sleep(1800 * GORU_MSEC), 0);
	}
	goru_waitgroup_done(&wg);
}

static void test_retired_deadline(void **state)
{
	(void)state;
	if (!stress_long())
		skip();
	CHECK_EQ(goru_set_procs(2), 0);
	atomic_store(&computing, 0);
	atomic_store(&release, 0);
	goru_waitgroup_add(&wg, 2);
	GO(one_of_two);
	GO(one_of_two);
	STRESS_UNTIL(atomic_load(&computing) == 2);
	CHECK_EQ(goru_set_procs(1), 0);
	atomic_store(&release, 1);
	for (int i = 0; i < 100; i++)
		stress_nap();
	atomic_store(&release, 2);
	stress_progress();
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	stress_progress();
	CHECK_EQ(goru_set_procs(2), 0);
}

/* Records of goroutines that ended inside brackets: the next ones on them begin outside. */
static void leaver(void)
{
	goru_block_enter();
	goru_waitgroup_done(&wg);
}

static void asker(void)
{
	char b;

	GO(child);
	CHECK_EQ(goru_blocking_sys(read(fd[0], &b, 1)), 1);
	goru_waitgroup_done(&wg);
}

static void test_left_open(void **state)
{
	enum { LEAVERS = 100 }; /* more than a P keeps */

	(void)state;
	stress_handoff(false); /* but for brackets that are the outermost */
	CHECK_EQ(goru_set_procs(1), 0);
	CHECK_EQ(pipe(fd), 0);
	while (stress_more()) {
		goru_waitgroup_add(&wg, LEAVERS);
		for (int i = 0; i < LEAVERS; i++)
			GO(leaver);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		for (int i = 0; i < LEAVERS; i++) {
			goru_waitgroup_add(&wg, 1);
			GO(asker);
			CHECK_EQ(goru_waitgroup_wait(&wg), 0);
			stress_progress();
		}
	}
	close(fd[0]);
	close(fd[1]);
	stress_handoff(true);
	CHECK_EQ(goru_set_procs(2), 0);
}

/* errno of the one that ran before is not the new one's. */
static __attribute__((noinline)) int swap_errno(int e)
{
	int was = errno;

	errno = e;
	return was;
}

static void begins_clean(void)
{
	CHECK_EQ(swap_errno(ERANGE), 0);
	goru_yield();
	CHECK_EQ(swap_errno(EDOM), ERANGE);
	goru_waitgroup_done(&wg);
}

static void test_errno(void **state)
{
	(void)state;
	while (stress_more()) {
		goru_waitgroup_add(&wg, MANY);
		for (int i = 0; i < MANY; i++)
			GO(begins_clean);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

/* Those who always have something to do do not keep shutdown waiting. */
static void for_ever(void)
{
	for (;;)
		goru_yield();
}

static void test_shutdown_busy(void **state)
{
	(void)state;
	while (stress_more()) {
		for (int i = 0; i < 6; i++)
			GO(for_ever);
		stress_nap();
		CHECK_EQ(goru_shutdown(), 0);
	}
}

STRESS_MAIN("stress/corners", cmocka_unit_test(test_room), cmocka_unit_test(test_hidden_child),
	    cmocka_unit_test(test_computing), cmocka_unit_test(test_yielded),
	    cmocka_unit_test(test_turns), cmocka_unit_test(test_retired_busy),
	    cmocka_unit_test(test_retired_sleepers), cmocka_unit_test(test_retired_deadline),
	    cmocka_unit_test(test_left_open), cmocka_unit_test(test_errno),
	    cmocka_unit_test(test_shutdown_busy))
