/* thread.c - the runtime's threads: name, signals, bounds, alternate stack, what others see of them; and the clock. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"
#include "os/os.h"

static char name[32];
static sigset_t mask;

static void *look(void *arg)
{
	/* the name is given by the starter, maybe a moment later */
	for (int i = 0; i < 2000 && strcmp(name, "goru-test") != 0; i++) {
		pthread_getname_np(pthread_self(), name, sizeof(name));
		test_nap();
	}
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	return arg;
}

static void started_with_signals_blocked(void)
{
	static const int open[] = { SIGSEGV, SIGBUS, SIGFPE,  SIGILL,
				    SIGTRAP, SIGSYS, SIGABRT, SIGPROF };
	static const int blocked[] = { SIGINT,	SIGTERM, SIGHUP,  SIGCHLD,
				       SIGALRM, SIGUSR1, SIGPIPE, SIGWINCH };
	sigset_t before, after;
	pthread_t t;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	CHECK_EQ(grt_os_thread_start(&t, look, NULL, "goru-test"), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	grt_os_thread_join(t);
	CHECK(!strcmp(name, "goru-test"));
	for (size_t i = 0; i < grt_countof(open); i++)
		CHECK(!sigismember(&mask, open[i]));
	for (size_t i = 0; i < grt_countof(blocked); i++)
		CHECK(sigismember(&mask, blocked[i]) == 1);
	/* the starter's own are as they were */
	for (int sig = 1; sig < 32; sig++)
		CHECK_EQ(sigismember(&before, sig), sigismember(&after, sig));
}

static void bounds_hold_the_caller(void)
{
	const void *lo = NULL;
	size_t size = 0;
	/* not the address of a local, which a sanitizer may have put elsewhere */
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	grt_os_thread_bounds(&lo, &size);
	CHECK(size > 0 && here >= (uintptr_t)lo && here < (uintptr_t)lo + size);
}

static void check_altstack(void)
{
	stack_t old = { 0 }, now;
	void *base = NULL;
	size_t size = 0;

	sigaltstack(NULL, &old);
	CHECK_EQ(grt_os_altstack_set(&base, &size), 0);
	CHECK(size >= 16384);
	sigaltstack(NULL, &now);
	CHECK(now.ss_sp == base && now.ss_size == size && !(now.ss_flags & SS_DISABLE));
	memset(base, 1, size);
	grt_os_altstack_clear(base, size);
	sigaltstack(NULL, &now);
	CHECK(now.ss_flags & SS_DISABLE);
	if (!(old.ss_flags & SS_DISABLE)) /* the sanitizers have one of their own */
		sigaltstack(&old, NULL);
}

static void altstack_comes_and_goes(void)
{
	size_t before = test_address_space();

	/* what is left of each would be more than the little that a sanitizer maps of its own */
	for (int i = 0; i < 8000; i++)
		check_altstack();
	CHECK(test_address_space() < before + (16 << 20));
}

static void clock_is_monotonic(void)
{
	int64_t last = grt_os_now(), now;
	struct timespec ts;

	for (int i = 0; i < 1000; i++, last = now) {
		now = grt_os_now();
		CHECK(now >= last);
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (int64_t)ts.tv_sec * GORU_SEC + ts.tv_nsec;
	CHECK(now >= last && now <= grt_os_now());
}

/* A thread as the monitor looks at it. */
static _Atomic uint32_t tid;
static _Atomic int step;

static void *computes_then_sleeps(void *arg)
{
	atomic_store(&tid, grt_os_thread_id());
	while (atomic_load(&step) == 0)
		;
	while (atomic_load(&step) == 1)
		pause();
	return arg;
}

static void nothing(int sig)
{
	(void)sig;
}

static bool quiet(uint32_t id)
{
	int64_t used = grt_os_thread_cpu(id);

	usleep(2000);
	return used > 0 && grt_os_thread_cpu(id) == used;
}

static void others_are_looked_at(void)
{
	struct sigaction sa = { .sa_handler = nothing };
	int64_t used;
	pthread_t t;

	CHECK_EQ(grt_os_thread_cpu(0), -1);
	CHECK_EQ(grt_os_thread_cpu(1), -1); /* another process */
	CHECK_EQ(grt_os_thread_sleeps(0), -1);
	CHECK_EQ(grt_os_thread_sleeps(grt_os_thread_id()), 0);
	CHECK(grt_os_thread_cpu(grt_os_thread_id()) > 0);

	sigaction(SIGUSR2, &sa, NULL);
	CHECK_EQ(pthread_create(&t, NULL, computes_then_sleeps, NULL), 0);
	UNTIL(atomic_load(&tid));
	used = grt_os_thread_cpu(atomic_load(&tid));
	UNTIL(grt_os_thread_cpu(atomic_load(&tid)) > used + 1000000);
	CHECK_EQ(grt_os_thread_sleeps(atomic_load(&tid)), 0);
	atomic_store(&step, 1);
	UNTIL(grt_os_thread_sleeps(atomic_load(&tid)) == 1);
	UNTIL(quiet(atomic_load(&tid))); /* it may have been on its way there */
	atomic_store(&step, 2);
	pthread_kill(t, SIGUSR2);
	pthread_join(t, NULL);
	UNTIL(grt_os_thread_sleeps(atomic_load(&tid)) == -1);
	CHECK_EQ(grt_os_thread_cpu(atomic_load(&tid)), -1);
}

TEST_MAIN(TEST(others_are_looked_at), TEST(started_with_signals_blocked),
	  TEST(bounds_hold_the_caller), TEST(altstack_comes_and_goes), TEST(clock_is_monotonic))
