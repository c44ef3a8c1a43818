/* own.c - a P's private places: the order they are taken in, shares, what a full lane gives up, rescue. */
/* SPDX-License-Identifier: MIT */
#include "one_p.h"
#include "test.h"

#include "sched/ready.h"

enum { LEN = GRT_LANE_LEN, RING = GRT_RUNQ_LEN, MANY = 2 * LEN };

static struct p *p;
static struct m m;
static struct g gs[MANY];

static void begin(void)
{
	m = (struct m){ 0 };
	p = one_p_begin(&m);
}

static void fill(struct lane *l, uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		CHECK(grt_lane_push(l, &gs[from + i]));
}

static struct g *shared(void)
{
	struct glist out = { 0 };

	grt_injq_take(&grt_rt.injq, 1, &out);
	return grt_glist_pop(&out);
}

static void order(void)
{
	begin();
	CHECK(!grt_own_any(p) && !grt_own_next(p));
	CHECK(grt_runq_push(&p->runq, &gs[6]));
	CHECK(grt_own_any(p));
	fill(&p->woken, 4, 2);
	fill(&p->spawned, 1, 3);
	grt_store(&p->runnext, &gs[0]);
	CHECK(grt_own_next(p) == &gs[0]);
	CHECK(grt_own_next(p) == &gs[3]); /* the newest of the spawned */
	CHECK(grt_own_next(p) == &gs[2]);
	CHECK(grt_own_next(p) == &gs[1]);
	CHECK(grt_own_next(p) == &gs[4]); /* the oldest of the woken */
	CHECK(grt_own_next(p) == &gs[5]);
	CHECK(grt_own_next(p) == &gs[6]);
	CHECK(!grt_own_any(p) && !grt_own_next(p));
	one_p_end();
}

static void share_gives_the_older_half(void)
{
	for (int kind = 0; kind < 2; kind++) {
		begin();

		struct lane *l = kind ? &p->woken : &p->spawned;

		CHECK(!grt_own_share(p));
		fill(l, 0, 5);
		CHECK(grt_own_share(p));
		CHECK_EQ(grt_lane_len(l), 2);
		CHECK_EQ(grt_load(&p->ring_trees), !kind);
		for (int i = 0; i < 3; i++)
			CHECK(grt_runq_pop(&p->runq) == &gs[i]);
		CHECK(!grt_runq_pop(&p->runq));
		CHECK(grt_own_share(p) && grt_own_share(p)); /* the last one, too */
		CHECK(!grt_own_share(p));
		CHECK_EQ(grt_runq_len(&p->runq), 2);
		one_p_end();
	}
}

static void share_takes_the_spawned_first(void)
{
	begin();
	fill(&p->woken, 0, 2);
	fill(&p->spawned, 2, 1);
	CHECK(grt_own_share(p));
	CHECK(grt_runq_pop(&p->runq) == &gs[2]);
	CHECK(!grt_runq_pop(&p->runq));
	CHECK(grt_own_share(p));
	CHECK(grt_runq_pop(&p->runq) == &gs[0]);
	one_p_end();
}

/* A ring with woken ones in it has its turn among the fair ones, whatever comes behind them. */
static void trees_only_if_nothing_else(void)
{
	begin();
	fill(&p->woken, 0, 1);
	CHECK(grt_own_share(p));
	fill(&p->spawned, 1, 1);
	CHECK(grt_own_share(p));
	CHECK(!grt_load(&p->ring_trees));
	CHECK_EQ(grt_runq_len(&p->runq), 2);
	one_p_end();
}

/* Rescue puts runnext behind what was shared: one that has not run leaves a ring of trees one, any other does not. */
static void rescue_tells_what_runnext_was(void)
{
	for (int fresh = 0; fresh < 2; fresh++) {
		begin();
		fill(&p->spawned, 0, 1);
		gs[1].sched = (struct gobuf){ 0 };
		if (fresh)
			grt_arch_prepare(&gs[1].sched, &gs[1], NULL);
		grt_store(&p->runnext, &gs[1]);
		CHECK(grt_own_rescue(p));
		CHECK_EQ(grt_runq_len(&p->runq), 2);
		CHECK_EQ(grt_load(&p->ring_trees), fresh);
		one_p_end();
	}
}

static _Atomic bool told;

static void nothing(void *arg)
{
	(void)arg;
}

static void yields_into_trees(void *arg)
{
	struct p *mine;

	(void)arg;
	for (int i = 0; i < 4; i++)
		CHECK_EQ(goru_go(nothing, NULL), 0);
	mine = grt_p_of(grt_arch_self());
	CHECK(grt_own_share(mine));
	CHECK(grt_load(&mine->ring_trees));
	goru_yield();
	grt_store(&told, !grt_load(&mine->ring_trees));
}

/* Who yields into a ring of trees keeps its turn there. */
static void yield_into_trees(void)
{
	goru_config one = { .struct_size = sizeof(one), .procs = 1 };

	test_handoff(false);
	CHECK_EQ(goru_init(&one), 0);
	CHECK_EQ(goru_run(yields_into_trees, NULL), 0);
	CHECK(grt_load(&told));
	CHECK_EQ(goru_shutdown(), 0);
	test_handoff(true);
}

static void share_into_a_full_ring(void)
{
	begin();
	for (uint32_t i = 0; i < RING - 1; i++)
		CHECK(grt_runq_push(&p->runq, &gs[i]));
	fill(&p->spawned, RING, 10);
	CHECK(grt_own_share(p));
	CHECK_EQ(grt_runq_len(&p->runq), RING);
	CHECK_EQ(grt_lane_len(&p->spawned), 9);
	CHECK(grt_own_share(p)); /* there is something, and it is visible already */
	CHECK_EQ(grt_lane_len(&p->spawned), 9);
	one_p_end();
}

