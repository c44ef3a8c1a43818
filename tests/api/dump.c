/* dump.c - goru_dump: where goroutines stand and were started, those alike together, while all runs on. */
/* SPDX-License-Identifier: MIT */
/* test: not=nounwinder */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"

#define NOINLINE __attribute__((noinline))

static char *text;
static goru_chan *c;
static _Atomic int sink;
static _Atomic int ended;

static char *dump(void)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	off_t size;

	free(text);
	goru_dump(fd);
	size = lseek(fd, 0, SEEK_END);
	text = calloc(1, (size_t)size + 1);
	if (!text || pread(fd, text, (size_t)size, 0) != size)
		abort();
	close(fd);
	return text;
}

static bool has(const char *s)
{
	return strstr(test_drop_ages(dump()), s);
}

/* Do the words follow one another in what was dumped last? */
static bool in_order(const char *const *words, int n)
{
	const char *at = text;

	for (int i = 0; i < n && at; i++)
		at = strstr(at, words[i]);
	return at;
}

NOINLINE void dump_test_inner(void *arg);
NOINLINE void dump_test_outer(void *arg);
NOINLINE int dump_test_starter(void (*fn)(void *), void *arg);

NOINLINE void dump_test_inner(void *arg)
{
	goru_chan_recv(c, arg);
	atomic_fetch_add(&ended, 1);
}

NOINLINE void dump_test_outer(void *arg)
{
	dump_test_inner(arg);
	sink++;
}

NOINLINE int dump_test_starter(void (*fn)(void *), void *arg)
{
	int rc = go(fn, arg);

	sink++;
	return rc;
}

/* The n that wait on c end, and so does c. */
static void all_end(int n)
{
	goru_chan_close(c);
	UNTIL(atomic_load(&ended) == n);
	atomic_store(&ended, 0);
	goru_chan_unref(c);
}

static void backtrace_and_place(void)
{
	static const char *const words[] = { "[waiting: chan recv]\n", "dump_test_inner+0x",
					     "dump_test_outer+0x",
					     "started by dump_test_starter+0x" };

	c = goru_chan_make(0, 0);
	CHECK_EQ(dump_test_starter(dump_test_outer, NULL), 0);
	/* one that is just leaving its thread is shown without where it stands */
	UNTIL(has("chan recv") && in_order(words, 4));
	CHECK(!strstr(text, "grt_g_main") && !strstr(text, "grt_arch_entry"));
	/* through the goroutine's own kind of call, and the name of a static function */
	CHECK_EQ(goru_go_attr(NULL, dump_test_outer, NULL), 0);
	UNTIL(has("started by backtrace_and_place+0x"));
	all_end(2);
}

static void locked_and_outer(void *arg)
{
	CHECK_EQ(goru_lock_thread(), 0);
	dump_test_outer(arg);
	CHECK_EQ(goru_unlock_thread(), 0);
}

static void locked_to_a_thread(void)
{
	static const char *const words[] = { "[waiting: chan recv, locked to its thread]\n",
					     "dump_test_inner+0x", "dump_test_outer+0x",
					     "started by dump_test_starter+0x" };

	c = goru_chan_make(0, 0);
	CHECK_EQ(dump_test_starter(locked_and_outer, NULL), 0);
	UNTIL(has("chan recv") && in_order(words, 4));
	CHECK(!strstr(text, "grt_g_main") && !strstr(text, "grt_arch_entry"));
	all_end(1);
}

static void alike_are_one(void)
{
	c = goru_chan_make(0, 0);
	/* one at a time: who meets another in the channel, or has lost its P, goes another way through it */
	test_handoff(false);
	CHECK_EQ(goru_set_procs(1), 0);
	for (int i = 0; i < 100; i++) {
		goru_attr a = { .name = i % 2 ? "odd" : "even" };

		CHECK_EQ(goru_go_attr(&a, i % 4 < 2 ? dump_test_outer : dump_test_inner, NULL), 0);
	}
	UNTIL(has(" (even) and 24 others [waiting: chan recv]\n") &&
	      has(" (odd) and 24 others [waiting: chan recv]\n"));
	all_end(100);
	test_handoff(true);
}

