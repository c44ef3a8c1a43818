/* stuck.c - blocked, computing, or neither: what is made of the two clocks and the kernel's word. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_os_thread_cpu,grt_os_thread_sleeps */
#include "one_p.h"
#include "test.h"

#include "engine/stuck.h"
#include "os/os.h"
#include "rt/idle.h"

enum { US = 1000, MS = 1000 * US };

static struct p *p;
static struct m m, m2;
static struct stuck s;
static int64_t now, cpu;
static int sleeps, clocks, words;

int64_t __wrap_grt_os_thread_cpu(uint32_t tid);
int __wrap_grt_os_thread_sleeps(uint32_t tid);

int64_t __wrap_grt_os_thread_cpu(uint32_t tid)
{
	CHECK_EQ(tid, 17);
	clocks++;
	return cpu;
}

int __wrap_grt_os_thread_sleeps(uint32_t tid)
{
	CHECK_EQ(tid, 17);
	words++;
	return sleeps;
}

static void begin(void)
{
	m = m2 = (struct m){ .tid = 17 };
	s = (struct stuck){ 0 };
	p = one_p_begin(&m);
	grt_store(&p->schedtick, 5);
	now = 1000 * MS;
	cpu = 77 * MS;
	sleeps = clocks = words = 0;
}

/* wall later, of which the thread has used as much */
static enum verdict look(int64_t wall, int64_t used)
{
	now += wall;
	cpu += used;
	return grt_stuck(&s, p, now, true);
}

static void one_that_computes(void)
{
	begin();
	CHECK_EQ(look(0, 0), STUCK_NOT);
	for (int i = 0; i < 19; i++)
		CHECK_EQ(look(500 * US, 500 * US), STUCK_NOT);
	CHECK_EQ(words, 1); /* only while nothing was known of its clock */
	CHECK_EQ(look(500 * US, 500 * US), STUCK_COMPUTES);
	CHECK_EQ(s.m == &m && s.tick == 5, 1);
	CHECK_EQ(look(500 * US, 500 * US), STUCK_COMPUTES); /* and until it is taken */
	grt_store(&p->schedtick, 6);
	CHECK_EQ(look(500 * US, 500 * US), STUCK_NOT); /* another one */
	one_p_end();
}

/* Its own time counts, half of what it is if it has the CPU to itself. */
static void one_that_hardly_gets_a_cpu(void)
{
	begin();
	CHECK_EQ(look(0, 0), STUCK_NOT);
	for (int i = 0; i < 49; i++)
		CHECK_EQ(look(MS, 100 * US), STUCK_NOT);
	CHECK_EQ(look(MS, 100 * US), STUCK_COMPUTES);
	one_p_end();
}

static void one_that_waits_for_a_cpu(void)
{
	begin();
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(look(MS, 0), STUCK_NOT);
	one_p_end();
}

static void one_that_sleeps(void)
{
	begin();
	sleeps = 1;
	CHECK_EQ(look(0, 0), STUCK_PERHAPS);
	CHECK_EQ(look(150 * US, 0), STUCK_BLOCKED);
	CHECK_EQ(s.still, 2);
	grt_store(&p->schedtick, 6);
	CHECK_EQ(look(150 * US, 0), STUCK_PERHAPS); /* another one; it may be on its way out */
	sleeps = 0;
	CHECK_EQ(look(150 * US, 0), STUCK_NOT);
	sleeps = 1;
	CHECK_EQ(look(150 * US, 0), STUCK_PERHAPS); /* in a row */
	CHECK_EQ(look(10 * US, 0), STUCK_PERHAPS);  /* looks too close together are one */
	CHECK_EQ(look(90 * US, 0), STUCK_BLOCKED);
	one_p_end();
}

/* One that blocks at the end of a tick in which others ran: asked about at once, as the clock has fallen behind. */
static void one_that_has_just_blocked(void)
{
	begin();
	CHECK_EQ(look(0, 0), STUCK_NOT);
	CHECK_EQ(words, 1);
	for (uint64_t i = 6; i < 20; i++) {
		grt_store(&p->schedtick, i);
		CHECK_EQ(look(MS, MS), STUCK_NOT);
	}
	CHECK_EQ(words, 1); /* a P that gets on costs a look at a clock */
	grt_store(&p->schedtick, 20);
	sleeps = 1;
	CHECK_EQ(look(MS, 800 * US), STUCK_PERHAPS);
	CHECK_EQ(look(150 * US, 0), STUCK_BLOCKED);
	one_p_end();
}

