/* shutdown.c - the end and the next beginning: what is dropped, what is cancelled, what is given back. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <malloc.h>
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"

GORU_CHAN_OF(ints, int);

static ints *empty, *full;
static goru_waitgroup wg;
static goru_mutex held, of_cond;
static goru_cond cond;
static goru_rwlock written;
static goru_sem none;
static goru_timer once_timer, periodic;
static _Atomic int arrived, after, canceled;

static void arrive(void)
{
	atomic_fetch_add(&arrived, 1);
}

/* Everywhere one can wait. A goroutine must not come back from there, a thread must with -ECANCELED. */
static void back(int rc)
{
	if (goru_id())
		atomic_fetch_add(&after, 1);
	else if (CHECK_EQ(rc, -ECANCELED))
		atomic_fetch_add(&canceled, 1);
}

static void in_recv(void)
{
	int v = 7;

	arrive();
	back(ints_recv(empty, &v));
	CHECK_EQ(v, 7);
}

static void in_recv_until(void)
{
	int v;

	arrive();
	back(ints_recv_until(empty, &v, goru_in(3600 * GORU_SEC)));
}

static void in_send(void)
{
	arrive();
	back(ints_send(full, 1));
}

static void in_send_until(void)
{
	arrive();
	back(ints_send_until(full, 1, goru_in(3600 * GORU_SEC)));
}

static void in_select(void)
{
	int v = 1;
	goru_case k[] = { GORU_RECV(ints_chan(empty), NULL), GORU_SEND(ints_chan(full), &v),
			  GORU_RECV(NULL, NULL), GORU_RECV(ints_chan(empty), NULL) };

	arrive();
	back(goru_select(k, 4));
}

static void in_big_select(void)
{
	goru_case k[40];

	for (int i = 0; i < 40; i++)
		k[i] = GORU_RECV(ints_chan(empty), NULL);
	if (goru_id())
		return arrive(); /* its allocation would be lost, as told: not for the leak checker */
	arrive();
	back(goru_select(k, 40));
}

static void in_nothing(void)
{
	arrive();
	back(goru_select_until(NULL, 0, goru_in(3600 * GORU_SEC)));
}

static void in_wait(void)
{
	arrive();
	back(goru_waitgroup_wait(&wg));
}

static void in_wait_until(void)
{
	arrive();
	back(goru_waitgroup_wait_until(&wg, goru_in(3600 * GORU_SEC)));
}

static void in_sleep(void)
{
	arrive();
	back(goru_sleep(3600 * GORU_SEC));
}

static void in_lock(void)
{
	arrive();
	back(goru_mutex_lock(&held));
}

static void in_rdlock(void)
{
	arrive();
	back(goru_rwlock_rdlock(&written));
}

static void in_wrlock(void)
{
	arrive();
	back(goru_rwlock_wrlock(&written));
}

static void in_sem(void)
{
	arrive();
	back(goru_sem_wait(&none));
}

static void in_cond(void)
{
	CHECK_EQ(goru_mutex_lock(&of_cond), 0);
	arrive();
	back(goru_cond_wait(&cond, &of_cond));
	goru_mutex_unlock(&of_cond);
}

static void on_its_thread(void)
{
	CHECK_EQ(goru_lock_thread(), goru_id() ? 0 : -EPERM);
	in_recv();
}

static void (*const places[])(void) = { in_recv,   in_recv_until, in_send,	 in_send_until,
					in_select, in_nothing,	  in_wait,	 in_wait_until,
					in_sleep,  in_lock,	  in_rdlock,	 in_wrlock,
					in_sem,	   in_cond,	  on_its_thread, in_big_select };
enum { PLACES = sizeof(places) / sizeof(places[0]) };

static void ready_but_not_run(void)
{
	arrive();
	(void)ints_recv(empty, NULL);
}

static void never(void *arg)
{
	(void)arg;
	CHECK(false);
}

static void goroutines(void *arg)
{
	(void)arg;
	for (int i = 0; i < PLACES; i++)
		CHECK_EQ(go(places[i]), 0);
}

static void run_by_a_thread(void)
{
	CHECK_EQ(goru_run(goroutines, NULL), 0);
}

/* Each way to begin, in turn. */
static void begin(int turn)
{
	pthread_t t;

	if (turn % 3 == 2) {
		test_thread(&t, run_by_a_thread);
		test_join(t);
		return;
	}
	if (turn % 3 == 1)
		CHECK_EQ(goru_init(NULL), 0);
	goroutines(NULL);
}

/* And each to end. */
static void end(int turn)
{
	if (turn % 2)
		CHECK_EQ(goru_shutdown_until(goru_in(3600 * GORU_SEC)), 0);
	else
		CHECK_EQ(goru_shutdown(), 0);
}

static void threads_too(pthread_t *t)
{
	for (int i = 0; i < PLACES; i++)
		test_thread(&t[i], places[i]);
}