static void age_of_a_wait(void)
{
	c = goru_chan_make(0, 0);
	int n = 1;

	CHECK_EQ(goru_go(dump_test_outer, NULL), 0);
	UNTIL(has("[waiting: chan recv]"));
	goru_sleep(1300 * GORU_MSEC);
	dump();
	CHECK(strstr(text, "[waiting: chan recv, ") && !strstr(text, "[waiting: chan recv, 0") &&
	      !strstr(text, "[waiting: chan recv]\n"));
	/* one that has just begun says so, though all slept before; the dump may come late */
	do {
		CHECK_EQ(goru_go(dump_test_inner, NULL), 0);
		UNTIL(test_asleep() == n + 1);
	} while (++n < 100 && !strstr(dump(), "[waiting: chan recv]\n"));
	CHECK(n < 100 && strstr(text, "[waiting: chan recv, "));
	all_end(n);
}

/* A deep stack, more frames than are shown, and a frame as big as the buffer for copies. */
static NOINLINE void deep(int n)
{
	volatile char use[512];

	use[0] = (char)n;
	if (n)
		deep(n - 1);
	else
		dump_test_inner(NULL);
	sink += use[0];
}

static void deep_main(void *arg)
{
	volatile char use[70000];

	use[0] = 1;
	deep(60);
	sink += use[0];
	(void)arg;
}

static void deep_stack(void)
{
	c = goru_chan_make(0, 0);
	CHECK_EQ(goru_go(deep_main, NULL), 0);
	UNTIL(has("chan recv") && strstr(text, "dump_test_inner+0x") && strstr(text, "    ...\n"));
	all_end(1);
}

static void of_the_caller(void)
{
	UNTIL(has("[running]\n"));
	CHECK(strstr(text, "of_the_caller+0x"));
}

/* Dumps from a thread while goroutines park, wake, start and end. */
static _Atomic int stop;

static void churn(void *arg)
{
	goru_chan *mine = arg;

	while (!atomic_load(&stop)) {
		goru_chan_send(mine, NULL);
		deep(0);
		goru_chan_recv(mine, NULL);
	}
	goru_chan_close(mine);
}

static void begins(void *arg)
{
	(void)arg;
	sink++;
}

static void starts(void *arg)
{
	goru_waitgroup *wg = arg;

	while (!atomic_load(&stop)) {
		CHECK_EQ(goru_go(begins, NULL), 0);
		goru_sleep(10 * GORU_USEC);
	}
	goru_waitgroup_done(wg);
}

static void while_all_runs(void)
{
	goru_waitgroup wg = GORU_WAITGROUP_INIT;
	goru_chan *k[4];
	int64_t until;

	c = goru_chan_make(0, 0);
	goru_chan_close(c); /* deep returns at once */
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_go(starts, &wg), 0);
	for (int i = 0; i < 4; i++) {
		k[i] = goru_chan_make(0, 1);
		CHECK_EQ(goru_go(churn, k[i]), 0);
		CHECK_EQ(goru_go(churn, k[i]), 0);
	}
	until = goru_in(GORU_SEC);
	while (goru_now() < until)
		dump();
	atomic_store(&stop, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK(!strcmp(dump(), "no goroutines\n"));
	for (int i = 0; i < 4; i++)
		goru_chan_unref(k[i]);
	goru_chan_unref(c);
	free(text);
	text = NULL;
}

TEST_MAIN(TEST_BOTH(backtrace_and_place), TEST_BOTH(locked_to_a_thread), TEST(alike_are_one),
	  TEST(age_of_a_wait), TEST(deep_stack), TEST_GO(of_the_caller), TEST(while_all_runs))
