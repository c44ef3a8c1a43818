/* fork.c - fork while the runtime is on: the parent is as it was, and the child an ordinary process without a runtime. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 not=cross */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forks.h"

enum { STATUS = 7 };

static goru_chan *c;
static int64_t v;

static void execs(void)
{
	execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
	_exit(1);
}

static void pure(void)
{
	CHECK(goru_now() > 0 && goru_in(1) > 0 && goru_version());
}

static void what_is_possible(void)
{
	fork_lives(execs);
	fork_lives(pure);
	CHECK_EQ(goru_sleep(1), 0); /* the parent */
}

static bool blocked(int signo)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, signo);
}

/* As it was where the runtime was started. */
static void mask_of_the_start(void)
{
	CHECK(!blocked(SIGTERM) && !blocked(SIGINT) && !blocked(SIGCHLD) && !blocked(SIGUSR1));
	CHECK(blocked(SIGUSR2));
}

static void own_mask(void)
{
	CHECK(!blocked(SIGTERM) && blocked(SIGINT) && !blocked(SIGUSR2));
}

static void masks_on_goroutine(void)
{
	sigset_t own, before;

	CHECK(blocked(SIGTERM));
	fork_lives(mask_of_the_start);
	CHECK(blocked(SIGTERM));
	CHECK_EQ(goru_lock_thread(), 0);
	sigemptyset(&own);
	sigaddset(&own, SIGINT);
	pthread_sigmask(SIG_SETMASK, &own, &before);
	fork_lives(own_mask);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	CHECK_EQ(goru_unlock_thread(), 0);
}

static void masks(void)
{
	sigset_t usr2, before, one;

	CHECK_EQ(goru_shutdown(), 0);
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &usr2, &before);
	CHECK_EQ(goru_init(NULL), 0);
	RUN_ON_GOROUTINE(masks_on_goroutine);
	fork_lives(mask_of_the_start);
	sigemptyset(&one);
	sigaddset(&one, SIGINT);
	pthread_sigmask(SIG_SETMASK, &one, NULL);
	fork_lives(own_mask);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The child's own runtime. */

static void init_and_use(void)
{
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_init(NULL), -EALREADY);
	CHECK_EQ(goru_id(), 0);
	fork_uses_goru();
	CHECK_EQ(goru_shutdown(), 0);
	/* off now, as any other: it starts by itself */
	fork_uses_goru();
	RUN_ON_GOROUTINE(fork_uses_goru);
	CHECK_EQ(goru_shutdown(), 0);
}

static void yields(void)
{
	goru_yield();
}

static void init_refused(void)
{
	goru_config cfg = GORU_CONFIG_INIT;
	struct fork_end e;

	cfg.procs = 5000;
	CHECK_EQ(goru_init(&cfg), -EINVAL);
	fork_ends(yields, &e);
	CHECK(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGABRT);
	CHECK(!strncmp(e.err, FORK_SAYS, strlen(FORK_SAYS)));
	init_and_use();
}

static void forks_again(void)
{
	fork_lives(init_and_use);
}

static void init_and_fork(void)
{
	CHECK_EQ(goru_init(NULL), 0);
	forks_again();
	RUN_ON_GOROUTINE(forks_again);
	CHECK_EQ(goru_shutdown(), 0);
}

static void own_runtime(void)
{
	if (!FORK_MAY_BEGIN)
		return;
	fork_lives(init_and_use);
	fork_lives(init_refused);
	fork_lives(init_and_fork);
}

static void brackets(void)
{
	int pid = goru_blocking(fork());
	int status = 0;

	if (pid == 0)
		_exit(STATUS);
	CHECK_EQ(goru_blocking_sys(waitpid(pid, &status, 0)), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == STATUS);
}

/* Runtime off, and another thread in the middle of a wait: the child uses goru as the parent does. */

static void waits_long(void)
{
	CHECK_EQ(goru_chan_recv(c, &v), 1);
}

static void as_the_parent(void)
{
	fork_uses_goru();
	CHECK_EQ(goru_shutdown(), 0);
}

static void off(void)
{
	pthread_t t;

	CHECK_EQ(goru_shutdown(), 0);
	test_watch(NULL, 0); /* sanitizers and emulators want to fork from one thread */
	fork_lives(as_the_parent);
	if (!FORK_MAY_BEGIN)
		return;
	c = goru_chan_make(sizeof(v), 0);
	test_thread(&t, waits_long);
	UNTIL(test_asleep() == 1);
	CHECK_EQ(goru_shutdown(), 0); /* looking at it may have started it */
	fork_lives(as_the_parent);
	CHECK_EQ(goru_chan_send(c, &v), 0);
	test_join(t);
	goru_chan_unref(c);
}

/* While a shutdown waits for the goroutine that forks. */

static _Atomic bool begun;

static void forks_late(void *arg)
{
	atomic_store(&begun, true);
	test_await_shutdown();
	fork_lives(FORK_MAY_BEGIN ? init_and_use : pure);
	CHECK_EQ(goru_chan_send(arg, &v), 0);
}

static void in_a_shutdown(void)
{
	goru_chan *told = goru_chan_make(sizeof(v), 1);

	CHECK_EQ(goru_go(forks_late, told), 0);
	UNTIL(atomic_load(&begun));
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(goru_chan_len(told), 1);
	goru_chan_unref(told);
}

TEST_MAIN(TEST_BOTH(what_is_possible), TEST(masks), TEST_BOTH(own_runtime), TEST_BOTH(brackets),
	  TEST(in_a_shutdown), TEST(off))
