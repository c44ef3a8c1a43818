/* procs.c - the number of Ps goes up and down at random under load; nothing queued and no deadline is lost. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <unistd.h>

#include "rt/self.h"

enum { LOAD = 24, MAX = 20 };

static goru_waitgroup wg;
static _Atomic int64_t sent, got;
static goru_chan *c;

static void child(void)
{
	uint64_t v = 1;

	CHECK_EQ(goru_chan_send(c, &v), 0);
	atomic_fetch_add(&sent, 1);
	goru_waitgroup_done(&wg);
}

static void load(uint64_t salt)
{
	uint64_t r = stress_rand(salt), v;

	while (stress_more()) {
		switch (grt_rand_below(&r, 8)) {
		case 0: {
			int64_t end = goru_in(grt_rand_below(&r, 300000));

			CHECK_EQ(goru_sleep_until(end), 0);
			CHECK(goru_now() >= end);
			break;
		}
		case 1:
			if (goru_chan_recv_until(c, &v, goru_in(50000)) == 1)
				atomic_fetch_add(&got, 1);
			break;
		case 2:
			goru_waitgroup_add(&wg, 1);
			GO(child);
			break;
		case 3:
			stress_spin(grt_rand_below(&r, 100000));
			break;
		case 4:
			goru_blocking(usleep(grt_rand_below(&r, 100)));
			break;
		case 5:
			if (grt_rand_below(&r, 8) == 0)
				CHECK_EQ(goru_set_procs(1 + grt_rand_below(&r, MAX)), 0);
			break;
		default:
			goru_yield();
			break;
		}
	}
	goru_waitgroup_done(&wg);
}

static void drainer(void)
{
	uint64_t v;

	while (goru_chan_recv(c, &v) > 0)
		atomic_fetch_add(&got, 1);
	goru_waitgroup_done(&wg);
}

static void *changer(void *arg)
{
	uint64_t r = stress_rand((uint64_t)(uintptr_t)arg);

	while (stress_more()) {
		unsigned n = 1 + grt_rand_below(&r, grt_rand_below(&r, 2) ? MAX : 3);

		CHECK_EQ(goru_set_procs(n), 0);
		CHECK(goru_procs() >= 1 && goru_procs() <= MAX);
		usleep(grt_rand_below(&r, 2000));
	}
	return NULL;
}

static void test_under_load(void **state)
{
	pthread_t t[2];

	(void)state;
	c = goru_chan_make(8, 4);
	goru_waitgroup_add(&wg, LOAD);
	for (uint64_t i = 0; i < LOAD; i++)
		GO(load, i);
	for (uintptr_t i = 0; i < 2; i++)
		stress_thread(&t[i], changer, (void *)(100 + i));
	for (int i = 0; i < 2; i++)
		stress_join(t[i]);
	/* the children that still wait to send */
	GO(drainer);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_chan_close(c), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(atomic_load(&sent), atomic_load(&got));
	goru_chan_unref(c);
	CHECK_EQ(goru_set_procs(stress_procs()), 0);
}

/* Sleepers only, everything idle: the Ps whose heaps their deadlines lie in go away. */
static _Atomic int woken;

static void sleeper(int64_t ns)
{
	int64_t end = goru_in(ns);

	CHECK_EQ(goru_sleep_until(end), 0);
	CHECK(goru_now() >= end);
	atomic_fetch_add(&woken, 1);
}

static void test_idle(void **state)
{
	uint64_t r = stress_rand(3);

	(void)state;
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, 40);

		atomic_store(&woken, 0);
		CHECK_EQ(goru_set_procs(MAX), 0);
		for (int i = 0; i < n; i++)
			GO(sleeper, (int64_t)(1 + grt_rand_below(&r, 10)) * GORU_MSEC);
		usleep(grt_rand_below(&r, 3000));
		CHECK_EQ(goru_set_procs(1 + grt_rand_below(&r, 3)), 0);
		STRESS_UNTIL(atomic_load(&woken) == n);
	}
	CHECK_EQ(goru_set_procs(stress_procs()), 0);
}

/*
 * Goroutines compute on two Ps; then one P is left. The one on it ends, and the runtime is given time to fall asleep
 * altogether. Then the other, whose P has to go, sets a deadline and parks: somebody has to see to that.
 */
static _Atomic int computing, release;

/* Only for these tests: nobody takes the P away but when we enter. */
static bool above(void)
{
	struct m *m = grt_arch_self();
	struct p *p = grt_load(&m->p);

	return p && p->id > 0;
}

static void computer(void)
{
	int64_t end;

	atomic_fetch_add(&computing, 1);
	while (atomic_load(&release) < 1)
		grt_relax();
	while (above() && atomic_load(&release) < 2)
		grt_relax();
	end = goru_in(3 * GORU_MSEC);
	CHECK_EQ(goru_sleep_until(end), 0);
	CHECK(goru_now() >= end);
	goru_waitgroup_done(&wg);
}

static void one_stays(void (*fn)(void), bool patient)
{
	CHECK_EQ(goru_set_procs(2), 0);
	atomic_store(&computing, 0);
	atomic_store(&release, 0);
	goru_waitgroup_add(&wg, 2);
	GO(fn);
	GO(fn);
	STRESS_UNTIL(atomic_load(&computing) == 2);
	CHECK_EQ(goru_set_procs(1), 0);
	atomic_store(&release, 1);
	for (int i = 0; i < (patient ? 13 : 1); i++) {
		usleep(patient ? 100000 : 5000);
		stress_progress();
	}
	atomic_store(&release, 2);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(goru_set_procs(stress_procs()), 0);
}

static void test_retired_sleeps(void **state)
{
	(void)state;
	while (stress_more())
		one_stays(computer, false);
	if (stress_long())
		one_stays(computer, true);
}

/* Or it readies another one, and computes on: that one runs meanwhile, on the P that is left. */
static _Atomic int answered;

static void answer(void)
{
	atomic_store(&answered, 1);
}

static void asker(void)
{
	atomic_fetch_add(&computing, 1);
	while (atomic_load(&release) < 1)
		grt_relax();
	while (above() && atomic_load(&release) < 2)
		grt_relax();
	if (above()) {
		atomic_store(&answered, 0);
		GO(answer);
		while (!atomic_load(&answered))
			grt_relax();
	}
	goru_waitgroup_done(&wg);
}

static void test_retired_asks(void **state)
{
	(void)state;
	while (stress_more())
		one_stays(asker, false);
	if (stress_long())
		one_stays(asker, true);
}

STRESS_MAIN("stress/procs", cmocka_unit_test(test_under_load), cmocka_unit_test(test_idle),
	    cmocka_unit_test(test_retired_sleeps), cmocka_unit_test(test_retired_asks))
