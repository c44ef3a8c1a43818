/* publish.c - what is set up before it is shown: Ps, arenas, the runtime itself, the main goroutine's end, kicks. */
/* SPDX-License-Identifier: MIT */
/* model: with=src/base/spin.c,src/part/stack.c,src/part/timers.c,src/part/runq.c,src/part/injq.c,src/part/g.c */
/* model: with=src/rt/rt.c,src/rt/own.c,src/rt/idle.c,src/rt/plain.c,src/rt/forked.c,src/rt/self.c,src/rt/life.c,src/rt/handoff.c */
/* model: with=src/sched/ready.c,src/engine/watch.c,src/engine/pick.c,src/engine/stuck.c,src/engine/spare.c */
#include <errno.h>

#include "kit.h"

#include "engine/loop.h"
#include "engine/pick.h"
#include "engine/spare.h"

/* Their statics are what this is about. */
#include "../../src/engine/boot.c"
#include "../../src/engine/monitor.c"
#include "../../src/sched/park.c"

/* Asked at each look of the monitor; not what this is about. */
bool grt_deadlock(uint64_t *ticks)
{
	*ticks = 0;
	return false;
}

void grt_follow(int64_t now)
{
	(void)now;
}

bool grt_m_join_ended(void)
{
	return false;
}

/* PROTOCOL allp: a P is complete when it is counted. */
static void add_p(void)
{
	CHECK(grt_p_new(0) == 0);
}

static void look_at_p(void)
{
	int64_t first = grt_timers_earliest();

	CHECK(first == GRT_NEVER);
	CHECK(!grt_work_visible());
	look_at_all(model_now);
}

static struct m thief;
static struct p own, other;

static void two_ps(void)
{
	kit_p(&own, 0, &thief);
	kit_p(&other, 1, NULL);
	grt_rt.procs = 3;
}

static void add_third(void)
{
	CHECK(grt_p_new(2) == 0);
}

static void steal(void)
{
	CHECK(!grt_pick(kit_begin(&thief, &own), &own));
}

/* PROTOCOL arena: the fields before the list, the record before the count. */
static char *slot;

static void get_stack(void)
{
	struct g *g;

	CHECK(grt_stack_get(0, &g) == 0);
	CHECK(grt_stack_get(0, &g) == 0);
}

static void visit(struct g *g, void *arg)
{
	++*(int *)arg;
	CHECK(g->stack_size == grt_stack_size(0) && g->stack_lo);
}

static void walk(void)
{
	int n = 0;

	grt_stack_each(visit, &n);
}

/* One was there before: a new arena does not hide it. */
static void walk_to_the_first(void)
{
	int n = 0;

	grt_stack_each(visit, &n);
	CHECK(n >= 1);
}

static void find(void)
{
	struct g *g = grt_stack_find((uintptr_t)slot);

	if (g)
		CHECK(g->stack_size == grt_stack_size(0) && g->stack_lo);
}

static void an_arena(void)
{
	struct g *g;

	CHECK(grt_stack_get(0, &g) == 0);
	slot = g->stack_lo + g->stack_size;
}

/* PROTOCOL phase. */
static void start_up(void)
{
	grt_rt.default_cls = 3;
	grt_phase_set(RT_ON);
}

static void come_late(void)
{
	if (grt_phase() == RT_ON)
		CHECK(grt_rt.default_cls == 3);
}

/* PROTOCOL run. */
static int made_by_main;

static void on(void)
{
	grt_store(&grt_rt.phase, RT_ON);
}

static void main_fn(void *arg)
{
	(void)arg;
}

int grt_spawn(const struct spawn *s)
{
	(void)s;
	return 0;
}

static void runs(void)
{
	CHECK(goru_run(main_fn, NULL) == 0);
	CHECK(made_by_main == 1);
}

static void ends(void)
{
	while (grt_load(&grt_rt.run_state) != 1)
		model_pause();
	made_by_main = 1;
	main_ended();
}

/* PROTOCOL monitor. */
static struct p p0;
static int started;

int grt_m_start(struct p *p)
{
	(void)p;
	started++;
	return 0;
}

static void idle_p(void)
{
	kit_p(&p0, 0, NULL);
	grt_store(&grt_rt.max_threads, 4);
	grt_rt.spare_ms = 10000;
	grt_spare_init(model_now);
	Mon.cold = true;
	Mon.trim_at = INT64_MAX;
}

bool grt_gpool_trim(bool period)
{
	(void)period;
	return false;
}

static void monitors(void)
{
	monitor(NULL);
}

static void wants_an_m(void)
{
	grt_wake_one();
}

void grt_os_thread_join(pthread_t t)
{
	(void)t;
}

static void stops(void)
{
	grt_monitor_stop();
}

/* It looks at nothing from when pause returns until it is let go, each time. What begin writes is too much for here. */
static bool paused;

static void rests_in_between(void)
{
	for (;;) {
		if (grt_load(&Mon.order) == GO_ON)
			model_pause();
		else if (rest())
			CHECK(!paused);
		else
			return;
	}
}

static void pauses_twice(void)
{
	for (int i = 0; i < 2; i++) {
		grt_monitor_pause();
		paused = true;
		model_step();
		paused = false;
		let_go();
	}
	grt_monitor_stop();
}

/* For something else. */
static void kicks(void)
{
	grt_monitor_kick();
}

static void check_started(void)
{
	CHECK(started == 1);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "publish/p", NULL, { add_p, look_at_p } },
		{ "publish/steal", two_ps, { add_third, steal } },
		{ "publish/arena", NULL, { get_stack, walk } },
		{ "publish/slot", an_arena, { get_stack, find } },
		{ "publish/arenas", an_arena, { get_stack, walk_to_the_first } },
		{ "publish/phase", NULL, { start_up, come_late } },
		{ "publish/run", on, { runs, ends } },
		{ "publish/kick",
		  idle_p,
		  { monitors, wants_an_m },
		  check_started,
		  .sleepers = 1,
		  .late = -1 },
		{ "publish/stop", idle_p, { monitors, stops }, .late = -1 },
		{ "publish/pause", NULL, { rests_in_between, pauses_twice } },
		{ "publish/kicks",
		  idle_p,
		  { monitors, wants_an_m, kicks },
		  check_started,
		  .sleepers = 1,
		  .late = -1 },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
