/* reports.c - every misuse that is fatal and every report, one a run: reports NAME. What it must write: NAME.txt. */
/* SPDX-License-Identifier: MIT */
/*
 * What is named app_... is kept of a backtrace by run.sh, and nothing else: what goru calls within depends on the
 * compiler. So those functions are not inlined, and call nothing last.
 */
#include <limits.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"

#if defined(__clang__)
#define APP static __attribute__((noinline)) void
#else
#define APP static __attribute__((noinline, noclone)) void
#endif
#define NOT_LAST __asm__ volatile("" ::: "memory")
#define MUST(x)	 ((x) < 0 ? abort() : (void)0)

static goru_mutex mu, other;
static goru_rwlock rw;
static goru_cond cond;
static goru_sem sem;
static goru_waitgroup wg;
static goru_once once;
static goru_chan *c;
static goru_task *task;
static goru_scope scope, inner;

/* The goroutine dies, this thread with it. */
APP app_on_goroutine(void (*fn)(void *))
{
	goru_attr a = { .name = "worker" };

	MUST(goru_go_attr(&a, fn, NULL));
	sleep(60);
	NOT_LAST;
}

/* Somebody else, who has done what he is for, and waits. */
APP app_start(void (*fn)(void *))
{
	goru_attr a = { .name = "other" };
	int n = test_parked();

	MUST(goru_go_attr(&a, fn, NULL));
	UNTIL(test_parked() == n + 1);
	NOT_LAST;
}

APP app_holds(void *arg)
{
	(void)arg;
	MUST(goru_mutex_lock(&mu));
	MUST(goru_rwlock_wrlock(&rw));
	goru_sleep(GORU_FOREVER);
	NOT_LAST;
}

APP app_reads(void *arg)
{
	(void)arg;
	MUST(goru_rwlock_rdlock(&rw));
	goru_sleep(GORU_FOREVER);
	NOT_LAST;
}

APP app_receives(void *arg)
{
	(void)arg;
	goru_chan_recv(c, NULL);
	NOT_LAST;
}

APP app_signaled(void *arg)
{
	(void)arg;
	MUST(goru_mutex_lock(&other));
	MUST(goru_cond_wait(&cond, &other));
	NOT_LAST;
}

/* Locks. */

APP app_lock_held(void *arg)
{
	(void)arg;
	MUST(goru_mutex_lock(&mu));
	MUST(goru_mutex_lock(&mu));
	NOT_LAST;
}

APP app_lock_until_held(void *arg)
{
	(void)arg;
	MUST(goru_mutex_lock(&mu));
	MUST(goru_mutex_lock_until(&mu, 0));
	NOT_LAST;
}

APP app_unlock_free(void *arg)
{
	(void)arg;
	goru_mutex_unlock(&mu);
	NOT_LAST;
}

APP app_unlock_others(void *arg)
{
	app_start(app_holds);
	goru_mutex_unlock(&mu);
	(void)arg;
	NOT_LAST;
}

APP app_cond_not_held(void *arg)
{
	(void)arg;
	MUST(goru_cond_wait(&cond, &mu));
	NOT_LAST;
}

APP app_cond_two_mutexes(void *arg)
{
	app_start(app_signaled);
	MUST(goru_mutex_lock(&mu));
	MUST(goru_cond_wait(&cond, &mu));
	(void)arg;
	NOT_LAST;
}

APP app_wrlock_held(void *arg)
{
	(void)arg;
	MUST(goru_rwlock_wrlock(&rw));
	MUST(goru_rwlock_wrlock(&rw));
	NOT_LAST;
}

APP app_rdlock_written(void *arg)
{
	(void)arg;
	MUST(goru_rwlock_wrlock(&rw));
	MUST(goru_rwlock_rdlock(&rw));
	NOT_LAST;
}

APP app_rdunlock_free(void *arg)
{
	(void)arg;
	goru_rwlock_rdunlock(&rw);
	NOT_LAST;
}

APP app_rdunlock_written(void *arg)
{
	app_start(app_holds);
	goru_rwlock_rdunlock(&rw);
	(void)arg;
	NOT_LAST;
}

APP app_wrunlock_free(void *arg)
{
	(void)arg;
	goru_rwlock_wrunlock(&rw);
	NOT_LAST;
}

APP app_wrunlock_read(void *arg)
{
	app_start(app_reads);
	goru_rwlock_wrunlock(&rw);
	(void)arg;
	NOT_LAST;
}

