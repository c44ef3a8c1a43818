/* signals_kept.c - the program's handlers, masks and signal threads are with goru what they are without. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "test.h"

#include "rt/self.h"

static _Atomic int hits, on_a_worker;

static void hit(int sig)
{
	(void)sig;
	if (grt_arch_self())
		atomic_fetch_add(&on_a_worker, 1);
	atomic_fetch_add(&hits, 1);
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = hit, .sa_flags = flags };

	CHECK_EQ(sigaction(sig, &sa, NULL), 0);
}

static _Atomic bool over;

static void busy(void *wg)
{
	while (!atomic_load(&over))
		goru_yield();
	goru_waitgroup_done(wg);
}

static void kills(int sig)
{
	CHECK_EQ(kill(getpid(), sig), 0);
	goru_yield();
}

/* A goroutine sends it, or this thread; only now has the worker perhaps been made that could take it. */
static void send_some(int sig)
{
	for (int i = 0; i < 10; i++) {
		int before = atomic_load(&hits);

		if (i & 1)
			CHECK_EQ(go(kills, sig), 0);
		else
			CHECK_EQ(kill(getpid(), sig), 0);
		UNTIL(atomic_load(&hits) > before);
	}
	UNTIL(test_alive() == 4);
}

static void runs_handlers(void)
{
	static const int flags[] = { 0, SA_ONSTACK, SA_RESTART, SA_ONSTACK | SA_RESTART };
	goru_waitgroup wg = GORU_WAITGROUP_INIT;

	handle(SIGUSR1, 0);
	handle(SIGTERM, SA_ONSTACK);
	CHECK_EQ(goru_init(NULL), 0);
	goru_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(goru_go(busy, &wg), 0);
	send_some(SIGUSR1);
	send_some(SIGTERM);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		handle(SIGUSR2, flags[i]);
		send_some(SIGUSR2);
		handle(SIGRTMIN, flags[i]);
		send_some(SIGRTMIN);
	}
	atomic_store(&over, true);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(atomic_load(&on_a_worker), 0);
}

static void handlers_run_on_threads_of_the_program(void)
{
	CHECK_LIVES(runs_handlers, "");
}

static _Atomic int waited;

static void *waits_for_usr1(void *arg)
{
	sigset_t s;
	int sig = 0;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(sigwait(&s, &sig), 0);
		CHECK_EQ(sig, SIGUSR1);
		atomic_fetch_add(&waited, 1);
	}
	return arg;
}

/* Blocked in all threads, before and after the start: the one that waits for it gets each; goru's own signal thread,
 * which is there for another one, takes none. */
static void waits_for_signals(void)
{
	goru_chan *c = goru_chan_make(sizeof(int), 1);
	struct signalfd_siginfo info;
	sigset_t s, now;
	pthread_t t;
	int fd;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_signal_notify(c, SIGHUP), 0);
	CHECK_EQ(pthread_create(&t, NULL, waits_for_usr1, NULL), 0);
	sigdelset(&s, SIGUSR1);
	fd = signalfd(-1, &s, SFD_CLOEXEC);
	CHECK(fd >= 0);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(kill(getpid(), SIGUSR1), 0);
		UNTIL(atomic_load(&waited) == i + 1);
		CHECK_EQ(kill(getpid(), SIGUSR2), 0);
		CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
		CHECK_EQ(info.ssi_signo, SIGUSR2);
	}
	pthread_join(t, NULL);
	close(fd);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int sig = 1; sig < 32; sig++)
		CHECK_EQ(sigismember(&now, sig), sig == SIGUSR1 || sig == SIGUSR2);
	CHECK_EQ(goru_chan_len(c), 0);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

static void signal_threads_get_theirs(void)
{
	CHECK_LIVES(waits_for_signals, "");
}

/* Every wait of a plain thread, and what ends it. A handler that runs on the thread does not. */
static struct {
	goru_chan *c;
	goru_mutex m;
	goru_rwlock l;
	goru_cond cond;
	goru_sem s;
	goru_waitgroup wg;
	goru_once o;
	goru_task *task;
	int64_t until;
} O;

static int waits_recv(void)
{
	return goru_chan_recv(O.c, NULL) - 1;
}

static int waits_recv_until(void)
{
	return goru_chan_recv_until(O.c, NULL, goru_in(1000 * GORU_SEC)) - 1;
}

static int waits_select(void)
{
	goru_case k[] = { GORU_RECV(O.c, NULL), GORU_RECV(NULL, NULL) };

	return goru_select(k, 2);
}

static void lets_recv(void)
{
	CHECK_EQ(goru_chan_send(O.c, NULL), 0);
}

static int waits_send(void)
{
	return goru_chan_send(O.c, NULL);
}

static void lets_send(void)
{
	CHECK_EQ(goru_chan_recv(O.c, NULL), 1);
}

static int waits_lock(void)
{
	int rc = goru_mutex_lock(&O.m);

	goru_mutex_unlock(&O.m);
	return rc;
}

static void lets_lock(void)
{
	goru_mutex_unlock(&O.m);
}

static int waits_rdlock(void)
{
	int rc = goru_rwlock_rdlock(&O.l);

	goru_rwlock_rdunlock(&O.l);
	return rc;
}