/* All goroutines, timers, and now and then threads at every place; then the end. */
static void live(int turn, bool threads)
{
	goru_chan *after_hours;
	pthread_t t[PLACES];

	atomic_store(&arrived, 0);
	atomic_store(&after, 0);
	atomic_store(&canceled, 0);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_mutex_lock(&held), 0);
	CHECK_EQ(goru_rwlock_wrlock(&written), 0);
	begin(turn);
	if (threads)
		threads_too(t);
	CHECK_EQ(goru_timer_start(&once_timer, goru_in(3600 * GORU_SEC), 0, never, NULL), 0);
	CHECK_EQ(goru_timer_start(&periodic, goru_in(3600 * GORU_SEC), GORU_SEC, never, NULL), 0);
	after_hours = goru_after(3600 * GORU_SEC);
	UNTIL(atomic_load(&arrived) == PLACES * (threads ? 2 : 1));
	UNTIL(test_asleep() == PLACES * (threads ? 2 : 1) - 1); /* without the big select */
	end(turn);
	for (int i = 0; threads && i < PLACES; i++)
		test_join(t[i]);
	CHECK_EQ(atomic_load(&after), 0);
	CHECK_EQ(atomic_load(&canceled), threads ? PLACES : 0);
	/* the objects are free of all of them */
	CHECK_EQ(ints_try_send(empty, 1), -EAGAIN);
	CHECK_EQ(ints_len(full), 1);
	CHECK_EQ(goru_timer_stop(&once_timer), 0);
	CHECK_EQ(goru_timer_stop(&periodic), 0);
	goru_chan_unref(after_hours);
	goru_mutex_unlock(&held);
	goru_rwlock_wrunlock(&written);
	CHECK_EQ(goru_mutex_try_lock(&of_cond), 0);
	goru_mutex_unlock(&of_cond);
	goru_waitgroup_done(&wg);
	CHECK_EQ(wg.word[0], 0);
	CHECK_EQ(wg.word[1], 0);
}

/* The bytes that malloc has given out: all of them, with the one arena that the test asks for. */
static long long used(void)
{
#ifdef __GLIBC__
	struct mallinfo2 i = mallinfo2();

	return (long long)(i.uordblks + i.hblkhd);
#else
	return 0;
#endif
}

/* A sanitizer keeps mappings and bytes of its own, of goroutines that are dropped while they wait, too. */
static bool counts_memory(void)
{
	return !GRT_ASAN_ON && !GRT_TSAN_ON && !test_emulated();
}

/* As many as a busy machine lets us in 12 s, but at least a hundred: how many. */
static int live_often(int most)
{
	int64_t until = goru_in(12 * GORU_SEC);
	int n = 0;

	while (n < most && (n < 100 || goru_now() < until)) {
		live(n, n % 20 == 0);
		n++;
	}
	return n;
}

/* One lost at each start would be n, and no allocation is smaller than 24 bytes. */
static bool keeps_no_bytes(int most)
{
	long long bytes = used();
	int n = live_often(most);

	return used() < bytes + 16 * n;
}

static void a_thousand_lives(void)
{
	int threads, fds, maps;
	size_t space;
	bool kept = true;

#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
#endif
	empty = ints_make(0);
	full = ints_make(1);
	CHECK_EQ(ints_send(full, 5), 0);
	for (int i = 0; i < 12; i++)
		live(i, true);
	threads = test_threads();
	fds = test_fds();
	maps = test_mappings();
	space = test_address_space();
	if (counts_memory()) {
		/* libpthread keeps what threads had, as many as there ever were at once: then once more */
		for (int i = 0; kept && i < 5; i++)
			kept = !keeps_no_bytes(i ? 100 : 1000);
		CHECK(!kept);
		CHECK(test_mappings() <= maps + 60);
		CHECK(test_address_space() <= space + (64 << 20));
	} else {
		live_often(100);
	}
	UNTIL(test_threads() == threads);
	CHECK_EQ(test_fds(), fds);
	ints_unref(empty);
	ints_unref(full);
}

static void nothing(void)
{
	arrive();
}