APP app_wrunlock_others(void *arg)
{
	app_start(app_holds);
	goru_rwlock_wrunlock(&rw);
	(void)arg;
	NOT_LAST;
}

APP app_sem_above_max(void *arg)
{
	(void)arg;
	goru_sem_post(&sem, INT_MAX);
	goru_sem_post(&sem, 1);
	NOT_LAST;
}

APP app_sem_far_above_max(void *arg)
{
	(void)arg;
	goru_sem_post(&sem, 1);
	goru_sem_post(&sem, UINT_MAX);
	NOT_LAST;
}

APP app_once_own(void *arg)
{
	goru_once_do(&once, app_once_own, arg);
	NOT_LAST;
}

APP app_done_too_often(void *arg)
{
	(void)arg;
	goru_waitgroup_add(&wg, 1);
	goru_waitgroup_done(&wg);
	goru_waitgroup_done(&wg);
	NOT_LAST;
}

APP app_added_too_much(void *arg)
{
	(void)arg;
	goru_waitgroup_add(&wg, INT_MAX);
	goru_waitgroup_add(&wg, 1);
	NOT_LAST;
}

/* Tasks, goroutines, channels. */

static __attribute__((noinline)) void *app_task(void *arg)
{
	goru_sleep(GORU_FOREVER);
	NOT_LAST;
	return arg;
}

APP app_starts_task(void)
{
	int n = test_parked();

	MUST(goru_task_start(&task, app_task, NULL));
	UNTIL(test_parked() == n + 1);
	NOT_LAST;
}

APP app_joins(void *arg)
{
	(void)arg;
	MUST(goru_task_join(task, NULL));
	NOT_LAST;
}

APP app_join_twice(void *arg)
{
	app_starts_task();
	app_start(app_joins);
	MUST(goru_task_join(task, NULL));
	(void)arg;
	NOT_LAST;
}

APP app_detach_joined(void *arg)
{
	app_starts_task();
	app_start(app_joins);
	goru_task_detach(task);
	(void)arg;
	NOT_LAST;
}

APP app_join_detached(void *arg)
{
	app_starts_task();
	goru_task_detach(task);
	MUST(goru_task_join(task, NULL));
	(void)arg;
	NOT_LAST;
}

APP app_detach_twice(void *arg)
{
	app_starts_task();
	goru_task_detach(task);
	goru_task_detach(task);
	(void)arg;
	NOT_LAST;
}

APP app_unref_received(void *arg)
{
	c = goru_chan_make(8, 0);
	app_start(app_receives);
	goru_chan_unref(c);
	(void)arg;
	NOT_LAST;
}

APP app_block_exit(void *arg)
{
	(void)arg;
	goru_block_enter();
	goru_block_exit();
	goru_block_exit();
	NOT_LAST;
}

/* Scopes. */

APP app_opens(void *arg)
{
	(void)arg;
	MUST(goru_scope_open(&scope, GORU_FOREVER));
	goru_sleep(GORU_FOREVER);
	NOT_LAST;
}

APP app_open_twice(void *arg)
{
	(void)arg;
	MUST(goru_scope_open(&scope, GORU_FOREVER));
	MUST(goru_scope_open(&scope, GORU_FOREVER));
	NOT_LAST;
}

APP app_close_not_open(void *arg)
{
	(void)arg;
	MUST(goru_scope_open(&scope, GORU_FOREVER));
	MUST(goru_scope_close(&scope));
	MUST(goru_scope_close(&scope));
	NOT_LAST;
}

APP app_close_others(void *arg)
{
	app_start(app_opens);
	MUST(goru_scope_close(&scope));
	(void)arg;
	NOT_LAST;
}

APP app_close_outer(void *arg)
{
	(void)arg;
	MUST(goru_scope_open(&scope, GORU_FOREVER));
	MUST(goru_scope_open(&inner, GORU_FOREVER));
	MUST(goru_scope_close(&scope));
	NOT_LAST;
}

APP app_leaves_open(void *arg)
{
	(void)arg;
	MUST(goru_scope_open(&scope, GORU_FOREVER));
	NOT_LAST;
}

APP app_exits_open(void *arg)
{
	app_leaves_open(arg);
	goru_exit();
}

