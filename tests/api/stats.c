/* stats.c - goru_stats_get: every count is provoked; GORU_DEBUG=schedtrace. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_os_thread_start */
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"

/* If asked: who makes a worker is off its CPU before it has noted that one. */
static _Atomic bool off_cpu;
int __real_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name);
int __wrap_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name);

int __wrap_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name)
{
	int rc = __real_grt_os_thread_start(out, fn, arg, name);

	if (atomic_load(&off_cpu))
		usleep(100000);
	return rc;
}

static goru_chan *c;
static _Atomic int go_on;

static goru_stats get(void)
{
	goru_stats st;

	memset(&st, 0xff, sizeof(st));
	CHECK_EQ(goru_stats_get(&st), 0);
	return st;
}

static void off(void)
{
	static const goru_stats zero;
	goru_stats st = get();

	CHECK(!memcmp(&st, &zero, sizeof(st)));
	CHECK_EQ(sizeof(st), 512);
	CHECK_EQ(goru_stats_get(NULL), -EINVAL);
	CHECK_EQ(goru_procs() > 0, 1);
	CHECK_EQ(get().threads, 0); /* and it has started nothing */
}

static void start(unsigned procs)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = procs;
	CHECK_EQ(goru_init(&cfg), 0);
	c = goru_chan_make(0, 0);
	atomic_store(&go_on, 0);
}

