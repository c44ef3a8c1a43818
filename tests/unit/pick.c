/* pick.c - who goes next: when the clock is read for timers, who is due before others, and the others' turn. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_os_now */
#include "one_p.h"
#include "test.h"

#include "engine/pick.h"
#include "os/os.h"
#include "part/waiter.h"
#include "sched/next.h"
#include "sched/ready.h"

enum { US = 1000, MANY = 16 };

static struct p *p;
static struct m m;
static struct g gs[MANY], *due = &gs[8];
static char stack[8192];
static int64_t now;
static int reads;

int64_t __wrap_grt_os_now(void);

int64_t __wrap_grt_os_now(void)
{
	reads++;
	return now;
}

static void begin(void)
{
	m = (struct m){ 0 };
	p = one_p_begin(&m);
	memset(gs, 0, sizeof(gs));
	for (int i = 0; i < MANY; i++)
		grt_store(&gs[i].sched.sp, (void *)(stack + sizeof(stack) / 2));
	p->to_fair = FAIR_EVERY; /* not theirs yet */
	p->left_then = FAIR_EVERY;
	now = 1000 * 1000 * US;
	reads = 0;
}

static void sleeps(struct g *g, int64_t when)
{
	struct waiter w = { .won = -1 };

	grt_waiter_begin(&w, g);
	CHECK(grt_timers_add(&p->timers, when, g, w.open) >= 0);
}

static void waits(struct g *g)
{
	grt_g_set_state(g, G_RUNNABLE);
	grt_ready_last(p, g);
}

/* As who stops running does: over the loop only if it has to. */
static struct g *next(void)
{
	struct g *g = grt_next(p, NULL);

	if (!g)
		g = grt_pick(&m, p);
	if (g)
		grt_g_set_state(g, G_RUNNING);
	return g;
}

static void over_the_loop(void)
{
	p->to_fair += p->to_loop;
	p->to_loop = 0;
}

/* The first of them; the others are behind, and who is due later is behind those. */
static void due_ones_go_first_in_their_order(void)
{
	begin();
	waits(&gs[0]);
	waits(&gs[1]);
	for (int i = 0; i < 3; i++)
		sleeps(&due[i], now - 30 + i);
	CHECK(next() == &due[0]);
	for (int i = 0; i < 2; i++) {
		sleeps(&due[3 + i], now - 2 + i);
		over_the_loop();
		CHECK(next() == &gs[i]);
	}
	for (int i = 1; i < 5; i++)
		CHECK(next() == &due[i]);
	CHECK(!next());
	one_p_end();
}

static void not_twice_in_a_row(void)
{
	begin();
	waits(&gs[0]);
	sleeps(&due[0], now);
	CHECK(next() == &due[0]);
	sleeps(&due[1], now);
	over_the_loop();
	CHECK(next() == &gs[0]);
	CHECK(next() == &due[1]);
	one_p_end();
}

/* The turn of the oldest one woken: which was due first. */
static void not_before_whose_turn_it_is(void)
{
	begin();
	p->to_fair = 0;
	p->turn = 1;
	sleeps(&due[0], now - 2);
	sleeps(&due[1], now - 1);
	CHECK(next() == &due[0]);
	CHECK(next() == &due[1]);
	one_p_end();
}

/* The monitor may ask for both at once, and asks for what has been seen no more. */
static void the_oldest_does_not_hide_who_is_due(void)
{
	begin();
	grt_g_set_state(&gs[0], G_RUNNABLE);
	CHECK(grt_lane_push(&p->spawned, &gs[0]));
	p->oldest_due = true;
	sleeps(&due[0], now - 2);
	sleeps(&due[1], now - 1);
	over_the_loop();
	CHECK(next() == &gs[0]);
	CHECK(grt_timers_first(&p->timers) == GRT_NEVER);
	CHECK(next() == &due[0]);
	CHECK(next() == &due[1]);
	one_p_end();
}

/* Turns of so long: how many end after a deadline 2 ms away before its goroutine runs. */
static int turns_after(int64_t turn)
{
	int64_t at = now + 2000 * US;
	int n = 0;

	sleeps(due, at);
	for (struct g *g; (g = next()) != due; n += now >= at) {
		now += turn;
		waits(g);
	}
	return n;
}

static void long_turns_are_followed_by_looks(void)
{
	int n = 0;

	begin();
	for (int i = 0; i < 4; i++)
		waits(&gs[i]);
	turns_after(50 * US); /* the first time nobody knows how long they are */
	for (int i = 0; i < 10; i++)
		n += turns_after(50 * US);
	/* one each; but four more where the others' turn has come */
	CHECK(n >= 10 && n <= 10 + 2 * 4);
	CHECK(turns_after(500 * US) <= 1 + 4);
	reads = 0;
	turns_after(10);
	CHECK(reads <= 2000 * US / 10 / FAIR_EVERY + 20);
	turns_after(3 * US);
	reads = 0;
	CHECK(turns_after(3 * US) <= 20 / 3 + 1);
	CHECK(reads <= 25);
	one_p_end();
}

static void no_clock_without_timers(void)
{
	begin();
	waits(&gs[0]);
	waits(&gs[1]);
	for (int i = 0; i < 1000; i++)
		waits(next());
	CHECK_EQ(reads, 0);
	one_p_end();
}

/* However often the clock is looked at. */
static void the_shared_queue_has_its_turn(void)
{
	int n = 0;

	begin();
	waits(&gs[0]);
	sleeps(due, now + 1000 * 1000 * US);
	grt_g_set_state(&gs[1], G_RUNNABLE);
	grt_injq_push(&grt_rt.injq, &gs[1]);
	for (struct g *g; (g = next()) != &gs[1] && n < 1000; n++) {
		now += 1000 * US;
		waits(g);
	}
	CHECK(n <= 2 * (FAIR_EVERY + 1));
	one_p_end();
}

TEST_MAIN(TEST(due_ones_go_first_in_their_order), TEST(not_twice_in_a_row),
	  TEST(not_before_whose_turn_it_is), TEST(the_oldest_does_not_hide_who_is_due),
	  TEST(long_turns_are_followed_by_looks), TEST(no_clock_without_timers),
	  TEST(the_shared_queue_has_its_turn))
