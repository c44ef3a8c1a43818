/* waits.c - futexes that return for no reason, a kernel without membarrier, threads that cannot be made. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 wrap=grt_os_futex_wait,grt_os_futex_wake,grt_os_membarrier_init,grt_os_membarrier,grt_os_thread_start */
#include <stdatomic.h>
#include <unistd.h>

#include "fault.h"
#include "test.h"

#include "os/os.h"

enum { THREAD = 1, BARRIER = 2 };

/* Of four waits three end at once and say that they were woken, as a signal or a stray wake-up makes them. */
static _Atomic bool spurious, no_membarrier;
static _Atomic unsigned calls, barriers;

int __real_grt_os_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline);
int __wrap_grt_os_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline);
void __real_grt_os_futex_wake(_Atomic uint32_t *word, int n);
void __wrap_grt_os_futex_wake(_Atomic uint32_t *word, int n);
int __real_grt_os_membarrier_init(void);
int __wrap_grt_os_membarrier_init(void);
int __real_grt_os_membarrier(void);
int __wrap_grt_os_membarrier(void);
int __real_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name);
int __wrap_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name);

int __wrap_grt_os_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline)
{
	if (atomic_load(&spurious) && atomic_fetch_add(&calls, 1) % 4) {
		usleep(10);
		return 0;
	}
	return __real_grt_os_futex_wait(word, seen, deadline);
}

/* More are woken than was asked for. */
void __wrap_grt_os_futex_wake(_Atomic uint32_t *word, int n)
{
	__real_grt_os_futex_wake(word, atomic_load(&spurious) ? 1000 : n);
}

int __wrap_grt_os_membarrier_init(void)
{
	return atomic_load(&no_membarrier) ? -ENOSYS : __real_grt_os_membarrier_init();
}

int __wrap_grt_os_membarrier(void)
{
	atomic_fetch_add(&barriers, 1);
	return fault_hit(BARRIER) ? -EPERM : __real_grt_os_membarrier();
}

int __wrap_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name)
{
	return fault_hit(THREAD) ? -EAGAIN : __real_grt_os_thread_start(out, fn, arg, name);
}

static goru_chan *c;
static goru_waitgroup wg, received;
static _Atomic long sum;

static void sends(void)
{
	for (int i = 1; i <= 100; i++) {
		CHECK_EQ(goru_chan_send(c, &i), 0);
		if (i % 25 == 0)
			CHECK_EQ(goru_sleep(100 * GORU_USEC), 0);
	}
	goru_waitgroup_done(&wg);
}

static void receives(void)
{
	int v;

	while (goru_chan_recv(c, &v) > 0)
		atomic_fetch_add(&sum, v);
}

static void receives_there(void)
{
	receives();
	goru_waitgroup_done(&received);
}

static void blocks(void)
{
	goru_blocking(usleep(200));
	goru_waitgroup_done(&wg);
}

