/* monitor.c - the monitor's tick: how soon it looks again, who kicks it out of its sleep, and how long a hang is. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_os_now,grt_os_thread_start,grt_os_thread_cpu,grt_os_thread_sleeps,grt_m_join_ended */
#include "test.h"

#include "engine/monitor.h"
#include "os/os.h"
#include "rt/idle.h"

enum { US = 1000, MS = 1000 * US, SOON = 120 * US };

static struct p *p;
static struct m m, spare;
static struct g g, other;
static int64_t now, cpu;
static int sleeps, threads;
static void *made;    /* what the last thread was started with */
static bool starting; /* time stands still */
static bool wakes;    /* somebody, in the middle of a tick */

int64_t __real_grt_os_now(void);
int64_t __wrap_grt_os_now(void);
int __wrap_grt_os_thread_start(pthread_t *t, void *(*fn)(void *), void *arg, const char *name);
int64_t __wrap_grt_os_thread_cpu(uint32_t tid);
int __wrap_grt_os_thread_sleeps(uint32_t tid);
bool __wrap_grt_m_join_ended(void);

int64_t __wrap_grt_os_now(void)
{
	return starting ? now : __real_grt_os_now();
}

/* The test is the monitor, and no M ever runs. */
int __wrap_grt_os_thread_start(pthread_t *t, void *(*fn)(void *), void *arg, const char *name)
{
	(void)t;
	(void)fn;
	CHECK(name != NULL);
	threads++;
	made = arg;
	return 0;
}

int64_t __wrap_grt_os_thread_cpu(uint32_t tid)
{
	CHECK_EQ(tid, 17);
	return cpu;
}

int __wrap_grt_os_thread_sleeps(uint32_t tid)
{
	CHECK_EQ(tid, 17);
	return sleeps;
}

/* One P, which m may hold, and a monitor that has just started. */
static void begin(void)
{
	grt_rt_reset();
	CHECK_EQ(grt_p_new(0), 0);
	p = grt_load(&grt_rt.allp[0]);
	grt_store(&grt_rt.procs, 1);
	grt_store(&grt_rt.phase, RT_ON);
	grt_store(&grt_rt.by_hand, true);
	grt_store(&grt_rt.enter_flags, ENTER_FENCE); /* no membarrier needed */
	grt_rt.spare_ms = 1000 * 1000;
	grt_store(&grt_rt.max_threads, 10);
	m = spare = (struct m){ .tid = 17, .fences = true, .curg = &g };
	g = other = (struct g){ 0 };
	grt_store(&g.state, G_RUNNING);
	now = grt_os_now();
	starting = true;
	CHECK_EQ(grt_monitor_start(), 0);
	starting = false;
	cpu = 77 * MS;
	sleeps = threads = 0;
}

static void end(void)
{
	grt_p_free_all();
	grt_rt_reset();
}

/* The next tick, so much later: for how long the monitor would sleep then. */
static int64_t tick(int64_t wall)
{
	now += wall;
	return grt_monitor_tick(now) - now;
}

/* As one wakes: P 0 out of idleness, to m. */
static void wake(void)
{
	grt_spin_lock(&grt_rt.lock);
	CHECK(grt_pidle_take(NULL) == p);
	grt_give(&m, p);
	grt_store(&p->schedtick, grt_load(&p->schedtick) + 1);
	grt_unlock_busy();
}

bool __wrap_grt_m_join_ended(void)
{
	if (wakes)
		wake();
	wakes = false;
	return false;
}

static void go_idle(void)
{
	grt_spin_lock(&grt_rt.lock);
	grt_store(&m.p, NULL);
	grt_pidle_put(p);
	grt_spin_unlock(&grt_rt.lock);
}

/* Asleep for so long, it is kicked by the first who wakes, and then looks soon, some times. */
static void kicked(int64_t long_, bool checks_too)
{
	int64_t t = tick(MS);

	if (checks_too || !GRT_CHECKS_ON)
		CHECK_EQ(t, long_);
	else
		CHECK(t >= 100 * MS && t < GRT_NEVER); /* checks builds look, for the dog */
	CHECK_EQ(grt_load(&grt_rt.monitor_note), 0);
	wake();
	CHECK_EQ(grt_load(&grt_rt.monitor_note), 1);
	grt_store(&grt_rt.monitor_note, 0);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(tick(50 * US), SOON);
	CHECK_EQ(tick(SOON), MS);
	go_idle();
}

static void all_idle(void)
{
	begin();
	go_idle();
	CHECK(tick(MS) >= 100 * MS);
	kicked(GRT_NEVER - now - MS, false);
	end();
}

/* Whatever is left to do while all is idle, the first who wakes ends the sleep: he may block at once. */
static void all_idle_with_something_left(void)
{
	begin();
	go_idle();
	grt_store(&p->ngfree, GRT_GFREE_MAX); /* to trim, in half a second */
	kicked(10 * MS, true);
	grt_store(&p->ngfree, 0);
	kicked(GRT_NEVER - now - MS, false);
	grt_rt.hang_seconds = 1; /* to count */
	kicked(10 * MS, true);
	grt_rt.hang_seconds = 0;
	grt_rt.trace_ms = 7; /* to print; the first time now */
	test_capture_begin();
	kicked(7 * MS, true);
	CHECK(strstr(test_capture_end(), "SCHED") != NULL);
	end();
}

