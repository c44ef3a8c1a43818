/* spare.c - the threads that the monitor makes: used again, ended when unused, bounded, none because of a stop or of one
 * that is slow to begin. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_os_altstack_set */
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static _Atomic bool slow;
int __real_grt_os_altstack_set(void **out, size_t *size);
int __wrap_grt_os_altstack_set(void **out, size_t *size);

int __wrap_grt_os_altstack_set(void **out, size_t *size)
{
	if (atomic_load(&slow))
		usleep(50000);
	return __real_grt_os_altstack_set(out, size);
}

static _Atomic int inside, released;
static goru_waitgroup wg;

static void blocks(void)
{
	atomic_fetch_add(&inside, 1);
	while (!atomic_load(&released))
		usleep(20000);
	goru_waitgroup_done(&wg);
}

static void start(unsigned procs)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = procs;
	CHECK_EQ(goru_init(&cfg), 0);
	atomic_store(&inside, 0);
	atomic_store(&released, 0);
}

static goru_stats get(void)
{
	goru_stats st;

	CHECK_EQ(goru_stats_get(&st), 0);
	return st;
}

/* Threads that were needed once and are not any more end; then they are made again. */
static void spare_threads(void)
{
	enum { BLOCKED = 24 };

	setenv("GORU_DEBUG", "spare=20", 1);
	start(2);
	for (int round = 0; round < 2; round++) {
		atomic_store(&inside, 0);
		atomic_store(&released, 0);
		goru_waitgroup_add(&wg, BLOCKED);
		for (int i = 0; i < BLOCKED; i++)
			CHECK_EQ(go(blocks), 0);
		UNTIL(atomic_load(&inside) == BLOCKED);
		CHECK(get().threads >= BLOCKED);
		atomic_store(&released, 1);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		UNTIL(get().threads < 2 + 8);
		CHECK(get().threads >= 2);
	}
	CHECK_EQ(goru_shutdown(), 0);
	unsetenv("GORU_DEBUG");
}

/* The bound holds for threads that hand-off wants, and is said once. */
static void bounded(void)
{
	goru_config cfg = GORU_CONFIG_INIT;
	const char *said;

	cfg.procs = 1;
	cfg.max_threads = 3;
	atomic_store(&inside, 0);
	atomic_store(&released, 0);
	test_capture_begin();
	CHECK_EQ(goru_init(&cfg), 0);
	goru_waitgroup_add(&wg, 6);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(go(blocks), 0);
	UNTIL(atomic_load(&inside) == 3);
	UNTIL(*test_captured());
	usleep(250000); /* tried again meanwhile */
	CHECK_EQ(atomic_load(&inside), 3);
	CHECK_EQ(get().threads, 3);
	atomic_store(&released, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	said = test_capture_end();
	CHECK(!strcmp(
		said,
		"goru: no further thread can be made (max_threads); blocked goroutines hold others up "
		"until one is free\n"));
	CHECK_EQ(goru_shutdown(), 0);
}

/* Stopped for long and continued: the wall clock has jumped, and nobody has blocked. */
static void turns(_Atomic uint64_t *n)
{
	while (!atomic_load(&released)) {
		atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
		goru_yield();
	}
	goru_waitgroup_done(&wg);
}

static void stopped(void)
{
	_Atomic uint64_t n = 0;
	uint64_t before, threads;
	pid_t self = getpid(), helper;

	start(2);
	goru_waitgroup_add(&wg, 6);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(go(turns, &n), 0);
	UNTIL(atomic_load(&n) > 10000);
	threads = get().threads;
	helper = fork();
	if (!helper) {
		usleep(10000);
		kill(self, SIGSTOP);
		sleep(test_emulated() ? 1 : 5);
		kill(self, SIGCONT);
		_exit(0);
	}
	CHECK_EQ(waitpid(helper, NULL, 0), helper); /* it ends after it has continued us */
	before = atomic_load(&n);
	UNTIL(atomic_load(&n) > before + 100000);
	CHECK(get().threads <= threads + 1);
	atomic_store(&released, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

static void stop_and_continue(void)
{
	CHECK_LIVES(stopped, "");
}

/* A worker that has yet to look for work counts as one who will. */
static void done(void)
{
	goru_waitgroup_done(&wg);
}

static void slow_to_begin(void)
{
	test_handoff(false);
	atomic_store(&slow, true);
	start(1);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(done), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	atomic_store(&slow, false);
	CHECK_EQ(get().threads, 1);
	test_handoff(true);
}

TEST_MAIN(TEST(spare_threads), TEST(bounded), TEST(stop_and_continue), TEST(slow_to_begin))
