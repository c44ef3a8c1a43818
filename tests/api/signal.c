/* signal.c - signals that go to channels. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"
#include "os/os.h"

static goru_chan *ints(size_t room)
{
	return goru_chan_make(sizeof(int), room);
}

static void send_signal(int signo)
{
	CHECK_EQ(kill(getpid(), signo), 0);
}

static int got(goru_chan *c)
{
	int signo = 0;

	CHECK_EQ(goru_chan_recv(c, &signo), 1);
	return signo;
}

static void each_arrival_is_sent(void)
{
	goru_chan *c = ints(1);

	CHECK_EQ(goru_signal_notify(c, SIGUSR1), 0);
	for (int i = 0; i < 50; i++) {
		send_signal(SIGUSR1);
		CHECK_EQ(got(c), SIGUSR1);
	}
	CHECK_EQ(goru_chan_len(c), 0);
	CHECK_EQ(goru_signal_stop(c), 0);
	CHECK_EQ(goru_signal_stop(c), -ENOENT);
	goru_chan_unref(c);
}

static void refused(void)
{
	static const int bad[] = { -1,	    0,	     1000,   65,     32,     33,      SIGKILL,
				   SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
	goru_chan *c = ints(1), *chars = goru_chan_make(1, 1), *longs = goru_chan_make(8, 1);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_EQ(goru_signal_notify(c, bad[i]), -EINVAL);
	CHECK_EQ(goru_signal_notify(NULL, SIGUSR1), -EINVAL);
	CHECK_EQ(goru_signal_notify(chars, SIGUSR1), -EINVAL);
	CHECK_EQ(goru_signal_notify(longs, SIGUSR1), -EINVAL);
	CHECK_EQ(goru_signal_stop(NULL), -EINVAL);
	CHECK_EQ(goru_signal_stop(c), -ENOENT);
	CHECK_EQ(goru_signal_notify(c, SIGRTMIN), 0);
	CHECK_EQ(goru_signal_notify(c, SIGRTMAX - 2), 0);
	CHECK_EQ(goru_signal_stop(longs), -ENOENT);
	CHECK_EQ(goru_signal_stop(c), 0);
	goru_chan_unref(c);
	goru_chan_unref(chars);
	goru_chan_unref(longs);
}

/* a and b get SIGUSR1, a gets SIGUSR2, and a pair twice is once. */
static void several(void)
{
	goru_chan *a = ints(8), *b = ints(8);

	CHECK_EQ(goru_signal_notify(a, SIGUSR1), 0);
	CHECK_EQ(goru_signal_notify(b, SIGUSR1), 0);
	CHECK_EQ(goru_signal_notify(a, SIGUSR2), 0);
	CHECK_EQ(goru_signal_notify(a, SIGUSR1), 0);
	send_signal(SIGUSR1);
	CHECK_EQ(got(a), SIGUSR1);
	CHECK_EQ(got(b), SIGUSR1);
	send_signal(SIGUSR2);
	CHECK_EQ(got(a), SIGUSR2);
	CHECK_EQ(goru_signal_stop(b), 0);
	send_signal(SIGUSR1);
	CHECK_EQ(got(a), SIGUSR1);
	CHECK_EQ(goru_signal_stop(a), 0);
	CHECK_EQ(goru_chan_len(a), 0);
	CHECK_EQ(goru_chan_len(b), 0);
	goru_chan_unref(a);
	goru_chan_unref(b);
}

/* Real-time signals are queued, so each is a value. */
static void as_many_as_were_sent(void)
{
	enum { MANY = 20 };
	goru_chan *c;

	if (GRT_TSAN_ON) /* its runtime makes one of those that it puts off */
		return;
	c = ints(MANY);
	CHECK_EQ(goru_signal_notify(c, SIGRTMIN + 3), 0);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ 0 }), 0);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(got(c), SIGRTMIN + 3);
	CHECK_EQ(goru_signal_stop(c), 0);
	CHECK_EQ(goru_chan_len(c), 0);
	goru_chan_unref(c);
}