/* In a checks build the words of ring and lanes wrap on the way. */
static void all_come_back(void)
{
	begin();
	fill(&p->spawned, 0, 200);
	CHECK(grt_own_share(p));
	CHECK_EQ(grt_runq_len(&p->runq), 100);
	for (int i = 199; i >= 100; i--)
		CHECK(grt_own_next(p) == &gs[i]);
	for (int i = 0; i < 100; i++)
		CHECK(grt_own_next(p) == &gs[i]);
	CHECK(!grt_own_any(p));
	one_p_end();
}

static void share_is_bounded(void)
{
	begin();
	fill(&p->spawned, 0, LEN);
	CHECK(grt_own_share(p));
	CHECK_EQ(grt_runq_len(&p->runq), RING / 2);
	CHECK_EQ(grt_lane_len(&p->spawned), LEN - RING / 2);
	one_p_end();
}

static void show_all_hides_none(void)
{
	begin();
	grt_own_show_all(p);
	CHECK_EQ(grt_injq_len(&grt_rt.injq), 0);
	grt_store(&p->runnext, &gs[0]);
	fill(&p->spawned, 1, 3);
	fill(&p->woken, 4, 3);
	grt_own_show_all(p);
	CHECK(!grt_own_any(p));
	CHECK_EQ(grt_injq_len(&grt_rt.injq), 7);
	for (int i = 0; i < 7; i++)
		CHECK(shared() == &gs[i]);
	one_p_end();
}

/* Of a full lane of woken ones the newer half goes behind all others, in order. */
static void full_of_woken(void)
{
	begin();
	for (int i = 0; i <= LEN; i++)
		grt_ready_last(p, &gs[i]);
	for (int i = 0; i < LEN / 2; i++)
		CHECK(grt_own_next(p) == &gs[i]);
	CHECK(!grt_own_any(p));
	for (int i = LEN / 2; i <= LEN; i++)
		CHECK(shared() == &gs[i]);
	CHECK(!shared());
	one_p_end();
}

/* Of spawned ones the older half goes, in order. */
static void full_of_spawned(void)
{
	begin();
	for (int i = 0; i <= LEN; i++)
		grt_ready_spawned(p, &gs[i]);
	for (int i = LEN; i >= LEN / 2; i--)
		CHECK(grt_own_next(p) == &gs[i]);
	CHECK(!grt_own_any(p));
	for (int i = 0; i < LEN / 2; i++)
		CHECK(shared() == &gs[i]);
	CHECK(!shared());
	one_p_end();
}

static void newest_displaces(void)
{
	begin();
	grt_ready_new(p, &gs[0]);
	grt_ready_new(p, &gs[1]);
	grt_ready(p, &gs[2]);
	CHECK(grt_load(&p->runnext) == &gs[2]);
	CHECK(grt_lane_oldest(&p->spawned) == &gs[0]);
	CHECK(grt_lane_oldest(&p->woken) == &gs[1]);
	one_p_end();
}

static void rescue_only_from_outside(void)
{
	begin();
	grt_store(&p->runnext, &gs[0]);
	fill(&p->woken, 1, 2);
	grt_store(&m.in_rt, 1);
	CHECK(!grt_own_rescue(p)); /* it is inside, and may be using them */
	CHECK(grt_load(&m.p) == p);
	CHECK_EQ(grt_runq_len(&p->runq), 0);
	grt_store(&m.in_rt, 0);
	CHECK(grt_own_rescue(p));
	CHECK(grt_load(&m.p) == p);
	CHECK(!grt_load(&p->runnext));
	CHECK(grt_runq_pop(&p->runq) == &gs[1]);
	CHECK(grt_runq_pop(&p->runq) == &gs[0]); /* runnext last */
	CHECK_EQ(grt_lane_len(&p->woken), 1);
	CHECK(grt_own_rescue(p));
	CHECK(!grt_own_rescue(p)); /* nothing left */
	one_p_end();
}

static void rescue_of_one_without_holder(void)
{
	begin();
	fill(&p->woken, 0, 1);
	grt_store(&m.p, NULL); /* on its way elsewhere */
	CHECK(!grt_own_rescue(p));
	CHECK(!grt_load(&m.p));
	grt_pidle_put(p);
	CHECK(!grt_own_rescue(p));
	CHECK_EQ(grt_lane_len(&p->woken), 1);
	one_p_end();
}

static void rescue_with_a_full_ring(void)
{
	begin();
	for (int i = 0; i < RING; i++)
		CHECK(grt_runq_push(&p->runq, &gs[i]));
	grt_store(&p->runnext, &gs[RING]);
	CHECK(grt_own_rescue(p));
	CHECK(shared() == &gs[RING]);
	one_p_end();
}

TEST_MAIN(TEST(order), TEST(share_gives_the_older_half), TEST(share_takes_the_spawned_first),
	  TEST(trees_only_if_nothing_else), TEST(rescue_tells_what_runnext_was),
	  TEST(yield_into_trees), TEST(share_into_a_full_ring), TEST(share_is_bounded),
	  TEST(all_come_back), TEST(show_all_hides_none), TEST(full_of_woken),
	  TEST(full_of_spawned), TEST(newest_displaces), TEST(rescue_only_from_outside),
	  TEST(rescue_of_one_without_holder), TEST(rescue_with_a_full_ring))