/* In and out of the kernel, most of the time in: the P is of little use to it. Mostly out: it gets on. */
static void one_that_naps(void)
{
	begin();
	sleeps = 1;
	CHECK_EQ(look(0, 0), STUCK_PERHAPS);
	CHECK_EQ(look(150 * US, 40 * US), STUCK_BLOCKED);
	CHECK_EQ(look(150 * US, 110 * US), STUCK_NOT);
	one_p_end();
}

/* SIGSTOP and SIGCONT: hours for us, nothing for it. */
static void one_that_was_stopped(void)
{
	begin();
	CHECK_EQ(look(0, 0), STUCK_NOT);
	CHECK_EQ(look(MS, MS), STUCK_NOT);
	CHECK_EQ(look(INT64_C(3600000) * MS, 0), STUCK_NOT);
	CHECK_EQ(look(MS, MS), STUCK_NOT);
	CHECK(s.used < 3 * MS);
	one_p_end();
}

/* Without /proc it takes longer, and any use of the CPU speaks against it. */
static void untold(void)
{
	begin();
	sleeps = -1;
	CHECK_EQ(look(0, 0), STUCK_NOT);
	for (int i = 0; i < 39; i++)
		CHECK_EQ(look(150 * US, 0), STUCK_PERHAPS);
	CHECK_EQ(look(150 * US, 0), STUCK_BLOCKED);
	CHECK_EQ(look(150 * US, 20 * US), STUCK_NOT);
	CHECK_EQ(look(150 * US, 0), STUCK_PERHAPS);
	one_p_end();
}

static void inside(void)
{
	begin();
	sleeps = 1;
	grt_store(&m.in_rt, 1);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(look(MS, 0), STUCK_NOT);
	CHECK_EQ(words, 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(look(MS, MS), STUCK_NOT);
	CHECK_EQ(look(MS, MS), STUCK_COMPUTES); /* in and out, and seen inside by chance */
	grt_store(&p->m, NULL);
	CHECK_EQ(look(MS, 0), STUCK_NOT);
	one_p_end();
}

static void brackets(void)
{
	begin();
	grt_store(&p->bracket, grt_bracket(5));
	CHECK_EQ(look(0, 0), STUCK_BRACKETS);
	CHECK_EQ(s.still, 1);
	CHECK_EQ(look(MS, 0), STUCK_BRACKETS);
	CHECK_EQ(s.still, 2);
	CHECK_EQ(s.m == &m && s.tick == 5, 1);
	grt_store(&p->schedtick, 6); /* somebody else: the mark is void by that */
	CHECK_EQ(look(MS, MS), STUCK_NOT);
	grt_store(&p->schedtick, 5);
	CHECK_EQ(look(MS, 0), STUCK_BRACKETS);
	CHECK_EQ(s.still, 1);
	/* no mark is none, also where the tick wraps */
	grt_store(&p->bracket, 0);
	for (uint64_t tick = UINT64_MAX - 1; tick != 2; tick++) {
		grt_store(&p->schedtick, tick);
		CHECK_EQ(look(MS, MS), STUCK_NOT);
		CHECK_EQ(look(MS, MS), STUCK_NOT);
	}
	one_p_end();
}

/* Nobody waits: a P that gets on costs nothing at all. */
static void nobody_waits(void)
{
	begin();
	for (uint64_t i = 6; i < 20; i++) {
		grt_store(&p->schedtick, i);
		CHECK_EQ(grt_stuck(&s, p, now += MS, false), STUCK_NOT);
	}
	CHECK_EQ(clocks + words, 0);
	sleeps = 1;
	CHECK_EQ(grt_stuck(&s, p, now += MS, false), STUCK_PERHAPS);
	CHECK_EQ(grt_stuck(&s, p, now += MS, false), STUCK_BLOCKED);
	one_p_end();
}

/* Another thread has the P: its clock is another one. */
static void another_m(void)
{
	begin();
	CHECK_EQ(look(0, 0), STUCK_NOT);
	for (int i = 0; i < 15; i++)
		CHECK_EQ(look(500 * US, 500 * US), STUCK_NOT);
	grt_give(&m2, p);
	CHECK_EQ(look(500 * US, INT64_C(9000) * MS), STUCK_NOT);
	CHECK_EQ(s.used, 0);
	one_p_end();
}

TEST_MAIN(TEST(one_that_computes), TEST(one_that_hardly_gets_a_cpu), TEST(one_that_waits_for_a_cpu),
	  TEST(one_that_sleeps), TEST(one_that_has_just_blocked), TEST(one_that_naps),
	  TEST(one_that_was_stopped), TEST(untold), TEST(inside), TEST(brackets),
	  TEST(nobody_waits), TEST(another_m))