static void off_is_fine(void)
{
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(go(nothing), 0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

static void from_a_goroutine(void)
{
	CHECK_EQ(goru_shutdown(), -EPERM);
	CHECK_EQ(go(nothing), 0);
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
}

/* Those that are ready may run once more or not; either way nobody is left behind on a list. */
static void readied_just_before(void)
{
	for (int i = 0; i < 50; i++) {
		atomic_store(&arrived, 0);
		empty = ints_make(0);
		for (int k = 0; k < 8; k++)
			CHECK_EQ(go(ready_but_not_run), 0);
		UNTIL(atomic_load(&arrived) == 8);
		for (int k = 0; k < 4; k++)
			(void)ints_try_send(empty, k);
		CHECK_EQ(goru_shutdown(), 0);
		CHECK_EQ(ints_try_send(empty, 1), -EAGAIN);
		ints_unref(empty);
	}
}

static void computes(void)
{
	arrive();
	test_await_shutdown();
	atomic_store(&after, 1);
}

static void blocks(void)
{
	goru_block_enter();
	arrive();
	test_await_shutdown();
	atomic_store(&canceled, 1); /* runs on until a call that waits, such as this: */
	goru_block_exit();
	atomic_store(&after, 2);
}

/* Who runs is waited for until it parks or ends. */
static void waits_for_those_that_run(void)
{
	atomic_store(&arrived, 0);
	atomic_store(&after, 0);
	CHECK_EQ(go(computes), 0);
	UNTIL(atomic_load(&arrived) == 1);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(atomic_load(&after), 1);

	atomic_store(&arrived, 0);
	atomic_store(&canceled, 0);
	CHECK_EQ(go(blocks), 0);
	UNTIL(atomic_load(&arrived) == 1);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(atomic_load(&canceled), 1);
	CHECK_EQ(atomic_load(&after), 1);
}

static void yields_for_ever(void)
{
	arrive();
	for (;;)
		goru_yield();
}

static void sends_for_ever(ints *c)
{
	arrive();
	while (ints_send(c, 1) == 0)
		;
}

static void recvs_for_ever(ints *c)
{
	int v;

	arrive();
	while (ints_recv(c, &v) > 0)
		;
}

/* Two that keep one another running, and one that yields for ever, stop all the same. */
static void busy_ones_stop(void)
{
	for (int i = 0; i < 10; i++) {
		ints *c = ints_make((size_t)i % 2);

		atomic_store(&arrived, 0);
		CHECK_EQ(go(yields_for_ever), 0);
		CHECK_EQ(go(yields_for_ever), 0);
		CHECK_EQ(go(sends_for_ever, c), 0);
		CHECK_EQ(go(recvs_for_ever, c), 0);
		UNTIL(atomic_load(&arrived) == 4);
		CHECK_EQ(goru_shutdown(), 0);
		ints_unref(c);
	}
}

/* Channels belong to the program: used before, between and after. */
static void channels_live_on(void)
{
	ints *c = ints_make(2);
	int v;

	CHECK_EQ(ints_send(c, 1), 0);
	CHECK_EQ(go(nothing), 0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(ints_send(c, 2), 0);
	CHECK_EQ(ints_recv(c, &v), 1);
	CHECK_EQ(v, 1);
	CHECK_EQ(go(sends_for_ever, c), 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(ints_recv(c, &v), 1);
	CHECK_EQ(goru_shutdown(), 0);
	while (ints_try_recv(c, &v) == 1)
		;
	ints_unref(c);
}

static _Atomic int turns;

static void starts_and_stops(void)
{
	for (int i = 0; i < 20; i++) {
		int rc = go(nothing);

		CHECK(rc == 0 || rc == -ESHUTDOWN);
		rc = goru_init(NULL);
		CHECK(rc == 0 || rc == -EALREADY);
		rc = goru_shutdown();
		CHECK_EQ(rc, 0);
		atomic_fetch_add(&turns, 1);
	}
}

/* Several threads start and stop the one runtime at once. */
static void many_threads_start_and_stop(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		test_thread(&t[i], starts_and_stops);
	for (int i = 0; i < 3; i++)
		test_join(t[i]);
	CHECK_EQ(atomic_load(&turns), 60);
	CHECK_EQ(goru_shutdown(), 0);
}

static void main_fn(void *arg)
{
	atomic_fetch_add((_Atomic int *)arg, 1);
	goru_yield();
}

static _Atomic int runs;

static void runs_and_runs(void)
{
	for (int i = 0; i < 100; i++) {
		int rc = goru_run(main_fn, (void *)&runs);

		CHECK(rc == 0 || rc == -ESHUTDOWN);
		atomic_fetch_add(&turns, 1);
	}
}

static void stops_and_stops(void)
{
	while (atomic_load(&turns) < 100) {
		int rc = goru_shutdown();

		CHECK(rc == 0 || rc == -EBUSY);
	}
}

/* goru_run returns, however a shutdown by another thread falls into it. */
static void run_against_shutdown(void)
{
	pthread_t a, b;

	atomic_store(&turns, 0);
	test_thread(&a, runs_and_runs);
	test_thread(&b, stops_and_stops);
	test_join(a);
	test_join(b);
	CHECK(atomic_load(&runs) > 0);
	CHECK_EQ(goru_shutdown(), 0);
}

TEST_MAIN(TEST(off_is_fine), TEST(a_thousand_lives), TEST(readied_just_before),
	  TEST(waits_for_those_that_run), TEST(busy_ones_stop), TEST(channels_live_on),
	  TEST_GO(from_a_goroutine), TEST(many_threads_start_and_stop), TEST(run_against_shutdown))
