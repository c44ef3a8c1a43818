/* fork.c - forks in the middle of everything, by goroutines and plain threads: the parent goes on, the child begins anew. */
/* SPDX-License-Identifier: MIT */
/* test: not=cross */
#define _GNU_SOURCE
#include "stress.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitizer.h"

enum { LOAD = 30, THREADS = 2, CHILDREN = 40, CHILD_SECONDS = 60 };

static goru_chan *c;
static goru_mutex mu;
static goru_waitgroup wg, theirs;
static goru_timer timers[LOAD];
static _Atomic bool over;
static long counted;

static void nothing(void) {}

static void rings(void *arg)
{
	(void)arg;
}

/* Queues, locks, timers, stacks, threads: somebody is always in the middle of something. */
static void step(uint64_t *r, goru_timer *t)
{
	uint64_t v = 1;

	switch (grt_rand_below(r, 8)) {
	case 0:
		(void)goru_chan_send_until(c, &v, goru_in(grt_rand_below(r, 200000)));
		break;
	case 1:
		(void)goru_chan_recv_until(c, &v, goru_in(grt_rand_below(r, 200000)));
		break;
	case 2:
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		counted++;
		goru_mutex_unlock(&mu);
		break;
	case 3:
		CHECK_EQ(goru_timer_start(t, goru_in(grt_rand_below(r, 200000)), 0, rings, NULL),
			 0);
		break;
	case 4:
		GO(nothing);
		break;
	case 5:
		goru_blocking(usleep(grt_rand_below(r, 300)));
		break;
	case 6:
		goru_sleep(grt_rand_below(r, 200000));
		break;
	default:
		goru_yield();
	}
}

static void load(uint64_t i)
{
	uint64_t r = stress_rand(i);

	while (!atomic_load(&over))
		step(&r, &timers[i]);
	goru_timer_stop(&timers[i]);
	goru_waitgroup_done(&wg);
}

static void sends(goru_chan *to, uint64_t n)
{
	goru_sleep(n % 3 * 1000);
	CHECK_EQ(goru_chan_send(to, &n), 0);
	goru_waitgroup_done(&theirs);
}

/* The child's own: nothing of the parent's is in its way. */
static void begins_anew(void)
{
	goru_chan *own;
	uint64_t v, sum = 0;

	CHECK_EQ(goru_init(NULL), 0);
	own = goru_chan_make(sizeof(v), 1);
	theirs = (goru_waitgroup)GORU_WAITGROUP_INIT;
	goru_waitgroup_add(&theirs, CHILDREN);
	for (uint64_t i = 1; i <= CHILDREN; i++)
		GO(sends, own, i);
	for (int i = 0; i < CHILDREN; i++) {
		CHECK_EQ(goru_chan_recv(own, &v), 1);
		sum += v;
	}
	CHECK_EQ(sum, CHILDREN * (CHILDREN + 1) / 2);
	CHECK_EQ(goru_waitgroup_wait(&theirs), 0);
	goru_chan_unref(own);
	CHECK_EQ(goru_shutdown(), 0);
}

/* As in tests/api/fork.c. An emulator's own locks are as little looked after: not even _exit comes to pass there. */
static bool may_begin(void)
{
	return !GRT_ASAN_ON && !GRT_TSAN_ON;
}

static void forks(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(CHILD_SECONDS);
		if (may_begin())
			begins_anew();
		_exit(0);
	}
	CHECK(pid > 0);
	CHECK_EQ(goru_blocking_sys(waitpid(pid, &status, 0)), pid);
	CHECK_EQ(status, 0);
	stress_progress();
}

static void forker(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	while (!atomic_load(&over)) {
		forks();
		stress_pause(&r, 2000);
	}
	goru_waitgroup_done(&wg);
}

static void *thread(void *salt)
{
	uint64_t r = stress_rand((uintptr_t)salt);
	goru_timer t = GORU_TIMER_INIT;

	while (!atomic_load(&over))
		step(&r, &t);
	goru_timer_stop(&t);
	return NULL;
}

static void in_the_middle(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	c = goru_chan_make(sizeof(uint64_t), 2);
	goru_waitgroup_add(&wg, LOAD + 2);
	for (uint64_t i = 0; i < LOAD; i++)
		GO(load, i);
	for (uintptr_t i = 0; i < THREADS; i++)
		stress_thread(&t[i], thread, (void *)(100 + i));
	GO(forker, 200);
	GO(forker, 201);
	while (stress_more())
		forks();
	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++)
		stress_join(t[i]);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	goru_chan_unref(c);
	CHECK_EQ(goru_shutdown(), 0);
}

STRESS_MAIN("fork", cmocka_unit_test(in_the_middle))