APP app_waits_to_close(void *arg)
{
	(void)arg;
	MUST(goru_scope_open(&inner, GORU_FOREVER));
	MUST(goru_scope_go(&inner, app_receives, NULL));
	MUST(goru_scope_close(&inner));
	NOT_LAST;
}

/* Beside those who wait in a scope, and to close it. */
APP app_shield_exit(void *arg)
{
	int n = test_parked();

	c = goru_chan_make(0, 0);
	MUST(goru_go(app_waits_to_close, NULL));
	UNTIL(test_parked() == n + 2);
	goru_shield_enter();
	goru_shield_exit();
	goru_shield_exit();
	(void)arg;
	NOT_LAST;
}

static __attribute__((noinline)) int app_deeper(int n)
{
	volatile char use[200];

	use[0] = (char)n;
	return n < 0 ? 0 : app_deeper(n + 1) + use[0];
}

APP app_overflows(void *arg)
{
	(void)arg;
	app_deeper(0);
	NOT_LAST;
}

APP app_overflows_big(void *arg)
{
	MUST(goru_call_on_big_stack(1 << 20, app_overflows, arg));
	NOT_LAST;
}

/* As much address space as it must not get, all in all. */
static void too_big(void)
{
	struct rlimit l = { (rlim_t)1 << 30, (rlim_t)1 << 30 };
	goru_attr a = { .stack_size = (size_t)1 << 30 };

	MUST(setrlimit(RLIMIT_AS, &l));
	if (goru_go_attr(&a, app_receives, NULL) != -ENOMEM)
		abort();
}

static void spawn_fatal(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.flags = GORU_CONFIG_SPAWN_FATAL;
	MUST(goru_init(&cfg));
	too_big();
}

static void spawn_told(void)
{
	setenv("GORU_DEBUG", "spawnfail=1", 1);
	too_big();
}

static void exit_thread(void)
{
	goru_exit();
}

/* The child is the one that says something; the signal it dies of is our exit status. */
static void fork_call(void)
{
	int status = 0;
	pid_t pid;

	MUST(goru_init(NULL));
	pid = fork();
	if (!pid)
		goru_yield();
	MUST(waitpid(pid, &status, 0));
	_exit(WIFSIGNALED(status) ? WTERMSIG(status) : 1);
}

/* Nobody can go on. */

APP app_deadlocks(void *arg)
{
	c = goru_chan_make(0, 0);
	app_start(app_receives);
	app_receives(arg);
	NOT_LAST;
}

static void deadlock(void)
{
	MUST(goru_run(app_deadlocks, NULL));
}

static void on_deadlock(void *arg)
{
	fprintf(stderr, "%s\n", (char *)arg);
}

static void deadlock_told(void)
{
	static char text[] = "the program is told";
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.on_deadlock = on_deadlock;
	cfg.on_deadlock_arg = text;
	MUST(goru_init(&cfg));
	if (goru_run(app_deadlocks, NULL) != -EDEADLK)
		abort();
}

static void *sleeps(void *arg)
{
	sleep(60);
	return arg;
}

/* A thread that might wake somebody: no deadlock. */
static void hang(void)
{
	pthread_t t;

	setenv("GORU_DEBUG", "hang=1", 1);
	pthread_create(&t, NULL, sleeps, NULL);
	deadlock();
}

/* What stands in the environment. */
static void environment(const char *name, const char *value)
{
	setenv(name, value, 1);
	MUST(goru_init(NULL));
	MUST(goru_shutdown());
}

