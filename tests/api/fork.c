/* fork.c - fork while the runtime is on: the parent is as it was, and the child an ordinary process without a runtime. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 not=cross */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "goru/spawn.h"
#include "test.h"

#include "base/sanitizer.h"

#define SAYS                                                                                       \
	"goru: fatal: called in a child of fork, which has no runtime: only exec, _exit and "      \
	"goru_init are possible there\n"

/* AddressSanitizer's allocator may be locked in a child for ever, and it needs that for threads, too; ThreadSanitizer refuses
 * threads in a child of fork that had others, and an emulator ends when there is one. */
#define MAY_BEGIN (!GRT_ASAN_ON && !GRT_TSAN_ON && !test_emulated())

enum { RETURNED = 7 };

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

struct end {
	int status;
	char err[4096];
};

static void in_child(void (*fn)(void), int err)
{
	static const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	dup2(err, STDERR_FILENO);
	signal(SIGABRT, SIG_DFL);
	fn();
	_exit(test_failures() ? 99 : 0);
}

/* What becomes of a child that calls fn. */
static void forks(void (*fn)(void), struct end *e)
{
	size_t len = 0;
	ssize_t n;
	int fd[2];
	pid_t pid;

	CHECK_EQ(pipe(fd), 0);
	pid = fork();
	if (pid == 0)
		in_child(fn, fd[1]);
	CHECK(pid > 0);
	close(fd[1]);
	while ((n = read(fd[0], e->err + len, sizeof(e->err) - 1 - len)) > 0)
		len += (size_t)n;
	e->err[len] = '\0';
	close(fd[0]);
	CHECK_EQ(waitpid(pid, &e->status, 0), pid);
}

static void lives(void (*fn)(void))
{
	struct end e;

	forks(fn, &e);
	if (!CHECK_EQ(e.status, 0))
		fprintf(stderr, "%s", e.err);
}

static void says(unsigned i)
{
	char *emulator;
	struct end e;

	forks(calls[i], &e);
	emulator = test_emulated() ? strstr(e.err, "qemu: ") : NULL;
	if (emulator)
		*emulator = '\0';
	if (!CHECK(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGABRT) ||
	    !CHECK(!strcmp(e.err, SAYS)))
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
	lives(execs);
	lives(pure);
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
	lives(mask_of_the_start);
	CHECK(blocked(SIGTERM));
	CHECK_EQ(goru_lock_thread(), 0);
	sigemptyset(&own);
	sigaddset(&own, SIGINT);
	pthread_sigmask(SIG_SETMASK, &own, &before);
	lives(own_mask);
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
	lives(mask_of_the_start);
	sigemptyset(&one);
	sigaddset(&one, SIGINT);
	pthread_sigmask(SIG_SETMASK, &one, NULL);
	lives(own_mask);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The child's own runtime. */

static goru_waitgroup all;
static _Atomic int ran;

static void one_more(goru_chan *to)
{
	int64_t n = ++ran;

	goru_sleep(1);
	goru_chan_send(to, &n);
	goru_waitgroup_done(&all);
}

static void grandchild(void)
{
	goru_chan *to = goru_chan_make(sizeof(v), 0);

	all = (goru_waitgroup)GORU_WAITGROUP_INIT;
	goru_waitgroup_add(&all, 20);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(go(one_more, to), 0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(goru_chan_recv(to, &v), 1);
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
	goru_chan_unref(to);
}

static void init_and_use(void)
{
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_init(NULL), -EALREADY);
	CHECK_EQ(goru_id(), 0);
	grandchild();
	CHECK_EQ(goru_shutdown(), 0);
	/* off now, as any other: it starts by itself */
	grandchild();
	RUN_ON_GOROUTINE(grandchild);
	CHECK_EQ(goru_shutdown(), 0);
}

static void init_refused(void)
{
	goru_config cfg = GORU_CONFIG_INIT;
	struct end e;

	cfg.procs = 5000;
	CHECK_EQ(goru_init(&cfg), -EINVAL);
	forks(say_go, &e);
	CHECK(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGABRT);
	CHECK(!strncmp(e.err, SAYS, strlen(SAYS)));
	init_and_use();
}

static void forks_again(void)
{
	lives(init_and_use);
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
	if (!MAY_BEGIN)
		return;
	lives(init_and_use);
	lives(init_refused);
	lives(init_and_fork);
}

/* Its function returns in the child: the thread ends, and the process with it. ThreadSanitizer, without goru too, crashes
 * where a thread that is not the first is the last one, and calls what atexit has. */

static void over(void)
{
	_exit(test_failures() ? 99 : RETURNED);
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
	CHECK_EQ(goru_task_start(&t, task_of, &v), 0);
	CHECK_EQ(goru_task_join(t, &got), 0);
	CHECK(got == &v);
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
	grandchild();
	CHECK_EQ(goru_shutdown(), 0);
	atexit(over);
}

static void function_returns_later(void)
{
	if (MAY_BEGIN)
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

static void brackets(void)
{
	int pid = goru_blocking(fork());
	int status = 0;

	if (pid == 0)
		_exit(RETURNED);
	CHECK_EQ(goru_blocking_sys(waitpid(pid, &status, 0)), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == RETURNED);
}

/* Runtime off, and another thread in the middle of a wait: the child uses goru as the parent does. */

static void waits_long(void)
{
	CHECK_EQ(goru_chan_recv(c, &v), 1);
}

static void as_the_parent(void)
{
	grandchild();
	CHECK_EQ(goru_shutdown(), 0);
}

static void off(void)
{
	pthread_t t;

	CHECK_EQ(goru_shutdown(), 0);
	test_watch(NULL, 0); /* sanitizers and emulators want to fork from one thread */
	lives(as_the_parent);
	if (!MAY_BEGIN)
		return;
	c = goru_chan_make(sizeof(v), 0);
	test_thread(&t, waits_long);
	UNTIL(test_asleep() == 1);
	CHECK_EQ(goru_shutdown(), 0); /* looking at it may have started it */
	lives(as_the_parent);
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
	lives(MAY_BEGIN ? init_and_use : pure);
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

TEST_MAIN(TEST_BOTH(each_call_says_so), TEST_BOTH(what_is_possible), TEST(masks),
	  TEST_BOTH(own_runtime), TEST_BOTH(function_returns), TEST_BOTH(function_returns_later),
	  TEST(main_returns), TEST_BOTH(brackets), TEST(in_a_shutdown), TEST(off))
