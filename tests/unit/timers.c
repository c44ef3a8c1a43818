/* timers.c - the heap of deadlines: order, ended waits and alarms, growth only when needed, moving. */
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

static struct due_alarms alarms;

static void expire(struct timers *from, int64_t now, uint32_t max, struct glist *out)
{
	alarms.n = 0;
	grt_timers_expire(from, now, max, out, &alarms);
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
	expire(&t, 99, MANY, &out);
	CHECK_EQ(out.n, 0);
	expire(&t, 200, MANY, &out);
	CHECK_EQ(out.n, 2);
	CHECK(grt_glist_pop(&out) == &gs[1]);
	CHECK(grt_glist_pop(&out) == &gs[2]);
	CHECK(timed_out(1) && timed_out(2) && !timed_out(0));
	CHECK_EQ(grt_timers_first(&t), 300);
	expire(&t, 1000, MANY, &out);
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
		expire(&t, now, MANY, &out);
		for (struct g *g; (g = grt_glist_pop(&out)); n++) {
			int64_t when = due[g - gs];

			CHECK(when >= last && when <= now && when > now - 7);
			last = when;
		}
	}
	expire(&t, 500, MANY, &out);
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
	expire(&t, 500, MANY, &out);
	CHECK_EQ(out.n, 19);
	for (struct g *g; (g = grt_glist_pop(&out));)
		CHECK((g - gs) % 3 != 0 && g != &gs[1]);
	expire(&t, 1000, MANY, &out);
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
		expire(&t, 2000, max, &out);
		CHECK_EQ(out.n, max);
		for (struct g *g; (g = grt_glist_pop(&out)); last = (int)(g - gs))
			CHECK_EQ(g - gs, last < 0 ? 1 : last + 2);
		CHECK(grt_timers_first(&t) <= 2000);
		CHECK(!timed_out(last + 2));
	}
	grt_glist_push(&out, &gs[0]); /* appended to; what was there does not count */
	expire(&t, 2000, 4, &out);
	CHECK_EQ(out.n, 5);
	expire(&t, 2000, 1000, &out);
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
	expire(&t, 2000, MANY, &out);
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
	u.lock = (struct spin)GRT_SPIN(LOCK_TIMERS_HOME);
	for (int i = 0; i < 200; i++)
		arm(i % 2 ? &t : &u, i, 200 - i);
	CHECK_EQ(grt_timers_move(&u, &t), 0);
	CHECK(grt_timers_first(&t) == GRT_NEVER);
	CHECK_EQ(grt_timers_first(&u), 1);
	expire(&t, 1000, MANY, &out);
	CHECK_EQ(out.n, 0);
	expire(&u, 1000, MANY, &out);
	CHECK_EQ(out.n, 200);
	for (int i = 199; i >= 0; i--)
		CHECK(grt_glist_pop(&out) == &gs[i]);
	grt_timers_fini(&t);
	grt_timers_fini(&u);
}

static void first_is_not_over(void)
{
	struct glist out = { 0 };

	grt_timers_init(&t);
	grt_timers_prune(&t);
	for (int i = 0; i < 20; i++)
		arm(&t, i, 100 + i);
	for (int i = 0; i < 20; i++)
		if (i != 7)
			end_wait(i);
	grt_timers_prune(&t);
	CHECK_EQ(grt_timers_first(&t), 107);
	expire(&t, 106, MANY, &out);
	CHECK_EQ(out.n, 0);
	expire(&t, 107, MANY, &out);
	CHECK(grt_glist_pop(&out) == &gs[7]);
	grt_timers_prune(&t);
	CHECK(grt_timers_first(&t) == GRT_NEVER);
	grt_timers_fini(&t);
}

static struct alarm *some[MANY];
static uint64_t number[MANY];

static int arm_alarm(int i, int64_t when)
{
	CHECK_EQ(grt_timers_alarm(&t, &some[i]), 0);
	number[i] = grt_load(&some[i]->claim);
	CHECK_EQ(number[i] & ALARM_MASK, ALARM_ARMED);
	return grt_timers_arm(&t, some[i], when);
}

static bool stop_alarm(int i)
{
	return grt_alarm_claim(some[i], number[i], ALARM_STOPPED);
}