/* Where: by a goroutine, by the thread that main is, or as it likes. */
static const struct {
	const char *name;
	void (*on_goroutine)(void *);
	void (*on_thread)(void *);
	void (*alone)(void);
	const char *variable, *value;
} cases[] = {
	{ "mutex-lock-held", .on_goroutine = app_lock_held },
	{ "mutex-lock-held-thread", .on_thread = app_lock_held },
	{ "mutex-lock-until-held", .on_goroutine = app_lock_until_held },
	{ "mutex-unlock-free", .on_goroutine = app_unlock_free },
	{ "mutex-unlock-free-thread", .on_thread = app_unlock_free },
	{ "mutex-unlock-others", .on_goroutine = app_unlock_others },
	{ "mutex-unlock-others-thread", .on_thread = app_unlock_others },
	{ "cond-not-held", .on_goroutine = app_cond_not_held },
	{ "cond-not-held-thread", .on_thread = app_cond_not_held },
	{ "cond-two-mutexes", .on_goroutine = app_cond_two_mutexes },
	{ "rwlock-wrlock-held", .on_goroutine = app_wrlock_held },
	{ "rwlock-wrlock-held-thread", .on_thread = app_wrlock_held },
	{ "rwlock-rdlock-written", .on_goroutine = app_rdlock_written },
	{ "rwlock-rdunlock-free", .on_goroutine = app_rdunlock_free },
	{ "rwlock-rdunlock-free-thread", .on_thread = app_rdunlock_free },
	{ "rwlock-rdunlock-written", .on_goroutine = app_rdunlock_written },
	{ "rwlock-wrunlock-free", .on_goroutine = app_wrunlock_free },
	{ "rwlock-wrunlock-free-thread", .on_thread = app_wrunlock_free },
	{ "rwlock-wrunlock-read", .on_goroutine = app_wrunlock_read },
	{ "rwlock-wrunlock-others", .on_goroutine = app_wrunlock_others },
	{ "sem-above-max", .on_goroutine = app_sem_above_max },
	{ "sem-above-max-thread", .on_thread = app_sem_above_max },
	{ "sem-far-above-max", .on_goroutine = app_sem_far_above_max },
	{ "once-own", .on_goroutine = app_once_own },
	{ "once-own-thread", .on_thread = app_once_own },
	{ "waitgroup-negative", .on_goroutine = app_done_too_often },
	{ "waitgroup-negative-thread", .on_thread = app_done_too_often },
	{ "waitgroup-above-max", .on_goroutine = app_added_too_much },
	{ "task-join-twice", .on_goroutine = app_join_twice },
	{ "task-join-twice-thread", .on_thread = app_join_twice },
	{ "task-detach-joined", .on_goroutine = app_detach_joined },
	{ "task-join-detached", .on_goroutine = app_join_detached },
	{ "task-detach-twice", .on_goroutine = app_detach_twice },
	{ "chan-unref-received", .on_goroutine = app_unref_received },
	{ "chan-unref-received-thread", .on_thread = app_unref_received },
	{ "block-exit", .on_goroutine = app_block_exit },
	{ "scope-open-twice", .on_goroutine = app_open_twice },
	{ "scope-close-not-open", .on_goroutine = app_close_not_open },
	{ "scope-close-others", .on_goroutine = app_close_others },
	{ "scope-close-outer", .on_goroutine = app_close_outer },
	{ "scope-left-open", .on_goroutine = app_leaves_open },
	{ "scope-exit-open", .on_goroutine = app_exits_open },
	{ "shield-exit", .on_goroutine = app_shield_exit },
	{ "exit-thread", .alone = exit_thread },
	{ "fork-call", .alone = fork_call },
	{ "overflow", .on_goroutine = app_overflows },
	{ "overflow-big", .on_goroutine = app_overflows_big },
	{ "spawn-fatal", .alone = spawn_fatal },
	{ "spawn-told", .alone = spawn_told },
	{ "deadlock", .alone = deadlock },
	{ "deadlock-told", .alone = deadlock_told },
	{ "hang", .alone = hang },
	{ "env-procs", .variable = "GORU_PROCS", .value = "two" },
	{ "env-procs-range", .variable = "GORU_PROCS", .value = "1025" },
	{ "env-stack-size", .variable = "GORU_STACK_SIZE", .value = "64KB" },
	{ "env-debug", .variable = "GORU_DEBUG", .value = "spawnfail=1,whatever" },
};

/* A deadlock is one only where all threads are known; memory is limited by what a sanitizer and an emulator need. */
static bool applies(const char *name)
{
	if (strstr(name, "deadlock"))
		return !GRT_TSAN_ON && !test_emulated();
	if (strstr(name, "spawn-"))
		return !GRT_ASAN_ON && !GRT_TSAN_ON && !test_emulated();
	return true;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (argc < 2 && applies(cases[i].name))
			puts(cases[i].name);
		if (argc < 2 || strcmp(argv[1], cases[i].name))
			continue;
		if (cases[i].on_goroutine)
			app_on_goroutine(cases[i].on_goroutine);
		else if (cases[i].on_thread)
			cases[i].on_thread(NULL);
		else if (cases[i].alone)
			cases[i].alone();
		else
			environment(cases[i].variable, cases[i].value);
		return 0;
	}
	return argc < 2 ? 0 : 1;
}
