/* signal.c - signals that cannot go to a channel: no memory, no thread, no handler; and those that come in the middle of a stop. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=malloc,grt_os_thread_start,grt_os_signal_catch,grt_os_signal_give_back,grt_os_thread_signals */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "fault.h"
#include "test.h"

enum { HEAP = 1, THREAD = 2, HANDLER = 4 };

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
int __real_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name);
int __wrap_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name);
int __real_grt_os_signal_catch(int signo, void (*fn)(int));
int __wrap_grt_os_signal_catch(int signo, void (*fn)(int));

void *__wrap_malloc(size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_malloc(size);
}

int __wrap_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name)
{
	return fault_hit(THREAD) ? -EAGAIN : __real_grt_os_thread_start(out, fn, arg, name);
}

int __wrap_grt_os_signal_catch(int signo, void (*fn)(int))
{
	return fault_hit(HANDLER) ? -EINVAL : __real_grt_os_signal_catch(signo, fn);
}

void __real_grt_os_signal_give_back(int signo, void (*fn)(int));
void __wrap_grt_os_signal_give_back(int signo, void (*fn)(int));
void __real_grt_os_thread_signals(uint64_t set);
void __wrap_grt_os_thread_signals(uint64_t set);

static _Atomic bool once_more, slow;

/* One arrives just before. */
void __wrap_grt_os_signal_give_back(int signo, void (*fn)(int))
{
	if (atomic_load(&once_more))
		pthread_kill(pthread_self(), signo);
	__real_grt_os_signal_give_back(signo, fn);
}

void __wrap_grt_os_thread_signals(uint64_t set)
{
	if (atomic_load(&slow))
		usleep(100000);
	__real_grt_os_thread_signals(set);
}

static _Atomic int handled;

static void handle(int sig)
{
	(void)sig;
	atomic_fetch_add(&handled, 1);
}

static goru_chan *c;

static int fails(unsigned kind, goru_chan *to, int signo)
{
	int rc;

	fault_set(kind, 1, true);
	rc = goru_signal_notify(to, signo);
	CHECK(fault_count() > 0);
	fault_set(0, 0, false);
	return rc;
}

/* The program's handler has the signal; no reference was kept, nor a thread. */
static void nothing_has_changed(int signo)
{
	int before = atomic_load(&handled);
	struct sigaction now;

	CHECK_EQ(sigaction(signo, NULL, &now), 0);
	CHECK(now.sa_handler == handle);
	kill(getpid(), signo);
	UNTIL(atomic_load(&handled) == before + 1);
	CHECK_EQ(goru_chan_len(c), 0);
}

static void the_first(void)
{
	int threads;

	signal(SIGUSR1, handle);
	signal(SIGUSR2, handle);
	CHECK_EQ(goru_init(NULL), 0);
	UNTIL(test_workers_asleep());
	threads = test_threads();
	c = goru_chan_make(sizeof(int), 4);
	CHECK_EQ(fails(HEAP, c, SIGUSR1), -ENOMEM);
	nothing_has_changed(SIGUSR1);
	CHECK_EQ(fails(HANDLER, c, SIGUSR1), -EINVAL);
	nothing_has_changed(SIGUSR1);
	CHECK_EQ(fails(THREAD, c, SIGUSR1), -EAGAIN);
	nothing_has_changed(SIGUSR1);
	CHECK_EQ(goru_signal_stop(c), -ENOENT);
	UNTIL(test_threads() == threads);
}

/* What was there before goes on. */
static void a_further_one(void)
{
	goru_chan *other = goru_chan_make(sizeof(int), 4);
	int signo = 0;

	CHECK_EQ(goru_signal_notify(c, SIGUSR1), 0);
	CHECK_EQ(fails(HANDLER, c, SIGUSR2), -EINVAL);
	nothing_has_changed(SIGUSR2);
	CHECK_EQ(fails(HANDLER, other, SIGUSR2), -EINVAL);
	CHECK_EQ(fails(HEAP, other, SIGUSR1), -ENOMEM);
	CHECK_EQ(goru_signal_stop(other), -ENOENT);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(goru_chan_recv(c, &signo), 1);
	CHECK_EQ(signo, SIGUSR1);
	/* neither memory nor a thread is needed for another signal to the same channel, or to stop */
	fault_set(HEAP | THREAD, 1, true);
	CHECK_EQ(goru_signal_notify(c, SIGUSR2), 0);
	CHECK_EQ(goru_signal_stop(c), 0);
	fault_set(0, 0, false);
	nothing_has_changed(SIGUSR1);
	nothing_has_changed(SIGUSR2);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
	goru_chan_unref(other);
}

/* It goes to who has the signal then. */
static void in_the_middle_of_a_stop(void)
{
	signal(SIGUSR1, handle);
	c = goru_chan_make(sizeof(int), 4);
	CHECK_EQ(goru_signal_notify(c, SIGUSR1), 0);
	atomic_store(&handled, 0);
	atomic_store(&once_more, true);
	CHECK_EQ(goru_signal_stop(c), 0);
	atomic_store(&once_more, false);
	UNTIL(atomic_load(&handled) == 1);
	CHECK_EQ(goru_chan_len(c), 0);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

/* Blocked everywhere, so nobody may die of it once the signal thread should not take it any more. */
static void stops_slowly(void)
{
	goru_chan *term = goru_chan_make(sizeof(int), 4), *hup = goru_chan_make(sizeof(int), 4);
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	CHECK_EQ(goru_signal_notify(hup, SIGHUP), 0);
	CHECK_EQ(goru_signal_notify(term, SIGTERM), 0);
	kill(getpid(), SIGTERM);
	CHECK_EQ(goru_chan_recv(term, NULL), 1);
	atomic_store(&slow, true);
	CHECK_EQ(goru_signal_stop(term), 0);
	kill(getpid(), SIGTERM);
	CHECK_EQ(sigpending(&s), 0);
	CHECK_EQ(sigismember(&s, SIGTERM), 1);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(sigpending(&s), 0);
	CHECK_EQ(sigismember(&s, SIGTERM), 1);
	goru_chan_unref(term);
	goru_chan_unref(hup);
}

static void the_thread_lets_go_first(void)
{
	CHECK_LIVES(stops_slowly, "");
}

TEST_MAIN(TEST(the_thread_lets_go_first), TEST(the_first), TEST(a_further_one),
	  TEST(in_the_middle_of_a_stop))