/* They come out beside the waits, not ended yet, and only go back when they are told to. */
static void alarms_come_out(void)
{
	struct glist out = { 0 };

	grt_timers_init(&t);
	CHECK_EQ(arm_alarm(0, 30), 1);
	CHECK_EQ(arm_alarm(1, 10), 1);
	CHECK_EQ(arm_alarm(2, 20), 0);
	CHECK_EQ(arm_alarm(3, 40), 0);
	CHECK_EQ(arm(&t, 7, 15), 0);
	CHECK(stop_alarm(2));
	CHECK(!stop_alarm(2));
	expire(&t, 30, MANY, &out);
	CHECK_EQ(out.n, 1);
	CHECK(grt_glist_pop(&out) == &gs[7]);
	CHECK_EQ(alarms.n, 2);
	CHECK(alarms.v[0].alarm == some[1] && alarms.v[1].alarm == some[0]);
	CHECK_EQ(alarms.v[0].when, 10);
	CHECK_EQ(alarms.v[0].open, number[1]);
	CHECK_EQ(grt_timers_first(&t), 40);
	alarms.v[0].again = 35;
	CHECK(grt_alarm_armed(some[1], number[1]));
	grt_timers_return(&t, &alarms);
	CHECK_EQ(grt_timers_first(&t), 35);
	/* 0 and 2 are free, and have another number when they are used again */
	arm_alarm(4, 50);
	arm_alarm(5, 60);
	CHECK((some[4] == some[0] && some[5] == some[2]) ||
	      (some[4] == some[2] && some[5] == some[0]));
	CHECK(!stop_alarm(0) && !stop_alarm(2));
	CHECK(stop_alarm(4) && stop_alarm(5));
	expire(&t, 100, MANY, &out);
	CHECK_EQ(alarms.n, 2);
	CHECK(alarms.v[0].alarm == some[1] && alarms.v[1].alarm == some[3]);
	CHECK_EQ(out.n, 0);
	grt_timers_return(&t, &alarms);
	CHECK(grt_timers_first(&t) == GRT_NEVER);
	grt_timers_fini(&t);
}

/* As many as asked for and as there is room for; those that are out have their place. */
static void alarms_by_and_by(void)
{
	struct glist out = { 0 };
	uint32_t cap, found = 0;

	grt_timers_init(&t);
	for (int i = 0; i < 200; i++)
		arm_alarm(i, i);
	expire(&t, 1000, 5, &out);
	CHECK_EQ(alarms.n, 5);
	CHECK_EQ(grt_timers_first(&t), 5);
	cap = t.cap;
	for (int i = 200; t.n + t.out < cap; i++)
		arm_alarm(i, 500);
	CHECK_EQ(t.cap, cap);
	arm_alarm(MANY - 1, 501); /* a place more than there is: no going without those kept */
	CHECK(t.cap > cap);
	for (uint32_t i = 0; i < alarms.n; i++)
		alarms.v[i].again = 400;
	grt_timers_return(&t, &alarms);
	CHECK_EQ(t.out, 0);
	CHECK_EQ(t.n, cap + 1);
	do {
		expire(&t, 1000, MANY, &out);
		CHECK(alarms.n <= GRT_DUE_MAX);
		for (uint32_t i = 1; i < alarms.n; i++)
			CHECK(alarms.v[i - 1].when <= alarms.v[i].when);
		found += alarms.n;
		grt_timers_return(&t, &alarms);
	} while (alarms.n);
	CHECK_EQ(found, cap + 1);
	grt_timers_fini(&t);
}

/* Stopped ones are used again before the heap grows. */
static void stopped_alarms_are_swept(void)
{
	struct glist out = { 0 };
	struct alarm_chunk *chunks;

	grt_timers_init(&t);
	for (int i = 0; i < 20; i++)
		arm_alarm(i, 1000 + i);
	for (int i = 0; i < 200; i++) {
		arm_alarm(100, 500);
		CHECK(stop_alarm(100));
	}
	chunks = t.chunks;
	for (int i = 0; i < 100000; i++) {
		arm_alarm(100, 500);
		CHECK(stop_alarm(100));
	}
	CHECK(t.chunks == chunks);
	CHECK(t.cap <= 128);
	/* nor do few use up what very many have left behind */
	for (int i = 100; i < 1500; i++)
		arm_alarm(i, 500);
	for (int i = 100; i < 1500; i++)
		CHECK(stop_alarm(i));
	for (int i = 0; i < 10000; i++) {
		arm_alarm(100, 500);
		CHECK(stop_alarm(100));
		CHECK(i < 2000 || t.n <= 128);
	}
	expire(&t, 2000, MANY, &out);
	CHECK_EQ(alarms.n, 20);
	for (int i = 0; i < 20; i++)
		CHECK(alarms.v[i].alarm == some[i]);
	grt_timers_return(&t, &alarms);
	grt_timers_fini(&t);
}

TEST_MAIN(TEST(tells_the_earliest), TEST(expires_what_is_due), TEST(comes_out_in_order),
	  TEST(ended_waits_do_not_come_out), TEST(expires_no_more_than_asked),
	  TEST(swept_before_it_grows), TEST(moves_all), TEST(first_is_not_over),
	  TEST(alarms_come_out), TEST(alarms_by_and_by), TEST(stopped_alarms_are_swept))
