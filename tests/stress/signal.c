/* signal.c - signals from all sides, while channels begin and stop to get them: none is lost, none comes twice. */
/* SPDX-License-Identifier: MIT */
/* ThreadSanitizer's runtime makes one of several signals that it puts off. */
/* test: not=thread */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "stress.h"

enum { ROOM = 256, SENDERS = 4, CHANGERS = 3 };

static _Atomic long sent, received;
static _Atomic bool over;
static goru_chan *steady;

/* A real-time signal is queued, or refused, never merged. No more of them than there is room. */
static void send_one(uint64_t *rand)
{
	if (atomic_fetch_add(&sent, 1) - atomic_load(&received) >= ROOM / 2) {
		atomic_fetch_sub(&sent, 1);
		stress_pause(rand, 200);
		return;
	}
	while (sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ 0 })) {
		CHECK_EQ(errno, EAGAIN);
		usleep(100);
	}
	stress_progress();
}

static void *sends_from_a_thread(void *arg)
{
	uint64_t rand = stress_rand((uintptr_t)arg);
	sigset_t s;

	/* handlers run on some of the threads and not on others */
	sigfillset(&s);
	if ((uintptr_t)arg & 1)
		pthread_sigmask(SIG_BLOCK, &s, NULL);
	while (!atomic_load(&over)) {
		send_one(&rand);
		stress_pause(&rand, 50);
	}
	return NULL;
}

static void sends(uintptr_t salt, goru_waitgroup *wg)
{
	uint64_t rand = stress_rand(salt);

	while (!atomic_load(&over)) {
		send_one(&rand);
		goru_yield();
	}
	goru_waitgroup_done(wg);
}

/* The same signal, and another one, go to further channels for a while. */
static void changes(uintptr_t salt, goru_waitgroup *wg)
{
	uint64_t rand = stress_rand(salt);

	while (!atomic_load(&over)) {
		goru_chan *c = goru_chan_make(sizeof(int), grt_rand64(&rand) % 3);
		int signo;

		CHECK(c);
		CHECK_EQ(goru_signal_notify(c, grt_rand64(&rand) % 2 ? SIGRTMIN + 1 : SIGRTMIN + 2),
			 0);
		if (grt_rand64(&rand) % 2)
			CHECK_EQ(goru_signal_notify(c, SIGRTMIN + 2), 0);
		stress_pause(&rand, 300);
		while (goru_chan_try_recv(c, &signo) == 1)
			CHECK(signo == SIGRTMIN + 1 || signo == SIGRTMIN + 2);
		if (grt_rand64(&rand) % 4 == 0)
			goru_chan_close(c);
		CHECK_EQ(goru_signal_stop(c), 0);
		CHECK_EQ(goru_signal_stop(c), -ENOENT);
		goru_chan_unref(c);
		stress_progress();
		goru_yield();
	}
	goru_waitgroup_done(wg);
}

static void receives(goru_waitgroup *wg)
{
	int signo;

	while (goru_chan_recv(steady, &signo) > 0) {
		CHECK_EQ(signo, SIGRTMIN + 1);
		atomic_fetch_add(&received, 1);
	}
	goru_waitgroup_done(wg);
}

static void none_is_lost(void **state)
{
	goru_waitgroup wg = GORU_WAITGROUP_INIT, all = GORU_WAITGROUP_INIT;
	pthread_t t[SENDERS];

	(void)state;
	steady = goru_chan_make(sizeof(int), ROOM);
	CHECK(steady);
	CHECK_EQ(goru_signal_notify(steady, SIGRTMIN + 1), 0);
	goru_waitgroup_add(&all, 1);
	GO(receives, &all);
	goru_waitgroup_add(&wg, SENDERS + CHANGERS);
	for (uintptr_t i = 0; i < SENDERS; i++) {
		GO(sends, i + 100, &wg);
		stress_thread(&t[i], sends_from_a_thread, (void *)i);
	}
	for (uintptr_t i = 0; i < CHANGERS; i++)
		GO(changes, i + 200, &wg);
	while (stress_more())
		usleep(1000);
	atomic_store(&over, true);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	for (int i = 0; i < SENDERS; i++)
		stress_join(t[i]);
	STRESS_UNTIL(atomic_load(&received) >= atomic_load(&sent));
	CHECK_EQ(goru_signal_stop(steady), 0);
	CHECK_EQ(goru_chan_close(steady), 0);
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
	CHECK_EQ(atomic_load(&received), atomic_load(&sent));
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(steady);
}

/* Blocked in all threads, default action: it may be pending or go to the channel, but nobody dies of it. The thread has
 * another signal too, so that it stays at times. */
static void nobody_dies(void **state)
{
	goru_chan *c = goru_chan_make(sizeof(int), 4), *other = goru_chan_make(sizeof(int), 4);
	uint64_t rand = stress_rand(1);
	sigset_t s;
	int sig;

	(void)state;
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + 4);
	stress_again();
	while (stress_more()) {
		bool both = grt_rand64(&rand) % 2;

		if (both)
			CHECK_EQ(goru_signal_notify(other, SIGRTMIN + 5), 0);
		CHECK_EQ(goru_signal_notify(c, SIGRTMIN + 4), 0);
		for (uint64_t i = grt_rand64(&rand) % 3; i; i--)
			kill(getpid(), SIGRTMIN + 4);
		CHECK_EQ(goru_signal_stop(c), 0);
		for (uint64_t i = grt_rand64(&rand) % 3; i; i--)
			kill(getpid(), SIGRTMIN + 4);
		if (both)
			CHECK_EQ(goru_signal_stop(other), 0);
		while (sigtimedwait(&s, NULL, &(struct timespec){ 0, 0 }) > 0)
			;
		while (goru_chan_try_recv(c, &sig) == 1)
			CHECK_EQ(sig, SIGRTMIN + 4);
		stress_progress();
	}
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
	goru_chan_unref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(none_is_lost),
					    cmocka_unit_test(nobody_dies) };
	sigset_t s;

	/* before there is a watchdog or any other thread */
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN + 4);
	pthread_sigmask(SIG_BLOCK, &s, NULL);
	return stress_main("signal", tests, sizeof(tests) / sizeof(tests[0]));
}
