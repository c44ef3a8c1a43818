/* fork_calls.c - in the child of a fork while the runtime is on each call says in one line that it has no runtime. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 not=cross */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "goru/spawn.h"

#include "forks.h"

static goru_chan *c, *full;
static goru_mutex mu;
static goru_rwlock rw, written;
static goru_cond cond;
static goru_sem sem;
static goru_waitgroup wg;
static goru_once once;
static goru_timer timer;
static goru_task *task;
static goru_scope scope;
static goru_local_key key;
static int64_t v;

static void nothing(void) {}
static void nothing_at(void *arg)
{
	(void)arg;
}
static void *nothing_of(void *arg)
{
	return arg;
}

static void say_run(void)
{
	(void)goru_run(nothing_at, NULL);
}
static void say_procs(void)
{
	goru_procs();
}
static void say_set_procs(void)
{
	goru_set_procs(2);
}
static void say_shutdown(void)
{
	goru_shutdown();
}
static void say_go(void)
{
	go(nothing);
}
static void say_go_attr(void)
{
	goru_go_attr(NULL, nothing_at, NULL);
}
static void say_id(void)
{
	goru_id();
}
static void say_sleep(void)
{
	goru_sleep(1);
}
static void say_sleep_none(void)
{
	goru_sleep(0);
}
static void say_lock_thread(void)
{
	goru_lock_thread();
}
static void say_unlock_thread(void)
{
	goru_unlock_thread();
}
static void say_make(void)
{
	goru_chan_unref(goru_chan_make(1, 1));
}
static void say_send(void)
{
	goru_chan_send(full, &v);
}
static void say_try_send(void)
{
	goru_chan_try_send(full, &v);
}
static void say_recv(void)
{
	goru_chan_recv(c, &v);
}
static void say_recv_until(void)
{
	goru_chan_recv_until(c, &v, 0);
}
static void say_try_recv(void)
{
	goru_chan_try_recv(c, &v);
}
static void say_close(void)
{
	goru_chan_close(c);
}
static void say_len(void)
{
	goru_chan_len(c);
}
static void say_fd(void)
{
	goru_chan_fd(c);
}
static void say_select(void)
{
	goru_case one[] = { GORU_RECV(c, &v) };

	goru_select(one, 1);
}
static void say_try_select(void)
{
	goru_case one[] = { GORU_RECV(c, &v) };

	goru_try_select(one, 1);
}
static void say_lock(void)
{
	(void)!goru_mutex_lock(&mu);
}
static void say_try_lock(void)
{
	(void)!goru_mutex_try_lock(&mu);
}
static void say_unlock(void)
{
	goru_mutex_unlock(&mu);
}
static void say_rdlock(void)
{
	(void)!goru_rwlock_rdlock(&rw);
}
static void say_wrlock(void)
{
	(void)!goru_rwlock_wrlock(&rw);
}
static void say_wrunlock(void)
{
	goru_rwlock_wrunlock(&written);
}
static void say_cond_wait(void)
{
	(void)!goru_cond_wait(&cond, &mu);
}
static void say_sem_wait(void)
{
	(void)!goru_sem_wait(&sem);
}
static void say_wait(void)
{
	(void)!goru_waitgroup_wait(&wg);
}
static void say_once(void)
{
	goru_once_do(&once, nothing_at, NULL);
}
static void say_after(void)
{
	goru_after(1);
}
static void say_timer(void)
{
	goru_timer_start(&timer, 1, 0, nothing_at, NULL);
}
static void say_timer_stop(void)
{
	goru_timer_stop(&timer);
}
static void say_task(void)
{
	goru_task *t;

	goru_task_start(&t, nothing_of, NULL);
}
static void say_join(void)
{
	(void)!goru_task_join(task, NULL);
}
static void say_detach(void)
{
	goru_task_detach(task);
}
static void say_scope(void)
{
	goru_scope_open(&scope, GORU_FOREVER);
}
static void say_scope_error(void)
{
	goru_scope_error();
}
static void say_shield(void)
{
	goru_shield_enter();
}
static void say_local_create(void)
{
	goru_local_key k;

	goru_local_create(&k, NULL);
}
static void say_local_get(void)
{
	goru_local_get(key);
}
static void say_local_set(void)
{
	goru_local_set(key, &v);
}
static void say_block(void)
{
	goru_block_enter();
}
static void say_big(void)
{
	goru_call_on_big_stack(1 << 20, nothing_at, NULL);
}
static void say_notify(void)
{
	goru_signal_notify(c, SIGUSR1);
}
static void say_signal_stop(void)
{
	goru_signal_stop(c);
}
static void say_stats(void)
{
	goru_stats st;

	goru_stats_get(&st);
}
static void say_dump(void)
{
	goru_dump(STDERR_FILENO);
}

static void say_spawn(void)
{
	char *argv[] = { (char *)"sh", NULL };

	goru_posix_spawn(NULL, "/bin/sh", NULL, NULL, argv, argv);
}

static void (*const calls[])(void) = {
	say_run,	say_procs,	 say_set_procs,	    say_shutdown,     say_go,
	say_go_attr,	goru_yield,	 goru_exit,	    say_id,	      say_sleep,
	say_sleep_none, say_lock_thread, say_unlock_thread, say_make,	      say_send,
	say_try_send,	say_recv,	 say_recv_until,    say_try_recv,     say_close,
	say_len,	say_fd,		 say_select,	    say_try_select,   say_lock,
	say_try_lock,	say_unlock,	 say_rdlock,	    say_wrlock,	      say_wrunlock,
	say_cond_wait,	say_sem_wait,	 say_wait,	    say_once,	      say_after,
	say_timer,	say_timer_stop,	 say_task,	    say_join,	      say_detach,
	say_scope,	say_scope_error, say_shield,	    say_local_create, say_local_get,
	say_local_set,	say_block,	 say_big,	    say_notify,	      say_signal_stop,
	say_stats,	say_dump,	 say_spawn,
};

static void says(unsigned i)
{
	char *emulator;
	struct fork_end e;

	fork_ends(calls[i], &e);
	emulator = test_emulated() ? strstr(e.err, "qemu: ") : NULL;
	if (emulator)
		*emulator = '\0';
	if (!CHECK(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGABRT) ||
	    !CHECK(!strcmp(e.err, FORK_SAYS)))
		fprintf(stderr, "call %u: status %x: %s\n", i, (unsigned)e.status, e.err);
}

/* The objects are the parent's, so that no call has to wait for somebody. */
static void each_call_says_so(void)
{
	c = goru_chan_make(sizeof(v), 1);
	full = goru_chan_make(sizeof(v), 1);
	CHECK_EQ(goru_chan_send(full, &v), 0);
	CHECK_EQ(goru_chan_send(c, &v), 0);
	CHECK_EQ(goru_task_start(&task, nothing_of, NULL), 0);
	CHECK_EQ(goru_local_create(&key, NULL), 0);
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		says(i);
	CHECK_EQ(goru_task_join(task, NULL), 0);
	CHECK_EQ(goru_local_delete(key), 0);
	goru_chan_unref(c);
	goru_chan_unref(full);
}

TEST_MAIN(TEST_BOTH(each_call_says_so))