static int waits_wrlock(void)
{
	int rc = goru_rwlock_wrlock(&O.l);

	goru_rwlock_wrunlock(&O.l);
	return rc;
}

static void lets_rwlock(void)
{
	goru_rwlock_wrunlock(&O.l);
}

static int waits_cond(void)
{
	int rc = goru_mutex_lock(&O.m);

	if (rc == 0)
		rc = goru_cond_wait(&O.cond, &O.m);
	goru_mutex_unlock(&O.m);
	return rc;
}

static void lets_cond(void)
{
	goru_cond_signal(&O.cond);
}

static int waits_sem(void)
{
	return goru_sem_wait(&O.s);
}

static void lets_sem(void)
{
	goru_sem_post(&O.s, 1);
}

static int waits_group(void)
{
	return goru_waitgroup_wait(&O.wg);
}

static void lets_group(void)
{
	goru_waitgroup_done(&O.wg);
}

static void *task(void *arg)
{
	CHECK_EQ(goru_chan_recv(O.c, NULL), 1);
	return arg;
}

static int waits_task(void)
{
	return goru_task_join(O.task, NULL);
}

static void once_fn(void *arg)
{
	(void)arg;
	CHECK_EQ(goru_chan_recv(O.c, NULL), 1);
}

static int waits_once(void)
{
	goru_once_do(&O.o, once_fn, NULL);
	return 0;
}

static int waits_sleep(void)
{
	int rc = goru_sleep_until(O.until = goru_in(300 * GORU_MSEC));

	CHECK(goru_now() >= O.until);
	return rc;
}

static void lets_sleep(void) {}

static const struct wait {
	const char *name;
	int (*waits)(void);
	void (*lets)(void);
	int locks; /* 1: the mutex, 2: the rwlock is held by who lets */
} waits[] = {
	{ "recv", waits_recv, lets_recv, 0 },	    { "until", waits_recv_until, lets_recv, 0 },
	{ "select", waits_select, lets_recv, 0 },   { "send", waits_send, lets_send, 0 },
	{ "mutex", waits_lock, lets_lock, 1 },	    { "rdlock", waits_rdlock, lets_rwlock, 2 },
	{ "wrlock", waits_wrlock, lets_rwlock, 2 }, { "cond", waits_cond, lets_cond, 0 },
	{ "sem", waits_sem, lets_sem, 0 },	    { "waitgroup", waits_group, lets_group, 0 },
	{ "task", waits_task, lets_recv, 0 },	    { "once", waits_once, lets_recv, 0 },
	{ "sleep", waits_sleep, lets_sleep, 0 },
};

static _Atomic bool ended;

static void *does_wait(void *arg)
{
	const struct wait *w = arg;

	CHECK_EQ(w->waits(), 0);
	atomic_store(&ended, true);
	return NULL;
}

static void wait_through(const struct wait *w)
{
	bool sleeps = w->waits == waits_sleep;
	pthread_t t;

	memset(&O, 0, sizeof(O));
	O.c = goru_chan_make(0, 0);
	goru_waitgroup_add(&O.wg, 1);
	if (w->locks == 1)
		CHECK_EQ(goru_mutex_lock(&O.m), 0);
	if (w->locks == 2)
		CHECK_EQ(goru_rwlock_wrlock(&O.l), 0);
	if (w->waits == waits_task)
		CHECK_EQ(goru_task_start(&O.task, task, NULL), 0);
	atomic_store(&ended, false);
	CHECK_EQ(pthread_create(&t, NULL, does_wait, (void *)(uintptr_t)w), 0);
	for (int i = 0; i < 5 && !(sleeps && atomic_load(&ended)); i++) {
		int before = atomic_load(&hits);

		if (!sleeps)
			UNTIL(test_asleep() == (w->waits == waits_task ? 2 : 1));
		pthread_kill(t, SIGUSR1);
		UNTIL(atomic_load(&hits) > before || atomic_load(&ended));
	}
	if (!sleeps && !CHECK(!atomic_load(&ended)))
		printf("%s was ended by a handler\n", w->name);
	w->lets();
	pthread_join(t, NULL);
	goru_chan_unref(O.c);
}

static void no_handler_ends_a_wait(void)
{
	handle(SIGUSR1, 0);
	CHECK_EQ(goru_init(NULL), 0);
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++)
		wait_through(&waits[i]);
	CHECK_EQ(goru_shutdown(), 0);
	signal(SIGUSR1, SIG_DFL);
}

static pthread_t runner;

static void kills_runner(void *arg)
{
	for (int i = 0; i < 5; i++) {
		int before = atomic_load(&hits);

		pthread_kill(runner, SIGUSR1);
		UNTIL(atomic_load(&hits) > before);
	}
	atomic_store((_Atomic bool *)arg, true);
}

/* Nor does it end goru_run. */
static void no_handler_ends_run(void)
{
	_Atomic bool done = false;

	handle(SIGUSR1, 0);
	runner = pthread_self();
	CHECK_EQ(goru_run(kills_runner, &done), 0);
	CHECK(atomic_load(&done));
	CHECK_EQ(goru_shutdown(), 0);
	signal(SIGUSR1, SIG_DFL);
}

TEST_MAIN(TEST(handlers_run_on_threads_of_the_program), TEST(signal_threads_get_theirs),
	  TEST(no_handler_ends_a_wait), TEST(no_handler_ends_run))