/* What does not fit is dropped: full, closed, unbuffered. The one behind them tells when they have had theirs. */
static void dropped(void)
{
	goru_chan *full = ints(1), *closed = ints(1), *none = ints(0), *last = ints(4);

	CHECK_EQ(goru_signal_notify(full, SIGUSR1), 0);
	CHECK_EQ(goru_signal_notify(closed, SIGUSR1), 0);
	CHECK_EQ(goru_signal_notify(none, SIGUSR1), 0);
	CHECK_EQ(goru_signal_notify(last, SIGUSR1), 0);
	CHECK_EQ(goru_chan_close(closed), 0);
	goru_chan_unref(closed); /* the last but goru's */
	for (int i = 0; i < 3; i++) {
		send_signal(SIGUSR1);
		CHECK_EQ(got(last), SIGUSR1);
	}
	CHECK_EQ(goru_signal_stop(last), 0);
	CHECK_EQ(goru_signal_stop(none), 0);
	CHECK_EQ(goru_signal_stop(full), 0);
	CHECK_EQ(goru_chan_len(full), 1);
	CHECK_EQ(goru_chan_len(none), 0);
	CHECK_EQ(goru_signal_stop(closed), 0); /* and frees it */
	goru_chan_unref(full);
	goru_chan_unref(none);
	goru_chan_unref(last);
}

static _Atomic int handled;

static void handle(int sig)
{
	atomic_fetch_add(&handled, sig == SIGUSR1);
}

/* While it goes to a channel the program's handler is not called; after the last stop it is what it was, to the flags. */
static void what_was_there_comes_back(void)
{
	struct sigaction sa = { .sa_handler = handle, .sa_flags = SA_RESTART | SA_NODEFER }, now;
	goru_chan *a = ints(1), *b = ints(1);

	sigaddset(&sa.sa_mask, SIGWINCH);
	atomic_store(&handled, 0);
	CHECK_EQ(sigaction(SIGUSR1, &sa, NULL), 0);
	signal(SIGUSR2, SIG_IGN);
	CHECK_EQ(goru_signal_notify(a, SIGUSR1), 0);
	CHECK_EQ(goru_signal_notify(a, SIGUSR2), 0);
	CHECK_EQ(goru_signal_notify(b, SIGUSR1), 0);
	send_signal(SIGUSR1);
	CHECK_EQ(got(a), SIGUSR1);
	CHECK_EQ(got(b), SIGUSR1);
	send_signal(SIGUSR2);
	CHECK_EQ(got(a), SIGUSR2);
	CHECK_EQ(goru_signal_stop(a), 0);
	send_signal(SIGUSR1);
	CHECK_EQ(got(b), SIGUSR1);
	CHECK_EQ(atomic_load(&handled), 0);
	CHECK_EQ(goru_signal_stop(b), 0);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
	CHECK(now.sa_handler == handle && sigismember(&now.sa_mask, SIGWINCH) == 1);
	CHECK_EQ(now.sa_flags & (SA_RESTART | SA_NODEFER | SA_ONSTACK), SA_RESTART | SA_NODEFER);
	send_signal(SIGUSR1);
	UNTIL(atomic_load(&handled) == 1);
	CHECK_EQ(sigaction(SIGUSR2, NULL, &now), 0);
	CHECK(now.sa_handler == SIG_IGN);
	send_signal(SIGUSR2);
	CHECK_EQ(goru_chan_len(a) + goru_chan_len(b), 0);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	goru_chan_unref(a);
	goru_chan_unref(b);
}

/* A handler that the program sets meanwhile has the signal, until it is asked for again, and stays after the stop. */
static void the_last_word_counts(void)
{
	goru_chan *c = ints(1);
	struct sigaction now;

	atomic_store(&handled, 0);
	CHECK_EQ(goru_signal_notify(c, SIGUSR1), 0);
	signal(SIGUSR1, handle);
	send_signal(SIGUSR1);
	UNTIL(atomic_load(&handled) == 1);
	CHECK_EQ(goru_signal_notify(c, SIGUSR1), 0);
	send_signal(SIGUSR1);
	CHECK_EQ(got(c), SIGUSR1);
	CHECK_EQ(atomic_load(&handled), 1);
	signal(SIGUSR1, SIG_IGN);
	CHECK_EQ(goru_signal_stop(c), 0);
	CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
	CHECK(now.sa_handler == SIG_IGN);
	signal(SIGUSR1, SIG_DFL);
	goru_chan_unref(c);
}

