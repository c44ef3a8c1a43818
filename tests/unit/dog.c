/* dog.c - checks builds: work beside an idle P is fatal after a while, and never while somebody is on his way to it. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "engine/dog.h"
#include "rt/idle.h"
#include "rt/own.h"
#include "rt/plain.h"

enum { MS = 1000 * 1000, ENOUGH = 30 };

static struct p *busy, *idle;
static struct m m;
static struct g gs[ENOUGH + 1];
static int64_t now;

/* P 0 runs a goroutine's own code, P 1 is idle. */
static void begin(void)
{
	grt_rt_reset();
	m = (struct m){ 0 };
	CHECK_EQ(grt_p_new(0), 0);
	CHECK_EQ(grt_p_new(1), 0);
	busy = grt_load(&grt_rt.allp[0]);
	idle = grt_load(&grt_rt.allp[1]);
	grt_store(&grt_rt.procs, 2);
	grt_store(&grt_rt.phase, RT_ON);
	grt_rt.allm = &m;
	grt_give(&m, busy);
	grt_pidle_put(idle);
	now = 1000 * (int64_t)MS;
	grt_dog_reset();
}

static void end(void)
{
	grt_p_free_all();
	grt_rt_reset();
}

/* n looks, step apart. */
static void look(int n, int64_t step)
{
	for (; n > 0; n--)
		grt_dog_look(now += step);
}

static void waits_in_injq(void)
{
	begin();
	grt_injq_push(&grt_rt.injq, &gs[0]);
	look(ENOUGH, MS);
}

static void waits_in_ring(void)
{
	begin();
	grt_runq_push(&busy->runq, &gs[0]);
	look(ENOUGH, MS);
}

static void waits_in_spawned(void)
{
	begin();
	grt_lane_push(&busy->spawned, &gs[0]);
	look(ENOUGH, MS);
}

static void waits_in_woken(void)
{
	begin();
	grt_lane_push(&busy->woken, &gs[0]);
	look(ENOUGH, MS);
}

static void waits_in_runnext(void)
{
	begin();
	grt_store(&busy->runnext, &gs[0]);
	look(ENOUGH, MS);
}

/* Inside goru, but asleep: it has looked before. */
static void waits_while_all_sleep(void)
{
	begin();
	grt_store(&m.in_rt, 1);
	grt_store(&m.note, 2);
	waits_in_injq();
}

static void fatal_are(void)
{
	if (!GRT_CHECKS_ON)
		return;
	CHECK_DIES(waits_in_injq,
		   "goru: fatal: P 1 is idle, but the shared queue holds 1, the oldest for ..");
	CHECK_DIES(waits_in_ring, "goru: fatal: P 1 is idle, but the ring of P 0 holds 1, the ..");
	CHECK_DIES(waits_in_spawned,
		   "goru: fatal: P 1 is idle, but the spawned of P 0 holds 1, ..");
	CHECK_DIES(waits_in_woken,
		   "goru: fatal: P 1 is idle, but the woken of P 0 holds 1, the ..");
	CHECK_DIES(waits_in_runnext,
		   "goru: fatal: P 1 is idle, but runnext of P 0 holds 1, the ..");
	CHECK_DIES(waits_while_all_sleep, "goru: fatal: P 1 is idle, but the shared queue ..");
}

/* Each is a reason to wait, however long. */
static void somebody_is_on_his_way(void)
{
	if (!GRT_CHECKS_ON)
		return;
	for (int why = 0; why < 8; why++) {
		begin();
		grt_injq_push(&grt_rt.injq, &gs[0]);
		grt_runq_push(&busy->runq, &gs[1]);
		grt_lane_push(&busy->spawned, &gs[2]);
		if (why == 0)
			grt_store(&grt_rt.nmspinning, 1);
		else if (why == 1)
			grt_store(&grt_rt.want_m, 1);
		else if (why == 2)
			grt_rt.nm_starting = 1;
		else if (why == 3)
			grt_store(&grt_rt.moving, true);
		else if (why == 4)
			grt_store(&m.in_rt, 1); /* and awake */
		else if (why == 5)
			grt_plain_enter();
		else if (why == 6)
			grt_pidle_take(NULL); /* all are busy */
		else
			grt_store(&grt_rt.phase, RT_STOPPING);
		look(10 * ENOUGH, 100 * MS);
		if (why == 5)
			grt_plain_leave();
		end();
	}
}

/* What moves does not wait, and neither the number of looks nor the time alone is enough. */
static void it_gets_on(void)
{
	struct glist out = { 0 };

	if (!GRT_CHECKS_ON)
		return;
	begin();
	grt_injq_push(&grt_rt.injq, &gs[0]);
	grt_lane_push(&busy->woken, &gs[1]);
	for (int i = 0; i < 100; i++) {
		look(15, 10 * MS);
		/* the same goroutine, but it has been away */
		grt_injq_take(&grt_rt.injq, 1, &out);
		grt_injq_push(&grt_rt.injq, grt_glist_pop(&out));
		grt_lane_push(&busy->woken, grt_lane_oldest(&busy->woken));
	}
	end();
	begin();
	grt_injq_push(&grt_rt.injq, &gs[0]);
	look(1000, 1000); /* 1 ms in all */
	end();
}

TEST_MAIN(TEST(fatal_are), TEST(somebody_is_on_his_way), TEST(it_gets_on))
