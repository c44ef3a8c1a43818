/* idle.c - the idle lists of Ps and Ms, and what counts as visible work. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "part/waiter.h"
#include "rt/idle.h"

enum { N = 3 };
static struct p *p[N];

static void begin(void)
{
	grt_rt_reset();
	for (uint32_t i = 0; i < N; i++) {
		CHECK_EQ(grt_p_new(i), 0);
		p[i] = grt_load(&grt_rt.allp[i]);
		CHECK_EQ(p[i]->id, i);
		CHECK_EQ((uintptr_t)p[i] % GRT_CACHELINE, 0);
		CHECK_EQ(grt_load(&p[i]->status), P_DEAD);
	}
	CHECK_EQ(grt_load(&grt_rt.nallp), N);
}

static void end(void)
{
	grt_p_free_all();
	grt_rt_reset();
}

static void takes_the_wanted_p(void)
{
	begin();
	CHECK(!grt_pidle_take(NULL));
	for (int i = 0; i < N; i++)
		grt_pidle_put(p[i]);
	CHECK_EQ(grt_load(&grt_rt.npidle), N);
	CHECK(grt_pidle_take(p[0]) == p[0]); /* the last of the list */
	CHECK_EQ(grt_load(&grt_rt.npidle), N - 1);
	grt_store(&p[0]->status, P_RUNNING);
	CHECK(grt_pidle_take(p[0]) == p[2]); /* not idle: any */
	CHECK(grt_pidle_take(NULL) == p[1]);
	CHECK(!grt_pidle_take(NULL));
	CHECK_EQ(grt_load(&grt_rt.npidle), 0);
	end();
}

static void give_binds_both(void)
{
	static struct m m;

	begin();
	grt_give(&m, p[1]);
	CHECK(grt_load(&m.p) == p[1] && grt_load(&p[1]->m) == &m);
	CHECK_EQ(grt_load(&p[1]->status), P_RUNNING);
	end();
}

static void sees_work_wherever_it_is(void)
{
	static struct g g;
	struct glist out = { 0 };

	begin();
	CHECK(!grt_work_visible());
	for (int i = 0; i < N; i++) {
		CHECK(grt_runq_push(&p[i]->runq, &g));
		CHECK(grt_work_visible());
		CHECK(grt_runq_pop(&p[i]->runq) == &g);
		CHECK(!grt_work_visible());
	}
	grt_injq_push(&grt_rt.injq, &g);
	CHECK(grt_work_visible());
	grt_injq_take(&grt_rt.injq, 1, &out);
	CHECK(!grt_work_visible());
	end();
}

static void finds_the_earliest_timer(void)
{
	static struct g g;
	struct waiter w = { .won = -1 };

	begin();
	CHECK(grt_timers_earliest() == GRT_NEVER);
	grt_waiter_begin(&w, &g);
	grt_timers_add(&p[2]->timers, 70, &g, w.open);
	CHECK_EQ(grt_timers_earliest(), 70);
	grt_timers_add(&p[0]->timers, 80, &g, w.open);
	CHECK_EQ(grt_timers_earliest(), 70);
	grt_timers_add(&p[1]->timers, 60, &g, w.open);
	CHECK_EQ(grt_timers_earliest(), 60);
	end();
}

/* A note that was woken first lets the sleep pass: through wake_one and an M that never slept. */
static void wake_one_hands_over(void)
{
	static struct m m;

	begin();
	m = (struct m){ 0 };
	grt_store(&grt_rt.procs, N);
	grt_pidle_put(p[0]);
	grt_rt.midle = &m;
	grt_rt.nmidle = 1;
	grt_wake_one();
	CHECK(grt_load(&m.p) == p[0]);
	CHECK(m.spinning);
	CHECK_EQ(grt_load(&m.note), 1);
	CHECK_EQ(grt_load(&grt_rt.nmspinning), 1);
	CHECK_EQ(grt_rt.nmidle, 0);
	/* somebody looks already: no second one */
	grt_pidle_put(p[1]);
	grt_wake_one();
	CHECK_EQ(grt_load(&grt_rt.npidle), 1);
	grt_spin_end(&m);
	CHECK_EQ(grt_load(&grt_rt.nmspinning), 0);
	end();
}

/* Surplus wakes once; then not before somebody says that it was worth it. */
static void surplus_wakes_once(void)
{
	static struct m m;

	begin();
	m = (struct m){ 0 };
	grt_store(&grt_rt.procs, N);
	grt_pidle_put(p[0]);
	grt_rt.midle = &m;
	grt_rt.nmidle = 1;
	grt_store(&grt_rt.wakeable, 1);
	grt_wake_surplus();
	CHECK(grt_load(&m.p) == p[0]);
	CHECK_EQ(grt_load(&grt_rt.wakeable), 0);
	end();
}

/* Without an idle P there is nothing to do; without an idle M the monitor is asked for one. */
static void wake_one_without_m_or_p(void)
{
	begin();
	grt_store(&grt_rt.procs, N);
	grt_wake_one();
	CHECK_EQ(grt_rt.want_m, 0); /* all Ps are busy: nothing to do */
	CHECK_EQ(grt_load(&grt_rt.nmspinning), 0);
	grt_pidle_put(p[0]);
	grt_wake_one();
	CHECK_EQ(grt_rt.want_m, 1);
	CHECK_EQ(grt_load(&grt_rt.npidle), 1);
	CHECK_EQ(grt_load(&grt_rt.nmspinning), 0);
	CHECK_EQ(grt_load(&grt_rt.monitor_note), 1);
	end();
}

TEST_MAIN(TEST(takes_the_wanted_p), TEST(give_binds_both), TEST(sees_work_wherever_it_is),
	  TEST(finds_the_earliest_timer), TEST(wake_one_hands_over), TEST(surplus_wakes_once),
	  TEST(wake_one_without_m_or_p))
