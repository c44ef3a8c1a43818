/* watch.c - when one who looks for work asks a busy P for a share, and when it takes one. The clock is an argument. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "engine/watch.h"
#include "rt/idle.h"
#include "rt/own.h"

enum { US = 1000, SOON = 10 * US, OLD = 30 * US };

static struct p *self, *busy;
static struct m m;
static struct g gs[64];
static struct watch w;

static void begin(void)
{
	grt_rt_reset();
	CHECK_EQ(grt_p_new(0), 0);
	CHECK_EQ(grt_p_new(1), 0);
	self = grt_load(&grt_rt.allp[0]);
	busy = grt_load(&grt_rt.allp[1]);
	grt_store(&grt_rt.procs, 2);
	grt_store(&grt_rt.enter_flags, ENTER_FENCE); /* no membarrier needed */
	m = (struct m){ .fences = true };
	w = (struct watch){ 0 };
	grt_give(&m, busy);
}

static void end(void)
{
	grt_p_free_all();
	grt_rt_reset();
}

static void runs(uint32_t n)
{
	grt_store(&busy->schedtick, grt_load(&busy->schedtick) + n);
}

static bool asked(void)
{
	return atomic_exchange(&busy->attention, 0) & ATT_SHARE;
}

static void watches_who_has_something(void)
{
	begin();
	grt_store(&self->runnext, &gs[0]);
	grt_watch(&w, self, 0);
	CHECK(!w.at); /* not itself, nor one with nothing */
	CHECK(grt_lane_push(&busy->woken, &gs[1]));
	grt_watch(&w, self, 0);
	CHECK(w.at == busy);
	end();
}

static void asks_when_the_oldest_has_waited(void)
{
	begin();
	CHECK(grt_lane_push(&busy->spawned, &gs[0]));
	grt_watch(&w, self, 0);
	runs(1);
	grt_watch(&w, self, SOON);
	CHECK(!asked());
	runs(1);
	grt_watch(&w, self, OLD);
	CHECK(asked());
	CHECK_EQ(grt_lane_len(&busy->spawned), 1); /* its holder gives it */
	end();
}

static void does_not_ask_when_the_oldest_went(void)
{
	begin();
	CHECK(grt_lane_push(&busy->spawned, &gs[0]));
	CHECK(grt_lane_push(&busy->spawned, &gs[1]));
	grt_watch(&w, self, 0);
	runs(1);
	CHECK(grt_lane_oldest(&busy->spawned) == &gs[0]);
	grt_watch(&w, self, OLD);
	CHECK(!asked());
	end();
}

/* It computes: what it has is taken, runnext too. */
static void takes_from_one_that_computes(void)
{
	begin();
	grt_store(&busy->runnext, &gs[0]);
	grt_watch(&w, self, 0);
	grt_watch(&w, self, SOON);
	CHECK(grt_load(&busy->runnext) == &gs[0]);
	grt_watch(&w, self, OLD);
	CHECK(!grt_load(&busy->runnext));
	CHECK(grt_runq_pop(&busy->runq) == &gs[0]);
	CHECK(!asked());
	end();
}

/* Neither while it is inside goru; then the one who looks may be in its way. */
static void leaves_one_that_is_inside(void)
{
	begin();
	grt_store(&busy->runnext, &gs[0]);
	grt_store(&m.in_rt, 1);
	grt_watch(&w, self, 0);
	CHECK(grt_watch(&w, self, OLD));
	CHECK(grt_load(&busy->runnext) == &gs[0]);
	grt_store(&m.in_rt, 0);
	CHECK(!grt_watch(&w, self, 2 * OLD));
	CHECK(grt_runq_pop(&busy->runq) == &gs[0]);
	end();
}

static void leaves_a_few_that_talk(void)
{
	struct seen s;

	begin();
	CHECK(grt_lane_push(&busy->woken, &gs[0]));
	s = grt_seen(busy);
	runs(1000);
	CHECK(!grt_seen_worth(busy, &s, OLD));	    /* for a moment each */
	CHECK(grt_seen_worth(busy, &s, 1000 * US)); /* but not for long */
	s = grt_seen(busy);
	runs(1);
	CHECK(grt_seen_worth(busy, &s, OLD));
	end();
}

static void takes_from_a_crowd(void)
{
	struct seen s;

	begin();
	for (int i = 0; i < 64; i++)
		CHECK(grt_lane_push(&busy->woken, &gs[i]));
	s = grt_seen(busy);
	runs(1000);
	CHECK(grt_lane_oldest(&busy->woken) == &gs[0]);
	CHECK(grt_seen_worth(busy, &s, OLD)); /* none of them waits for long */
	end();
}

TEST_MAIN(TEST(watches_who_has_something), TEST(asks_when_the_oldest_has_waited),
	  TEST(does_not_ask_when_the_oldest_went), TEST(takes_from_one_that_computes),
	  TEST(leaves_one_that_is_inside), TEST(leaves_a_few_that_talk), TEST(takes_from_a_crowd))
