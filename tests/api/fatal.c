/* fatal.c - stack overflow is named, and other faults are the program's. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deep.h"
#include "test.h"

/* Each of these runs in a child process. */

static void run(void (*fn)(void *), size_t stack, const char *name)
{
	goru_attr a = { .stack_size = stack, .name = name };

	CHECK_EQ(goru_go_attr(&a, fn, NULL), 0);
	pause();
}

static void recurses(void *arg)
{
	(void)arg;
	test_overflow();
}

static void overflow(void)
{
	run(recurses, 0, "worker");
}

static void overflow_without_name(void)
{
	run(recurses, 0, NULL);
}

static void overflow_small(void)
{
	run(recurses, 16384, "a name that is longer than thirty-one");
}

/* One big frame, smaller than the guard, that touches only its far end. */
static __attribute__((noinline)) int steps(int n)
{
	volatile char use[24000];

	use[0] = (char)n;
	return n < 0 ? 0 : steps(n + 1) + use[0];
}

static void strides(void *arg)
{
	(void)arg;
	steps(0);
}

static void overflow_by_a_big_frame(void)
{
	run(strides, 0, "big");
}

static void parked(void *arg)
{
	goru_chan_recv(arg, NULL);
}

/* The second of two goroutines that have both been switched to and from. */
static void recurses_later(void *arg)
{
	goru_sleep(2 * GORU_MSEC);
	goru_yield();
	recurses(arg);
}

static void overflow_among_others(void)
{
	goru_attr a = { .name = "bystander" };
	goru_chan *c = goru_chan_make(0, 0);

	test_handoff(false); /* else it may have lost its P, and be shown so */
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_go_attr(&a, parked, c), 0);
	UNTIL(test_parked() == 1);
	run(recurses_later, 0, "worker");
}

static void overflow_is_named(void)
{
	static struct test_end c;

	CHECK_DIES(overflow,
		   "goru: fatal: stack overflow in goroutine 1 (worker), 262144-byte stack");
	CHECK_DIES(overflow_without_name,
		   "goru: fatal: stack overflow in goroutine 1, 262144-byte stack");
	CHECK_DIES(
		overflow_small,
		"goru: fatal: stack overflow in goroutine 1 (a name that is longer than thir), 16384-byte stack");
	CHECK_DIES(overflow_by_a_big_frame,
		   "goru: fatal: stack overflow in goroutine 1 (big), 262144-byte stack");
	test_child(overflow_among_others, &c);
	CHECK(strstr(c.err,
		     "goru: fatal: stack overflow in goroutine 2 (worker), 262144-byte stack\n"));
	test_drop_ages(c.err);
	CHECK(strstr(c.err, "\ngoroutine 1 (bystander) [waiting: chan recv]\n"));
	CHECK(strstr(c.err, "\ngoroutine 2 (worker) [running]\n"));
	CHECK(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGABRT);
}

/* Another fault is not an overflow: it goes where it would have gone. */
static void touch_nothing(void)
{
	volatile uintptr_t at = 8;

	*(volatile int *)at = 1;
}

static void faults(void *arg)
{
	(void)arg;
	touch_nothing();
}

static void fault(void)
{
	run(faults, 0, "faulty");
}

static void own_handler(int sig)
{
	static const char text[] = "mine\n";

	(void)sig;
	_exit(write(STDERR_FILENO, text, sizeof(text) - 1) == sizeof(text) - 1 ? 7 : 8);
}

static void fault_with_handler(void)
{
	signal(SIGSEGV, own_handler);
	run(faults, 0, "faulty");
}

static void raised_segv(void)
{
	signal(SIGSEGV, own_handler);
	CHECK_EQ(goru_init(NULL), 0);
	raise(SIGSEGV);
}

static void handler_after_shutdown(void)
{
	signal(SIGSEGV, own_handler);
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_shutdown(), 0);
	touch_nothing();
}

static void no_handler_wanted(void)
{
	goru_config cfg = GORU_CONFIG_INIT;
	struct sigaction sa;

	cfg.flags = GORU_CONFIG_NO_SEGV;
	signal(SIGSEGV, own_handler);
	CHECK_EQ(goru_init(&cfg), 0);
	sigaction(SIGSEGV, NULL, &sa);
	CHECK(sa.sa_handler == own_handler);
}

static void other_faults_are_the_programs(void)
{
	static struct test_end c;

	test_child(fault, &c);
	CHECK(!strstr(c.err, "goru: fatal"));
	CHECK(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGSEGV);
	CHECK_EQ(c.len, 0);
	test_child(fault_with_handler, &c);
	CHECK(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 7 && !strcmp(c.err, "mine\n"));
	test_child(raised_segv, &c);
	CHECK(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 7);
	test_child(handler_after_shutdown, &c);
	CHECK(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 7);
	CHECK_LIVES(no_handler_wanted, "");
}

TEST_MAIN(TEST(overflow_is_named), TEST(other_faults_are_the_programs))