/* In this process alone: blocked everywhere. After the stop it is pending, and kills nobody. */
static void blocks_all(void)
{
	goru_chan *c = ints(4);
	sigset_t s, pending;
	int sig = 0;

	sigemptyset(&s);
	sigaddset(&s, SIGTERM);
	sigaddset(&s, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	for (int round = 0; round < 20; round++) {
		CHECK_EQ(goru_signal_notify(c, SIGUSR2), 0);
		if (round & 1) /* pending before */
			send_signal(SIGTERM);
		CHECK_EQ(goru_signal_notify(c, SIGTERM), 0);
		if (!(round & 1))
			send_signal(SIGTERM);
		CHECK_EQ(got(c), SIGTERM);
		if (round & 2) { /* the thread stays, for another signal */
			goru_chan *other = ints(1);

			CHECK_EQ(goru_signal_notify(other, SIGHUP), 0);
			CHECK_EQ(goru_signal_stop(c), 0);
			send_signal(SIGTERM);
			CHECK_EQ(goru_signal_stop(other), 0);
			goru_chan_unref(other);
		} else {
			CHECK_EQ(goru_signal_stop(c), 0);
			send_signal(SIGTERM);
		}
		CHECK_EQ(sigpending(&pending), 0);
		CHECK(sigismember(&pending, SIGTERM) == 1);
		sigdelset(&s, SIGUSR2);
		CHECK_EQ(sigwait(&s, &sig), 0);
		CHECK_EQ(sig, SIGTERM);
	}
	CHECK_EQ(goru_chan_len(c), 0);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

static void blocked_everywhere(void)
{
	CHECK_LIVES(blocks_all, "");
}

/* One that arrived before the stop has been sent when that returns. */
static void sent_before_the_stop(void)
{
	goru_chan *c = ints(1);

	for (int i = 0; i < 50; i++) {
		CHECK_EQ(goru_signal_notify(c, SIGUSR1), 0);
		CHECK_EQ(pthread_kill(pthread_self(), SIGUSR1), 0); /* handled here, now */
		CHECK_EQ(goru_signal_stop(c), 0);
		CHECK_EQ(goru_chan_len(c), 1);
		CHECK_EQ(got(c), SIGUSR1);
	}
	goru_chan_unref(c);
}

/* The thread is there as long as it is needed, asleep. */
static void one_thread(void)
{
	goru_chan *a = ints(1), *b = ints(1);
	int before, had = test_fds();

	CHECK_EQ(goru_init(NULL), 0);
	UNTIL(test_workers_asleep());
	before = test_threads();
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(goru_signal_notify(a, SIGUSR1), 0);
		CHECK_EQ(goru_signal_notify(b, SIGUSR2), 0);
		CHECK_EQ(goru_signal_notify(b, SIGUSR1), 0);
		CHECK_EQ(test_threads(), before + 1);
		CHECK_EQ(goru_signal_stop(a), 0);
		CHECK_EQ(test_threads(), before + 1);
		CHECK_EQ(goru_signal_stop(b), 0);
		UNTIL(test_threads() == before); /* joined; the kernel may take a moment */
	}
	CHECK_EQ(test_fds(), had);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(a);
	goru_chan_unref(b);
}

/* The thread of that name; 0: none. */
static uint32_t signal_tid(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	uint32_t tid = 0;

	while (d && (e = readdir(d))) {
		char path[64], comm[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", e->d_name);
		f = fopen(path, "r");
		if (f && fgets(comm, sizeof(comm), f) && !strcmp(comm, "goru-signals\n"))
			tid = (uint32_t)atoi(e->d_name);
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return tid;
}

/* Has the thread used no CPU for a while? */
static bool quiet(uint32_t tid)
{
	int64_t used = grt_os_thread_cpu(tid);

	CHECK(used > 0);
	usleep(100000);
	return grt_os_thread_cpu(tid) == used;
}

/* It uses no CPU while nothing comes. */
static void asleep(void)
{
	goru_chan *c = ints(1);
	uint32_t tid;

	CHECK_EQ(goru_signal_notify(c, SIGUSR1), 0);
	send_signal(SIGUSR1);
	CHECK_EQ(got(c), SIGUSR1);
	if (!GRT_TSAN_ON && !test_emulated()) { /* they look around now and then */
		UNTIL((tid = signal_tid()) != 0);
		UNTIL(grt_os_thread_sleeps(tid) == 1);
		UNTIL(quiet(tid)); /* it may have been on its way there */
	}
	CHECK_EQ(goru_signal_stop(c), 0);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

/* Shutdown is a stop of all; then it can begin anew. */
static void ends_with_the_runtime(void)
{
	goru_chan *a = ints(1), *b = ints(1);
	struct sigaction now;
	int before = test_threads();

	for (int i = 0; i < 3; i++) {
		CHECK_EQ(goru_signal_notify(a, SIGUSR1), 0);
		CHECK_EQ(goru_signal_notify(b, SIGUSR2), 0);
		send_signal(SIGUSR1);
		CHECK_EQ(got(a), SIGUSR1);
		CHECK_EQ(goru_shutdown(), 0);
		UNTIL(test_threads() == before);
		CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
		CHECK(now.sa_handler == SIG_DFL);
		CHECK_EQ(sigaction(SIGUSR2, NULL, &now), 0);
		CHECK(now.sa_handler == SIG_DFL);
		CHECK_EQ(goru_signal_stop(a), -ENOENT);
	}
	goru_chan_unref(a);
	goru_chan_unref(b);
}

/* In a child of fork a signal does what it did before goru_signal_notify; the parent's channel hears nothing of it. */
static int child_of(long (*make)(void), goru_chan *c)
{
	int status = 0;
	pid_t pid = (pid_t)make();

	if (pid == 0) {
		kill(getpid(), SIGUSR1);
		_exit(3);
	}
	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(goru_chan_len(c), 0);
	return status;
}

static long by_fork(void)
{
	return fork();
}

/* No fork handler sees it. */
static long by_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void fork_undoes_it(void)
{
	goru_chan *c = ints(1);
	int status;

	CHECK_EQ(goru_signal_notify(c, SIGUSR1), 0);
	status = child_of(by_fork, c);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	if (!test_emulated() && !GRT_TSAN_ON) {
		status = child_of(by_clone, c);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	}
	send_signal(SIGUSR1);
	CHECK_EQ(got(c), SIGUSR1);
	CHECK_EQ(goru_signal_stop(c), 0);
	goru_chan_unref(c);
}

/* All asleep, and somebody outside sends the signal, after the time in which a deadlock is seen. */
static void main_waits(void *arg)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		usleep(200000);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	CHECK_EQ(got(arg), SIGUSR1);
}

static void waits_for_a_signal(void)
{
	goru_chan *c = ints(1);

	CHECK_EQ(goru_signal_notify(c, SIGUSR1), 0);
	CHECK_EQ(goru_run(main_waits, c), 0);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

static void waits_after_the_stop(void *arg)
{
	CHECK_EQ(goru_signal_notify(arg, SIGUSR1), 0);
	CHECK_EQ(goru_signal_stop(arg), 0);
	got(arg);
}

static void nothing_can_come(void)
{
	goru_run(waits_after_the_stop, ints(1));
}

static void no_deadlock(void)
{
	static struct test_end e;

	CHECK_LIVES(waits_for_a_signal, "");
	if (GRT_TSAN_ON || test_emulated()) /* other threads: no deadlock is told */
		return;
	test_child(nothing_can_come, &e);
	CHECK(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 2);
}

static void off(void)
{
	CHECK_EQ(goru_shutdown(), 0);
}

TEST_MAIN(TEST(one_thread), TEST(asleep), TEST(ends_with_the_runtime), TEST(blocked_everywhere),
	  TEST(no_deadlock), TEST_BOTH(each_arrival_is_sent), TEST_BOTH(refused),
	  TEST_BOTH(several), TEST_BOTH(as_many_as_were_sent), TEST_BOTH(dropped),
	  TEST_BOTH(what_was_there_comes_back), TEST_BOTH(the_last_word_counts),
	  TEST(sent_before_the_stop), TEST(fork_undoes_it), TEST(off))
