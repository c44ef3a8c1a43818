/* handoff.c - a P is taken from a goroutine for good: one holder at a time, nobody's work is lost, the goroutine comes back. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

#include "os/os.h"
#include "rt/handoff.h"
#include "rt/own.h"
#include "sched/block.h"
#include "sched/ready.h"

static struct m m0, m1;
static struct p p0;
static struct g gs[3], *stuck, *other;
static int used, without, ended[2], tries;
static enum retake result;

/* m1 sleeps already, as after grt_idle. */
static void idle_m1(void)
{
	grt_rt.midle = &m1;
	grt_rt.nmidle = 1;
	grt_store(&m1.note, 2);
}

static void begin(void)
{
	kit_p(&p0, 0, &m0);
	m0.curg = &gs[2];
	model_unordered(&gs[2].state);
	grt_store(&gs[2].state, G_RUNNING);
	grt_store(&p0.runnext, &gs[1]);
	idle_m1();
}

static void begin_fence(void)
{
	begin();
	grt_store(&grt_rt.enter_flags, ENTER_FENCE);
	grt_store(&m0.fences, true);
}

static void asleep(void)
{
	while (atomic_load_explicit(&m1.note, memory_order_acquire) != 1)
		grt_os_futex_wait(&m1.note, 2, INT64_MAX);
	grt_store(&m1.note, 0);
}

/* Plain words of the P: a race if two hold it. */
static void use(struct p *p)
{
	CHECK(p == &p0);
	p->to_loop++;
	used++;
}

/* In and out of goru, by calls that cannot wait: with the P or without. */
static void calls(void)
{
	kit_begin(&m0, &p0);
	for (int i = 0; i < 2; i++) {
		struct self s = grt_enter_nowait();

		if (s.p)
			use(s.p);
		else
			without++;
		grt_leave_nowait(s);
	}
}

static void takes(void)
{
	result = grt_retake(&m0, &p0, 0, true, G_BLOCKED);
}

/* What the M does that it went to. */
static void goes_on(void)
{
	asleep();
	kit_begin(&m1, NULL);
	CHECK(m1.held == &p0 && grt_load(&m1.p) == &p0 && grt_load(&p0.m) == &m1);
	p0.to_loop += 100;
	CHECK(grt_own_next(&p0) == &gs[1]);
}

static void check_calls(void)
{
	CHECK(used + without == 2);
	if (result == RETAKE_DONE) {
		CHECK(p0.to_loop == 1100u + (unsigned)used);
		CHECK(!grt_load(&m0.p) && m0.blocked && grt_load(&gs[2].state) == G_BLOCKED);
	} else {
		CHECK(result == RETAKE_NOT && p0.to_loop == 1000u + (unsigned)used);
		CHECK(grt_load(&m0.p) == &p0 && grt_load(&p0.runnext) == &gs[1] && !m0.blocked);
	}
}

/* A P that nobody wants yet goes idle while somebody submits. */
static void begin_idle(void)
{
	begin();
	grt_store(&p0.runnext, NULL);
}

static void puts_away(void)
{
	result = grt_retake(&m0, &p0, 0, false, G_BLOCKED);
}

static void submits(void)
{
	grt_ready_shared(&gs[0]);
}

static void finds(void)
{
	asleep();
	kit_begin(&m1, NULL);
	CHECK(m1.held == &p0);
	if (kit_injq_pop() == &gs[0])
		used++;
}

static void check_idle(void)
{
	CHECK(result == RETAKE_DONE && used == 1);
}

/* The whole way: the goroutine comes back by a call that waits, with its P or for another turn; whoever waited behind it
 * runs, on whichever M. The loop is that of engine/loop.c without the search. */
static void ends(int i)
{
	CHECK(++ended[i] == 1);
	kit_end();
}

static void is_stuck(void *word)
{
	struct p *p;
	struct m *m;

	(void)word;
	grt_leave(grt_arch_self());
	m = grt_enter_wait(&p);
	CHECK(m == grt_arch_self() && p == m->held && grt_load(&p->m) == m && m->curg == stuck);
	use(p);
	ends(0);
}

static void waits(void *word)
{
	struct m *m = grt_arch_self();

	(void)word;
	use(m->held);
	ends(1);
}

static void begin_back(void)
{
	kit_p(&p0, 0, &m0);
	stuck = kit_g(is_stuck);
	other = kit_g(waits);
	grt_store(&m0.in_rt, 1);
	grt_store(&m1.in_rt, 1);
	model_unordered(&stuck->state);
	idle_m1();
	grt_store(&p0.runnext, other);
}

static void loop(struct m *m)
{
	for (;;) {
		struct p *p = m->held;
		struct g *g = p ? grt_own_next(p) : NULL;

		if (p && !g)
			g = kit_injq_pop();
		/* it may be queued a few steps before its registers are saved */
		while (g && !atomic_load_explicit(&g->sched.sp, memory_order_acquire))
			model_pause();
		if (g)
			grt_run(m, p, g);
		else
			grt_idle(m);
	}
}

static void runs_stuck(void)
{
	struct m *m = kit_begin(&m0, &p0);

	grt_run(m, &p0, stuck);
	loop(m);
}

static void is_spare(void)
{
	struct m *m = kit_begin(&m1, NULL);

	asleep();
	loop(m);
}

static void takes_stuck(void)
{
	tries++;
	result = grt_retake(&m0, &p0, 1, true, G_BLOCKED);
}

static void check_back(void)
{
	CHECK(tries == 1 && ended[0] == 1 && ended[1] == 1 && p0.to_loop == 1002);
	CHECK(!m0.blocked && !m1.blocked);
	CHECK(grt_load(&grt_rt.npidle) == 1 && !grt_work_visible());
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "handoff/calls",
		  begin,
		  { calls, takes, goes_on },
		  check_calls,
		  .sleepers = 4,
		  .switches = 4,
		  .old = 3 },
		{ "handoff/calls-fence",
		  begin_fence,
		  { calls, takes, goes_on },
		  check_calls,
		  .sleepers = 4 },
		{ "handoff/idle",
		  begin_idle,
		  { puts_away, submits, finds },
		  check_idle,
		  .switches = 3,
		  .old = 2 },
		{ "handoff/back",
		  begin_back,
		  { runs_stuck, takes_stuck, is_spare },
		  check_back,
		  .sleepers = 5,
		  .switches = 2,
		  .old = 1 },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
