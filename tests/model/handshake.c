/* handshake.c - the monitor takes a P from an M that does not use it: never while it does, and nothing is lost. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

#include "rt/handoff.h"
#include "rt/own.h"
#include "sched/ready.h"
#include "sched/block.h"

static struct m m0;
static struct p p0;
static struct g gs[5];
static int used, without, asked;

static void begin(void)
{
	kit_p(&p0, 0, &m0);
	m0.curg = &gs[2];
	grt_store(&p0.runnext, &gs[2]);
}

static void begin_fence(void)
{
	begin();
	grt_store(&grt_rt.enter_flags, ENTER_FENCE);
	grt_store(&m0.fences, true);
}

/* It is refused from the first time on. */
static void begin_refused(void)
{
	begin();
	kit_no_membarrier = true;
}

/* What a call does with its P: plain words of it, runnext, the lanes. */
static void use(struct p *p, struct g *g)
{
	CHECK(p == &p0);
	p->to_loop++;
	grt_ready(p, g);
	used++;
}

static void calls(void)
{
	kit_begin(&m0, &p0);
	for (int i = 0; i < 2; i++) {
		struct self s = grt_enter_nowait();

		if (s.p)
			use(s.p, &gs[i]);
		else
			without++;
		grt_leave_nowait(s);
	}
}

static void calls_that_wait(void)
{
	kit_begin(&m0, &p0);
	for (int i = 0; i < 2; i++) {
		struct p *p;
		struct m *m = grt_enter_wait(&p);

		CHECK(m == &m0 && m->held == &p0);
		use(p, &gs[i]);
		grt_leave(m);
	}
}

/* One that must know, and then gives the P away, as goru_block_enter does. */
static void blocks(void)
{
	struct m *m = kit_begin(&m0, &p0);

	grt_enter();
	use(grt_p_settled(m), &gs[0]);
	grt_leave(m);
	grt_enter();
	grt_handoff(m, grt_p_settled(m));
	grt_leave(m);
}

/* Puts into both lanes and takes from them by both ends, as a P's holder does. */
static int ran[5];

static void runs_own(void)
{
	kit_begin(&m0, &p0);
	for (int i = 0; i < 2; i++) {
		struct self s = grt_enter_nowait();
		struct g *g;

		if (s.p) {
			if (i == 0)
				grt_ready_spawned(s.p, &gs[0]);
			else
				grt_ready_last(s.p, &gs[1]);
			s.p->to_loop++;
			used++;
			g = grt_own_next(s.p);
			if (g)
				ran[g - gs]++;
		} else {
			without++;
		}
		grt_leave_nowait(s);
	}
}

static void begin_lanes(void)
{
	begin();
	grt_lane_push(&p0.spawned, &gs[3]);
	grt_lane_push(&p0.woken, &gs[4]);
}

static void begin_lanes_fence(void)
{
	begin_lanes();
	grt_store(&grt_rt.enter_flags, ENTER_FENCE);
	grt_store(&m0.fences, true);
}

/* Each once: run, or still in one place; those that a call could not queue are not there. */
static void check_lanes(void)
{
	struct g *g;
	int n = 0;

	while ((g = grt_own_next(&p0)) || (g = kit_injq_pop()))
		ran[g - gs]++;
	for (int i = 0; i < 5; i++)
		n += ran[i];
	CHECK(ran[2] == 1 && ran[3] == 1 && ran[4] == 1 && ran[0] <= 1 && ran[1] <= 1);
	CHECK(n == used + 3 && used + without == 2);
	CHECK(p0.to_loop == 1000u + (unsigned)used);
}

/* The same P is given away: all it has is seen by others. */
static void gives_away(void)
{
	struct m *m = kit_begin(&m0, &p0);

	grt_enter();
	grt_ready_spawned(grt_p_settled(m), &gs[0]);
	used++;
	p0.to_loop++;
	grt_leave(m);
	grt_enter();
	grt_handoff(m, grt_p_settled(m));
	grt_leave(m);
}

static void check_shown(void)
{
	CHECK(!grt_load(&p0.runnext) && !grt_lane_len(&p0.spawned) && !grt_lane_len(&p0.woken));
	without = 1;
	check_lanes();
}

static void rescues(void)
{
	for (int i = 0; i < 2; i++)
		asked += grt_own_rescue(&p0);
}

static void rescue(void)
{
	asked += grt_own_rescue(&p0);
}

/* Each is in one place. */
static void check(void)
{
	struct g *g;
	int seen[3] = { 0, 0, 0 }, n = 0;

	while ((g = grt_own_next(&p0)) || (g = kit_injq_pop()))
		seen[g - gs]++;
	for (int i = 0; i < 3; i++)
		n += seen[i];
	CHECK(seen[2] == 1 && seen[0] <= 1 && seen[1] <= 1 && n == used + 1);
	CHECK(p0.to_loop == 1000u + (unsigned)used);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "handshake/calls", begin, { calls, rescue }, check },
		{ "handshake/calls2", begin, { calls, rescues }, check, .switches = 4, .old = 3 },
		{ "handshake/wait", begin, { calls_that_wait, rescue }, check },
		{ "handshake/block", begin, { blocks, rescue }, check },
		{ "handshake/lanes", begin_lanes, { runs_own, rescue }, check_lanes },
		{ "handshake/lanes2",
		  begin_lanes,
		  { runs_own, rescues },
		  check_lanes,
		  .switches = 4,
		  .old = 3 },
		{ "handshake/lanes-fence", begin_lanes_fence, { runs_own, rescue }, check_lanes },
		{ "handshake/shown", begin_lanes, { gives_away, rescue }, check_shown },
		{ "handshake/fence", begin_fence, { calls, rescues }, check },
		{ "handshake/fence-wait", begin_fence, { calls_that_wait, rescues }, check },
		{ "handshake/refused", begin_refused, { calls, rescues }, check },
		{ "handshake/refused-wait", begin_refused, { calls_that_wait, rescues }, check },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
