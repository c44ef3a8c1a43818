/* timers.c - the heap of deadlines: order, ended waits, growth only when needed, moving. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "part/timers.h"
#include "part/waiter.h"

enum { MANY = 3000 };

static struct g gs[MANY];
static int64_t due[MANY];
static struct timers t, u;

/* A new wait of goroutine i with a deadline. */
static int arm(struct timers *in, int i, int64_t when)
{
	struct waiter w = { .won = -1 };

	grt_waiter_begin(&w, &gs[i]);
	due[i] = when;
	return grt_timers_add(in, when, &gs[i], w.open);
}

static void end_wait(int i)
{
	grt_store(&gs[i].claim, grt_load(&gs[i].claim) | END_READY);
}

static bool timed_out(int i)
{
	return (grt_load(&gs[i].claim) & END_MASK) == END_TIMEDOUT;
}

static void tells_the_earliest(void)
{
	grt_timers_init(&t);
	CHECK(grt_timers_first(&t) == GRT_NEVER);
	CHECK_EQ(arm(&t, 0, 100), 1);
	CHECK_EQ(grt_timers_first(&t), 100);
	CHECK_EQ(arm(&t, 1, 200), 0);
	CHECK_EQ(arm(&t, 2, 50), 1);
	CHECK_EQ(grt_timers_first(&t), 50);
	CHECK_EQ(arm(&t, 3, INT64_MIN), 1);
	CHECK_EQ(arm(&t, 4, GRT_NEVER), 0);
	CHECK(grt_timers_first(&t) == INT64_MIN);
	grt_timers_fini(&t);
	CHECK(grt_timers_first(&t) == GRT_NEVER);
}

static void expires_what_is_due(void)
{
	struct glist out = { 0 };

	grt_timers_init(&t);
	arm(&t, 0, 300);
	arm(&t, 1, 100);
	arm(&t, 2, 200);
	grt_timers_expire(&t, 99, MANY, &out);
	CHECK_EQ(out.n, 0);
	grt_timers_expire(&t, 200, MANY, &out);
	CHECK_EQ(out.n, 2);
	CHECK(grt_glist_pop(&out) == &gs[1]);
	CHECK(grt_glist_pop(&out) == &gs[2]);
	CHECK(timed_out(1) && timed_out(2) && !timed_out(0));
	CHECK_EQ(grt_timers_first(&t), 300);
	grt_timers_expire(&t, 1000, MANY, &out);
	CHECK(grt_glist_pop(&out) == &gs[0]);
	CHECK(grt_timers_first(&t) == GRT_NEVER);
	grt_timers_fini(&t);
}

static void comes_out_in_order(void)
{
	struct glist out = { 0 };
	uint64_t r = 3;
	int64_t last = INT64_MIN;
	int n = 0;

	grt_timers_init(&t);
	for (int i = 0; i < MANY; i++)
		CHECK(arm(&t, i, (int64_t)(test_rand(&r) % 500)) >= 0);
	for (int64_t now = 0; now < 500; now += 7) {
		grt_timers_expire(&t, now, MANY, &out);
		for (struct g *g; (g = grt_glist_pop(&out)); n++) {
			int64_t when = due[g - gs];

			CHECK(when >= last && when <= now && when > now - 7);
			last = when;
		}
	}
	grt_timers_expire(&t, 500, MANY, &out);
	CHECK_EQ(n + (int)out.n, MANY);
	grt_timers_fini(&t);
}

static void ended_waits_do_not_come_out(void)
{
	struct glist out = { 0 };

	grt_timers_init(&t);
	for (int i = 0; i < 30; i++)
		arm(&t, i, i);
	for (int i = 0; i < 30; i += 3)
		end_wait(i);
	/* goroutine 1 waits anew: its old entry must not end the new wait */
	end_wait(1);
	arm(&t, 1, 1000);
	grt_timers_expire(&t, 500, MANY, &out);
	CHECK_EQ(out.n, 19);
	for (struct g *g; (g = grt_glist_pop(&out));)
		CHECK((g - gs) % 3 != 0 && g != &gs[1]);
	grt_timers_expire(&t, 1000, MANY, &out);
	CHECK_EQ(out.n, 1);
	CHECK(grt_glist_pop(&out) == &gs[1]);
	grt_timers_fini(&t);
}

/* No more than asked for, the earliest first; those whose wait is over do not count. */
static void expires_no_more_than_asked(void)
{
	struct glist out = { 0 };
	int last = -1;

	grt_timers_init(&t);
	for (int i = 0; i < 1000; i++)
		arm(&t, i, i);
	for (int i = 0; i < 1000; i += 2)
		end_wait(i);
	for (uint32_t max = 1; max < 32; max++) {
		grt_timers_expire(&t, 2000, max, &out);
		CHECK_EQ(out.n, max);
		for (struct g *g; (g = grt_glist_pop(&out)); last = (int)(g - gs))
			CHECK_EQ(g - gs, last < 0 ? 1 : last + 2);
		CHECK(grt_timers_first(&t) <= 2000);
		CHECK(!timed_out(last + 2));
	}
	grt_glist_push(&out, &gs[0]); /* appended to; what was there does not count */
	grt_timers_expire(&t, 2000, 4, &out);
	CHECK_EQ(out.n, 5);
	grt_timers_expire(&t, 2000, 1000, &out);
	CHECK_EQ(out.n, 1 + 500 - 31 * 32 / 2);
	CHECK(grt_timers_first(&t) == GRT_NEVER);
	grt_timers_fini(&t);
}

/* Waits that end early leave entries behind; the heap grows by those that wait, not by those that waited. */
static void swept_before_it_grows(void)
{
	struct glist out = { 0 };
	uint32_t cap;

	grt_timers_init(&t);
	for (int i = 0; i < 40; i++)
		arm(&t, i, 1000 + i);
	for (int i = 0; i < 1000; i++) {
		arm(&t, 100, 1);
		end_wait(100);
	}
	cap = t.cap;
	for (int i = 0; i < 100000; i++) {
		arm(&t, 100, 1);
		end_wait(100);
	}
	CHECK_EQ(t.cap, cap);
	CHECK(cap <= 256);
	grt_timers_expire(&t, 2000, MANY, &out);
	CHECK_EQ(out.n, 40);
	for (int i = 0; i < 40; i++)
		CHECK(grt_glist_pop(&out) == &gs[i]);
	grt_timers_fini(&t);
}

static void moves_all(void)
{
	struct glist out = { 0 };

	grt_timers_init(&t);
	grt_timers_init(&u);
	for (int i = 0; i < 200; i++)
		arm(i % 2 ? &t : &u, i, 200 - i);
	CHECK_EQ(grt_timers_move(&u, &t), 0);
	CHECK(grt_timers_first(&t) == GRT_NEVER);
	CHECK_EQ(grt_timers_first(&u), 1);
	grt_timers_expire(&t, 1000, MANY, &out);
	CHECK_EQ(out.n, 0);
	grt_timers_expire(&u, 1000, MANY, &out);
	CHECK_EQ(out.n, 200);
	for (int i = 199; i >= 0; i--)
		CHECK(grt_glist_pop(&out) == &gs[i]);
	grt_timers_fini(&t);
	grt_timers_fini(&u);
}

TEST_MAIN(TEST(tells_the_earliest), TEST(expires_what_is_due), TEST(comes_out_in_order),
	  TEST(ended_waits_do_not_come_out), TEST(expires_no_more_than_asked),
	  TEST(swept_before_it_grows), TEST(moves_all))
