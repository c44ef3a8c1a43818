/* handoff.c - a P changes hands: to whom it goes, what goes with it, when it stays, how its goroutine comes back. */
/* SPDX-License-Identifier: MIT */
#include "one_p.h"
#include "test.h"

#include "rt/handoff.h"
#include "sched/block.h"
#include "sched/ready.h"

static struct p *p;
static struct m m, spare;
static struct g g, other[3];

static void begin(bool with_spare)
{
	m = spare = (struct m){ .fences = true };
	g = (struct g){ 0 };
	p = one_p_begin(&m);
	m.curg = &g;
	grt_store(&p->schedtick, 7);
	grt_store(&g.state, G_RUNNING);
	if (with_spare) {
		grt_rt.midle = &spare;
		grt_rt.nmidle = 1;
	}
	CHECK(grt_lane_push(&p->spawned, &other[0]));
	CHECK(grt_lane_push(&p->woken, &other[1]));
	grt_store(&p->runnext, &other[2]);
}

static void all_goes_with_it(void)
{
	begin(true);
	grt_store(&p->bracket, 8);
	CHECK_EQ(grt_retake(&m, p, 7, true, G_NO_P), RETAKE_DONE);
	CHECK(!grt_load(&m.p) && grt_load(&p->m) == &spare && grt_load(&spare.p) == p);
	CHECK(spare.held == p && grt_load(&spare.note) == 1 && !grt_rt.midle);
	CHECK(!m.blocked && m.oldp == p && grt_load(&g.state) == G_NO_P);
	CHECK_EQ(grt_load(&p->bracket), 0);
	CHECK_EQ(grt_load(&p->syscalltick), GRT_START + 1);
	CHECK_EQ(grt_rt.nretakes, 1);
	CHECK(grt_own_next(p) == &other[2] && grt_own_next(p) == &other[0] &&
	      grt_own_next(p) == &other[1]);
	one_p_end();
}

static void it_stays_without_an_m(void)
{
	begin(false);
	CHECK_EQ(grt_retake(&m, p, 7, true, G_BLOCKED), RETAKE_NO_M);
	CHECK(grt_load(&m.p) == p && grt_load(&p->m) == &m && grt_load(&p->runnext) == &other[2]);
	CHECK_EQ(grt_load(&grt_rt.npidle), 0);
	CHECK_EQ(grt_load(&g.state), G_RUNNING);
	CHECK_EQ(grt_rt.nretakes, 0);
	one_p_end();
}

static void it_stays_with_who_is_inside(void)
{
	begin(true);
	grt_store(&m.in_rt, 1);
	CHECK_EQ(grt_retake(&m, p, 7, true, G_BLOCKED), RETAKE_NOT);
	CHECK(grt_load(&m.p) == p && grt_load(&p->m) == &m && grt_rt.midle == &spare);
	one_p_end();
}

static void it_stays_with_another(void)
{
	begin(true);
	CHECK_EQ(grt_retake(&m, p, 6, true, G_BLOCKED), RETAKE_NOT); /* another goroutine by now */
	CHECK(grt_load(&m.p) == p && grt_load(&p->m) == &m && grt_rt.midle == &spare);
	CHECK_EQ(grt_load(&g.state), G_RUNNING);
	CHECK_EQ(grt_retake(&spare, p, 7, true, G_BLOCKED), RETAKE_NOT); /* another M's */
	CHECK(grt_load(&m.p) == p && grt_load(&p->m) == &m);
	one_p_end();
}

static uint32_t shared(void)
{
	struct glist out = { 0 };

	grt_injq_take(&grt_rt.injq, 10, &out);
	return out.n;
}

/* Nobody wants it: the idle list, and what it had in private where all see it. There its goroutine finds it again. */
static void it_goes_idle_and_comes_back(void)
{
	begin(false);
	CHECK_EQ(grt_retake(&m, p, 7, false, G_BLOCKED), RETAKE_DONE);
	CHECK(m.blocked && grt_load(&g.state) == G_BLOCKED && !grt_load(&m.p));
	CHECK_EQ(grt_load(&grt_rt.npidle), 1);
	CHECK(!grt_load(&p->m) && !grt_own_any(p));
	CHECK_EQ(shared(), 3);

	g.block_depth = 1;
	CHECK(!grt_reacquire_idle(&m)); /* in brackets it does without */
	g.block_depth = 0;
	CHECK(grt_reacquire_idle(&m) == p);
	CHECK(grt_load(&m.p) == p && m.held == p && grt_load(&p->m) == &m);
	CHECK(!m.blocked && !m.oldp && grt_load(&g.state) == G_RUNNING);
	CHECK_EQ(grt_load(&grt_rt.npidle), 0);
	CHECK_EQ(grt_load(&p->schedtick), 8); /* what it has used up is forgotten */
	CHECK(!grt_reacquire_idle(&m));	      /* none is idle now */
	one_p_end();
}

static void who_waits_gets_it_back(void)
{
	begin(false);
	CHECK_EQ(grt_retake(&m, p, 7, false, G_BLOCKED), RETAKE_DONE);
	CHECK(grt_reacquire(&m) == &m);
	CHECK(grt_load(&m.p) == p && m.held == p && grt_load(&g.state) == G_RUNNING);
	CHECK_EQ(shared(), 3);
	one_p_end();
}

/* Ends those that have been idle for longest, but for the one that keeps the timers. */
static void the_last_on_the_list_end(void)
{
	struct m ms[5] = { 0 };

	begin(false);
	for (int i = 0; i < 5; i++) {
		ms[i].link = grt_rt.midle;
		grt_rt.midle = &ms[i];
		grt_rt.nmidle++;
	}
	ms[0].keeper = true;
	grt_rt.keeper = &ms[0];
	grt_midle_end(3);
	CHECK_EQ(grt_rt.nmidle, 3);
	CHECK(ms[1].ends && ms[2].ends && !ms[0].ends && !ms[3].ends && !ms[4].ends);
	CHECK(grt_rt.midle == &ms[4] && ms[4].link == &ms[3] && ms[3].link == &ms[0] &&
	      !ms[0].link);
	CHECK(grt_rt.keeper == &ms[0]);
	grt_midle_end(9);
	CHECK_EQ(grt_rt.nmidle, 1);
	CHECK(grt_rt.midle == &ms[0] && !ms[0].ends);
	one_p_end();
}

TEST_MAIN(TEST(all_goes_with_it), TEST(it_stays_without_an_m), TEST(it_stays_with_who_is_inside),
	  TEST(it_stays_with_another), TEST(it_goes_idle_and_comes_back),
	  TEST(who_waits_gets_it_back), TEST(the_last_on_the_list_end))