/* What nobody else sleeps for is not late because something is left to do. */
static void timers_while_idle(void)
{
	begin();
	go_idle();
	grt_store(&p->timers.first, now + 8 * MS);
	grt_store(&p->ngfree, GRT_GFREE_MAX);
	CHECK_EQ(tick(MS), 7 * MS);
	grt_store(&p->ngfree, 0);
	CHECK_EQ(tick(MS), 6 * MS);
	grt_rt.keeper = &spare;
	grt_rt.keeper_when = now + 6 * MS;
	CHECK(tick(MS) >= 100 * MS);
	grt_rt.keeper = NULL;
	grt_store(&p->timers.first, GRT_NEVER);
	end();
}

/* It was idle when looked at and is not any more: nobody kicks, and so the next look is soon. */
static void idle_for_a_moment(void)
{
	begin();
	grt_give(&m, p);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(tick(SOON), SOON);
	CHECK_EQ(tick(SOON), MS);
	go_idle();
	CHECK(tick(MS) >= 100 * MS);
	wake();
	CHECK_EQ(tick(0), SOON);
	grt_store(&grt_rt.monitor_note, 0);
	go_idle();
	wakes = true;
	CHECK_EQ(tick(MS), SOON);
	CHECK_EQ(grt_load(&grt_rt.monitor_note), 0);
	end();
}

/* m's goroutine, of which nothing is known yet, has blocked since the last look; another one waits behind it. */
static void blocks(void)
{
	for (int i = 0; i < 8; i++)
		tick(MS); /* nothing fresh, all clocks known */
	grt_store(&p->schedtick, grt_load(&p->schedtick) + 3);
	grt_store(&p->runnext, &other);
	sleeps = 1;
}

/* Two looks, however far apart ticks were: the first that sees it asks about its thread. */
static void blocked_is_seen_at_two_looks(void)
{
	begin();
	grt_rt.midle = &spare;
	grt_rt.nmidle = 1;
	grt_give(&m, p);
	blocks();
	CHECK_EQ(tick(MS), SOON);
	CHECK(grt_load(&p->m) == &m);
	tick(SOON);
	CHECK(grt_load(&p->m) == &spare && !grt_load(&m.p) && m.blocked);
	CHECK_EQ(threads, 0);
	end();
}

/* Without an idle M one is made at once, and each next look is soon until it is there. */
static void a_thread_is_made_first(void)
{
	begin();
	grt_give(&m, p);
	blocks();
	CHECK_EQ(tick(MS), SOON);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(tick(SOON), SOON);
		CHECK(grt_load(&p->m) == &m);
		CHECK_EQ(threads, 1);
	}
	grt_rt.nm_starting = 0;
	grt_rt.midle = &spare;
	grt_rt.nmidle = 1;
	tick(SOON);
	CHECK(grt_load(&p->m) == &spare && m.blocked);
	CHECK_EQ(threads, 1);
	free(made);
	end();
}

/* Many who take turns are left alone: no clock is read for them. */
static void those_who_talk(void)
{
	begin();
	grt_give(&m, p);
	for (int i = 0; i < 10; i++) {
		grt_store(&p->schedtick, grt_load(&p->schedtick) + 100);
		grt_store(&p->runnext, &other);
		tick(MS);
	}
	sleeps = 1;
	grt_store(&p->schedtick, grt_load(&p->schedtick) + 100);
	CHECK_EQ(tick(MS), MS);
	CHECK(grt_load(&p->m) == &m);
	end();
}

/* In a ring, where yield puts its caller and wakes nobody, is one for whom a P is idle. */
static void a_ring_and_an_idle_p(void)
{
	struct p *idle;

	begin();
	CHECK_EQ(grt_p_new(1), 0);
	idle = grt_load(&grt_rt.allp[1]);
	grt_store(&grt_rt.procs, 2);
	grt_spin_lock(&grt_rt.lock);
	grt_pidle_put(idle);
	grt_spin_unlock(&grt_rt.lock);
	grt_rt.midle = &spare;
	grt_rt.nmidle = 1;
	grt_give(&m, p);
	tick(MS);
	CHECK(!grt_load(&idle->m));
	CHECK(grt_runq_push(&p->runq, &other));
	tick(MS);
	CHECK(grt_load(&idle->m) == &spare && spare.spinning);
	CHECK(grt_runq_pop(&p->runq) == &other);
	end();
}

/* A hang is as long as the ticks that found nothing moved. */
static void stopped(void)
{
	begin();
	grt_rt.hang_seconds = 2;
	grt_store(&grt_rt.run_state, 1);
	grt_give(&m, p);
	for (int i = 0; i < 150; i++)
		tick(10 * MS);
	tick(INT64_C(3600000) * MS); /* SIGSTOP, SIGCONT */
	for (int i = 0; i < 35; i++)
		tick(10 * MS);
	grt_store(&p->schedtick, 1); /* it moves */
	for (int i = 0; i < 200; i++)
		tick(10 * MS);
	end();
}

static void stands_still(void)
{
	stopped();
	begin();
	grt_rt.hang_seconds = 2;
	grt_store(&grt_rt.run_state, 1);
	grt_give(&m, p);
	for (int i = 0; i < 202; i++)
		tick(10 * MS);
	end();
}

static void hang(void)
{
	CHECK_LIVES(stopped, "");
	CHECK_DIES(stands_still, "goru: fatal: hang: no goroutine has been run for 2 s");
}

TEST_MAIN(TEST(all_idle), TEST(all_idle_with_something_left), TEST(timers_while_idle),
	  TEST(idle_for_a_moment), TEST(blocked_is_seen_at_two_looks), TEST(a_thread_is_made_first),
	  TEST(those_who_talk), TEST(a_ring_and_an_idle_p), TEST(hang))
