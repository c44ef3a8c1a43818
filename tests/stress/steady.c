/* steady.c - once warm, spawn, send, receive, select, yield and park make no system call and no allocation. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1 not=migrate wrap=malloc,calloc,realloc,aligned_alloc,free,mmap,munmap,madvise,mprotect,syscall,sched_yield,nanosleep,read,write */
#include "stress.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>

#include "rt/self.h"

static _Atomic bool counting;
static _Atomic long counted[14];

/* Every way out of the library: its system calls are made by syscall() or by these. The monitor is not counted: it
 * ticks while anyone is busy, and makes and takes stacks so that others need not. */
#define WRAP(i, result, name, params, args)                                                        \
	result __real_##name params;                                                               \
	result __wrap_##name params;                                                               \
	result __wrap_##name params                                                                \
	{                                                                                          \
		if (atomic_load_explicit(&counting, memory_order_relaxed) && grt_arch_self())      \
			atomic_fetch_add_explicit(&counted[i], 1, memory_order_relaxed);           \
		return __real_##name args;                                                         \
	}

static const char *const names[] = { "malloc",	 "calloc",  "realloc",	   "aligned_alloc",
				     "free",	 "mmap",    "munmap",	   "madvise",
				     "mprotect", "syscall", "sched_yield", "nanosleep",
				     "read",	 "write" };

WRAP(0, void *, malloc, (size_t n), (n))
WRAP(1, void *, calloc, (size_t n, size_t k), (n, k))
WRAP(2, void *, realloc, (void *p, size_t n), (p, n))
WRAP(3, void *, aligned_alloc, (size_t a, size_t n), (a, n))
WRAP(4, void, free, (void *p), (p))
WRAP(5, void *, mmap, (void *p, size_t n, int prot, int flags, int fd, off_t at),
     (p, n, prot, flags, fd, at))
WRAP(6, int, munmap, (void *p, size_t n), (p, n))
WRAP(7, int, madvise, (void *p, size_t n, int a), (p, n, a))
WRAP(8, int, mprotect, (void *p, size_t n, int a), (p, n, a))
WRAP(9, long, syscall, (long nr, long a, long b, long c, long d, long e, long f),
     (nr, a, b, c, d, e, f))
WRAP(10, int, sched_yield, (void), ())
WRAP(11, int, nanosleep, (const struct timespec *t, struct timespec *rest), (t, rest))
WRAP(12, ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
WRAP(13, ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))

enum { ROUNDS = 500, TRIES = 60, BATCH = 50 };

static goru_waitgroup wg;
static goru_chan *there, *back, *buffered;

static void leaf(void)
{
	goru_waitgroup_done(&wg);
}

static void yielder(void)
{
	goru_yield();
	goru_waitgroup_done(&wg);
}

static void echo(void)
{
	uint64_t v;

	while (goru_chan_recv(there, &v) > 0)
		CHECK_EQ(goru_chan_send(back, &v), 0);
	goru_waitgroup_done(&wg);
}

static void selector(void)
{
	for (;;) {
		uint64_t v;
		goru_case k[] = { GORU_RECV(there, &v), GORU_RECV(back, &v),
				  GORU_RECV(buffered, &v) };
		int i = goru_select(k, 3);

		CHECK(i >= 0);
		if (k[i].result == 0)
			break;
	}
	goru_waitgroup_done(&wg);
}

static void spawns(void)
{
	goru_waitgroup_add(&wg, 2 * BATCH);
	for (int i = 0; i < BATCH; i++) {
		GO(leaf);
		GO(yielder);
	}
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

static void sends(void)
{
	uint64_t v = 1;

	for (int i = 0; i < BATCH; i++) {
		CHECK_EQ(goru_chan_send(there, &v), 0);
		CHECK_EQ(goru_chan_recv(back, &v), 1);
	}
	for (int i = 0; i < 8; i++)
		CHECK_EQ(goru_chan_send(buffered, &v), 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(goru_chan_recv(buffered, &v), 1);
	CHECK_EQ(goru_chan_try_recv(buffered, &v), -EAGAIN);
}

static void selects(void)
{
	uint64_t v = 1;

	for (int i = 0; i < BATCH; i++) {
		CHECK_EQ(goru_chan_send(i % 2 ? there : buffered, &v), 0);
		goru_yield();
	}
}

static void make(void (*partner)(void))
{
	there = goru_chan_make(8, 0);
	back = goru_chan_make(8, 0);
	buffered = goru_chan_make(8, 8);
	goru_waitgroup_add(&wg, 1);
	GO(partner);
}

static void unmake(void)
{
	CHECK_EQ(goru_chan_close(there), 0);
	CHECK_EQ(goru_chan_close(buffered), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	goru_chan_unref(there);
	goru_chan_unref(back);
	goru_chan_unref(buffered);
}

static void begin(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		atomic_store(&counted[i], 0);
	atomic_store(&counting, true);
}

static long rounds(const char *what, void (*round)(void))
{
	long sum = 0;

	begin();
	for (int i = 0; i < ROUNDS; i++) {
		round();
		stress_progress();
	}
	atomic_store(&counting, false);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		long n = atomic_load(&counted[i]);

		if (n)
			fprintf(stderr, "%s: %ld calls of %s in %d rounds\n", what, n, names[i],
				ROUNDS);
		sum += n;
	}
	return sum;
}

/* Once without any is proof enough: a lock whose holder the kernel has taken off its CPU is waited for by system calls. */
static void measure(const char *what, void (*round)(void), void (*partner)(void))
{
	long sum = 1;

	if (partner)
		make(partner);
	for (int i = 0; i < 20; i++)
		round();
	for (int tries = 0; sum && tries < (GRT_CHAOS_ON ? 1 : TRIES); tries++)
		sum = rounds(what, round);
	if (partner)
		unmake();
	stress_progress();
	if (!GRT_CHAOS_ON) /* whose points are calls */
		CHECK_EQ(sum, 0);
}

static void steady(void *arg)
{
	(void)arg;
	measure("spawn and wait group", spawns, NULL);
	measure("send and receive", sends, echo);
	measure("select", selects, selector);
}

/* Hand-off is the monitor's, but who comes back from it calls; and a second thread, idle, does now and then under TSan. */
static void test_steady(void **state)
{
	(void)state;
	stress_handoff(false);
	CHECK_EQ(goru_run(steady, NULL), 0);
	stress_handoff(true);
}

/* The counters count: what allocates and calls is seen. */
static void counts(void *arg)
{
	(void)arg;
	begin();
	goru_chan *c = goru_chan_make(8, 0);

	goru_chan_unref(c);
	sched_yield();
	atomic_store(&counting, false);
	CHECK_EQ(atomic_load(&counted[3]), 1);
	CHECK_EQ(atomic_load(&counted[4]), 1);
	CHECK(atomic_load(&counted[10]) >= 1);
}

static void test_counters(void **state)
{
	goru_config cfg = GORU_CONFIG_INIT;

	(void)state;
	/* with more than one, waking an idle worker is a call */
	cfg.procs = 1;
	CHECK_EQ(goru_init(&cfg), 0);
	CHECK_EQ(goru_run(counts, NULL), 0);
}

STRESS_MAIN("stress/steady", cmocka_unit_test(test_counters), cmocka_unit_test(test_steady))