static void work(void)
{
	pthread_t t[2];
	int64_t d;

	c = goru_chan_make(sizeof(int), 1);
	atomic_store(&sum, 0);
	goru_waitgroup_add(&wg, 10);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(go(sends), 0);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(go(blocks), 0);
	goru_waitgroup_add(&received, 1);
	CHECK_EQ(go(receives_there), 0);
	for (int i = 0; i < 2; i++)
		test_thread(&t[i], receives);
	d = goru_in(GORU_MSEC);
	CHECK_EQ(goru_sleep_until(d), 0);
	CHECK(goru_now() >= d); /* however often it was woken before */
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	CHECK_EQ(goru_chan_close(c), 0);
	for (int i = 0; i < 2; i++)
		test_join(t[i]);
	CHECK_EQ(goru_waitgroup_wait(&received), 0); /* not dropped with a value in its hands */
	CHECK_EQ(goru_set_procs(goru_procs() + 1), 0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(atomic_load(&sum), 4 * 100 * 101 / 2);
	goru_chan_unref(c);
}

static void stray_wake_ups_do_no_harm(void)
{
	atomic_store(&spurious, true);
	for (int i = 0; i < 5; i++)
		work();
	CHECK(atomic_load(&calls) > 0);
	atomic_store(&spurious, false);
}

static void without_membarrier(void)
{
	atomic_store(&no_membarrier, true);
	atomic_store(&barriers, 0);
	for (int i = 0; i < 5; i++)
		work();
	CHECK_EQ(atomic_load(&barriers), 0); /* not used where it is not */
	atomic_store(&no_membarrier, false);
	setenv("GORU_DEBUG", "membarrier=0", 1);
	work();
	CHECK_EQ(atomic_load(&barriers), 0);
	setenv("GORU_DEBUG", "hang=30", 1);
}

/* Its barriers are refused from some moment on, as by a seccomp filter that the program sets up late. */
static _Atomic bool computes;

static void calls_now_and_then(void)
{
	atomic_store(&computes, true);
	while (atomic_load(&computes)) {
		int64_t end = goru_now() + 100 * GORU_USEC;

		while (goru_now() < end)
			;
		CHECK_EQ(goru_chan_try_recv(c, NULL), -EAGAIN); /* enters */
	}
	goru_waitgroup_done(&wg);
}

static void stops_it(void)
{
	atomic_store(&computes, false);
	goru_waitgroup_done(&wg);
}

static void membarrier_refused_later(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = 1;
	c = goru_chan_make(0, 0);
	CHECK_EQ(goru_init(&cfg), 0);
	atomic_store(&computes, false);
	goru_waitgroup_add(&wg, 2);
	CHECK_EQ(go(calls_now_and_then), 0);
	UNTIL(atomic_load(&computes));
	atomic_store(&barriers, 0);
	fault_set(BARRIER, 1, true);
	/* waits for the one P, which is taken as soon as its holder fences by itself */
	CHECK_EQ(go(stops_it), 0);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	CHECK_EQ(atomic_load(&barriers), 1); /* not asked again */
	goru_chan_unref(c);
	CHECK_EQ(goru_shutdown(), 0);
	fault_set(BARRIER, 20, true);
	for (int i = 0; i < 5; i++)
		work();
	fault_set(0, 0, false);
}

static _Atomic int inside, leave;

static void blocks_long(void)
{
	goru_block_enter();
	atomic_fetch_add(&inside, 1);
	while (!atomic_load(&leave))
		usleep(200);
	goru_block_exit();
	goru_waitgroup_done(&wg);
}

static void runs(void)
{
	goru_waitgroup_done(&wg);
}

/* Blocked goroutines hold a thread each; when no more can be made the others wait, which is said once, until one is
 * free or threads can be made again. */
static void threads_that_cannot_be_made(void)
{
	enum { BLOCKED = 3 };
	goru_config cfg = GORU_CONFIG_INIT;
	const char *said;

	cfg.procs = 1;
	CHECK_EQ(goru_init(&cfg), 0);
	test_capture_begin();
	for (int round = 0; round < 2; round++) {
		atomic_store(&inside, 0);
		atomic_store(&leave, 0);
		fault_set(THREAD, 1, true);
		goru_waitgroup_add(&wg, BLOCKED + 1);
		for (int i = 0; i < BLOCKED; i++)
			CHECK_EQ(go(blocks_long), 0);
		CHECK_EQ(go(runs), 0);
		if (round == 0) {
			UNTIL(fault_count() > 0 && atomic_load(&inside) > 0);
			usleep(20000);
			CHECK_EQ(atomic_load(&inside), 1); /* the one thread there is */
			fault_set(0, 0, false);		   /* it is tried again by itself */
			UNTIL(atomic_load(&inside) == BLOCKED);
		}
		atomic_store(&leave, 1);
		CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	}
	fault_set(0, 0, false);
	said = test_capture_end();
	CHECK(!strcmp(
		said,
		"goru: no further thread can be made (a system limit); blocked goroutines hold others up until "
		"one is free\n"));
	CHECK_EQ(goru_shutdown(), 0);
}

/* The limit the program set itself. */
static void max_threads_holds(void)
{
	goru_config cfg = GORU_CONFIG_INIT;
	int before = test_threads();
	const char *said;

	cfg.procs = 2;
	cfg.max_threads = 4;
	CHECK_EQ(goru_init(&cfg), 0);
	atomic_store(&inside, 0);
	atomic_store(&leave, 0);
	goru_waitgroup_add(&wg, 12);
	test_capture_begin();
	for (int i = 0; i < 12; i++)
		CHECK_EQ(go(blocks_long), 0);
	UNTIL(atomic_load(&inside) == 4);
	UNTIL(*test_captured()); /* a further one was wanted */
	usleep(150000);		 /* and is again */
	CHECK_EQ(atomic_load(&inside), 4);
	CHECK_EQ(test_threads(), before + 4 + 1); /* and the monitor */
	atomic_store(&leave, 1);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	said = test_capture_end();
	CHECK(!strcmp(
		said,
		"goru: no further thread can be made (max_threads); blocked goroutines hold others up until "
		"one is free\n"));
	CHECK_EQ(goru_shutdown(), 0);
	UNTIL(test_threads() == before);
}

TEST_MAIN(TEST(stray_wake_ups_do_no_harm), TEST(without_membarrier), TEST(membarrier_refused_later),
	  TEST(threads_that_cannot_be_made), TEST(max_threads_holds))
