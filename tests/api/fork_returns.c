/* fork_returns.c - a function that forks and returns, in the child too: its thread ends there, and the process with it. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 not=cross */
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forks.h"

enum { RETURNED = 7 };

static goru_waitgroup wg;
static goru_local_key key;

/* ThreadSanitizer, without goru too, crashes where a thread that is not the first is the last one, and calls what atexit
 * has. */

static void over(void)
{
	fork_exit(RETURNED);
}

static _Atomic int made; /* the child's number, in the parent */

static void fork_and_return(void)
{
	int pid = fork();

	if (pid == 0)
		atexit(over);
	else
		made = pid;
}

static void returns_at(void *arg)
{
	(void)arg;
	fork_and_return();
	if (made)
		goru_waitgroup_done(&wg);
}

static void expect_returned(void)
{
	int status = 0;

	CHECK(made > 0);
	CHECK_EQ(goru_blocking_sys(waitpid(made, &status, 0)), made);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == RETURNED);
	made = 0;
}

static void waits_for_returned(void)
{
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	expect_returned();
}

static void locked_at(void *arg)
{
	CHECK_EQ(goru_lock_thread(), 0);
	returns_at(arg);
}

static void on_big(void *arg)
{
	(void)arg;
	fork_and_return();
}

static void big_at(void *arg)
{
	(void)arg;
	CHECK_EQ(goru_call_on_big_stack(1 << 20, on_big, NULL), 0);
	if (made)
		goru_waitgroup_done(&wg);
}

static void destructor(void *arg)
{
	returns_at(arg);
}

static void local_at(void *arg)
{
	CHECK_EQ(goru_local_set(key, arg), 0);
}

static void *task_of(void *arg)
{
	fork_and_return();
	return arg;
}

static void returns(void (*fn)(void *))
{
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_go(fn, &wg), 0);
	waits_for_returned();
}

static void function_returns(void)
{
	goru_scope s = GORU_SCOPE_INIT;
	void *got = NULL;
	goru_task *t;

	if (GRT_ASAN_ON || GRT_TSAN_ON)
		return;
	returns(returns_at);
	returns(locked_at);
	returns(big_at);
	CHECK_EQ(goru_local_create(&key, destructor), 0);
	returns(local_at);
	CHECK_EQ(goru_local_delete(key), 0);
	CHECK_EQ(goru_task_start(&t, task_of, &wg), 0);
	CHECK_EQ(goru_task_join(t, &got), 0);
	CHECK(got == &wg);
	expect_returned();
	if (!goru_id())
		return;
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_scope_go(&s, returns_at, NULL), 0);
	CHECK_EQ(goru_scope_close(&s), 0);
	waits_for_returned();
}

/* The same with a runtime of the child's by then, which knows nothing of the thread. */
static void init_and_return(void *arg)
{
	int pid = fork();

	if (pid) {
		made = pid;
		goru_waitgroup_done(arg);
		return;
	}
	CHECK_EQ(goru_init(NULL), 0);
	fork_uses_goru();
	CHECK_EQ(goru_shutdown(), 0);
	atexit(over);
}

static void function_returns_later(void)
{
	if (FORK_MAY_BEGIN)
		returns(init_and_return);
}

static void main_returns(void)
{
	if (GRT_ASAN_ON || GRT_TSAN_ON)
		return;
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_run(returns_at, NULL), 0);
	waits_for_returned();
}

TEST_MAIN(TEST_BOTH(function_returns), TEST_BOTH(function_returns_later), TEST(main_returns))