static void finish(void)
{
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

static void waits(void *arg)
{
	goru_chan_recv(c, arg);
}

static void computes(void *arg)
{
	(void)arg;
	while (!atomic_load(&go_on))
		;
}

static void blocks(void *arg)
{
	(void)arg;
	goru_block_enter();
	while (!atomic_load(&go_on))
		usleep(200);
	goru_block_exit();
}

static void states(void)
{
	goru_stats st;

	test_handoff(false); /* who computes keeps the second one waiting */
	start(1);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(goru_go(waits, NULL), 0);
	UNTIL(test_asleep() == 10 && test_workers_asleep());
	st = get();
	CHECK_EQ(st.goroutines, 10);
	CHECK_EQ(st.waiting, 10);
	CHECK_EQ(st.runnable + st.running + st.blocked, 0);
	CHECK_EQ(st.spawned, 10);
	CHECK_EQ(st.ended, 0);
	CHECK_EQ(st.parks, 10);
	CHECK_EQ(st.switches, 10);
	CHECK_EQ(st.procs, 1);
	CHECK(st.threads >= 1);
	CHECK_EQ(st.threads_idle, st.threads);
	CHECK_EQ(goru_go(blocks, NULL), 0);
	UNTIL(get().blocked == 1);
	UNTIL(get().handoffs == 1);
	CHECK_EQ(goru_go(computes, NULL), 0);
	UNTIL(get().running == 1);
	CHECK_EQ(goru_go(computes, NULL), 0);
	UNTIL(get().runnable == 1);
	st = get();
	CHECK_EQ(st.goroutines, 13);
	CHECK_EQ(st.waiting, 10);
	CHECK_EQ(st.polls, 0);
	atomic_store(&go_on, 1);
	goru_chan_close(c);
	UNTIL(get().goroutines == 0);
	CHECK_EQ(get().ended, 13);
	CHECK_EQ(get().spawned, 13);
	finish();
	test_handoff(true);
	CHECK_EQ(get().spawned, 0);
}

static void touches(void *arg)
{
	volatile char deep[100000];

	for (size_t i = 0; i < sizeof(deep); i += 512)
		deep[i] = 1;
	goru_chan_recv(c, arg);
}

static void stacks(void)
{
	uint64_t before;

	start(1);
	CHECK_EQ(goru_go(waits, NULL), 0);
	UNTIL(test_asleep() == 1);
	before = get().stack_resident;
	CHECK(get().stack_reserved >= 262144);
	CHECK(before >= 4096 || test_emulated());
	CHECK_EQ(goru_go(touches, NULL), 0);
	UNTIL(test_asleep() == 2);
	CHECK(get().stack_resident >= before + 96000 || test_emulated());
	goru_chan_close(c);
	UNTIL(get().goroutines == 0);
	finish();
}

static void sleeps(void *arg)
{
	(void)arg;
	goru_sleep(2 * GORU_MSEC);
}

static void computes_a_while(void *arg)
{
	int64_t until = goru_in(40 * GORU_MSEC);

	(void)arg;
	while (goru_now() < until)
		;
}

static void sleeps_and_is_late(void *arg)
{
	CHECK_EQ(goru_go(computes_a_while, arg), 0);
	goru_sleep(2 * GORU_MSEC);
}

static void timers(void)
{
	test_handoff(false); /* who computes is what makes the timer late */
	start(1);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(goru_go(sleeps, NULL), 0);
	UNTIL(get().timer_fires == 5);
	UNTIL((CHECK_EQ(goru_go(sleeps_and_is_late, NULL), 0), usleep(60000),
	       get().timer_late >= 1));
	UNTIL(get().goroutines == 0);
	finish();
	test_handoff(true);
}

static void on_a_goroutine(void)
{
	goru_stats st = get();

	CHECK(st.running >= 1);
	CHECK(st.goroutines >= 1);
}

enum { TRACE_MS = 50, TRACE_LINES = 4 };

static int lines_in(const char *text)
{
	unsigned long long procs = 0;
	long long ms, last = 0;
	int n = 0;

	for (; (text = strstr(text, "SCHED ")); text++, n++) {
		CHECK_EQ(sscanf(text, "SCHED %lldms: procs=%llu ", &ms, &procs), 2);
		CHECK_EQ(procs, 2);
		CHECK(ms >= last + TRACE_MS - 1); /* never sooner */
		last = ms;
	}
	return n;
}

/* The goroutine, asleep. */
static bool shows_it(const char *text)
{
	return strstr(text, " goroutines=1 ") && strstr(text, " runqueue=0 [0 0]\n");
}

static void naps(void *arg)
{
	(void)arg;
	while (lines_in(test_captured()) < TRACE_LINES || !shows_it(test_captured()))
		goru_sleep(10 * GORU_MSEC);
}

static void traced(void)
{
	setenv("GORU_DEBUG", "schedtrace=50", 1);
	setenv("GORU_PROCS", "2", 1);
	test_capture_begin();
	CHECK_EQ(goru_run(naps, NULL), 0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK(shows_it(test_capture_end()));
}

static _Atomic bool counted;

/* On a thread that has just begun. */
static void counts_itself(void *arg)
{
	goru_stats st = get();

	CHECK_EQ(st.running, 2); /* and the one that waits for it */
	CHECK_EQ(st.threads, 2);
	atomic_store(&counted, true);
	(void)arg;
}

static void waits_for_the_count(void *arg)
{
	while (goru_procs() == 1)
		;
	CHECK_EQ(goru_go(counts_itself, NULL), 0);
	while (!atomic_load(&counted))
		;
	(void)arg;
}

static void from_the_first_moment(void)
{
	test_handoff(false); /* no thread but the second P's */
	start(1);
	CHECK_EQ(goru_go(waits_for_the_count, NULL), 0);
	UNTIL(get().running == 1);
	atomic_store(&off_cpu, true);
	CHECK_EQ(goru_set_procs(2), 0);
	atomic_store(&off_cpu, false);
	UNTIL(get().goroutines == 0);
	CHECK(atomic_load(&counted));
	finish();
	test_handoff(true);
}

static void schedtrace(void)
{
	CHECK_LIVES(traced, "");
}

TEST_MAIN(TEST(off), TEST(states), TEST(stacks), TEST(timers), TEST(from_the_first_moment),
	  TEST(schedtrace), TEST_GO(on_a_goroutine))
