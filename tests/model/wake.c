/* wake.c - the wake rule over the sources: no work stays behind while workers sleep. */
/* SPDX-License-Identifier: MIT */
/* model: with=core,src/engine/watch.c,src/engine/pick.c */
#include "kit.h"

#include "engine/pick.h"
#include "rt/handoff.h"
#include "rt/own.h"
#include "sched/ready.h"

/* Two workers with the loop of engine/loop.c, and goroutines that only count. No monitor: it would make up for a lost
 * wake a millisecond later. */
static struct m m0, m1;
static struct p p0, p1;
static struct g gs[4];
static _Atomic int ran;
static int wanted;

static void begin(void)
{
	kit_p(&p0, 0, &m0);
	kit_p(&p1, 1, &m1);
	for (int i = 0; i < 4; i++)
		gs[i].sched.sp = &gs[i];
}

static void one(void)
{
	begin();
	wanted = 1;
}

static void two(void)
{
	begin();
	wanted = 2;
}

static void three(void)
{
	begin();
	wanted = 3;
}

/* The first computes until all others have run; the second makes a third, for the ring. */
static void run(struct p *p, struct g *g)
{
	if (g == &gs[0] && wanted > 1)
		while (grt_load(&ran) != wanted - 1)
			model_pause();
	if (g == &gs[1] && wanted == 3) {
		/* as loop.c does when asked to share */
		grt_ready_last(p, &gs[2]);
		CHECK(grt_own_share(p));
		grt_wake_if_idle();
	}
	atomic_fetch_add_explicit(&ran, 1, memory_order_relaxed);
}

static void worker(struct m *m, struct p *p)
{
	kit_begin(m, p);
	for (;;) {
		p = m->held;

		struct g *g = p ? grt_pick(m, p) : NULL;

		if (g)
			run(p, g);
		else if (!p || !grt_own_any(p))
			grt_idle(m);
	}
}

static void worker0(void)
{
	worker(&m0, &p0);
}

static void worker1(void)
{
	worker(&m1, &p1);
}

/* One P, and its M gives it away to block in the kernel, as goru_block_enter does. */
static void one_p(void)
{
	kit_p(&p0, 0, &m0);
	gs[0].sched.sp = &gs[0];
	wanted = 1;
}

static void gives_away(void)
{
	struct m *m = kit_begin(&m0, &p0);

	grt_handoff(m, &p0);
}

static void worker_without(void)
{
	worker(&m1, NULL);
}

static void submit(void)
{
	grt_ready_shared(&gs[0]);
}

static void submit_two(void)
{
	grt_ready_shared(&gs[0]);
	grt_ready_shared(&gs[1]);
}

static void submit_batch(void)
{
	struct glist l = { 0 };

	grt_glist_push(&l, &gs[0]);
	grt_glist_push(&l, &gs[1]);
	grt_ready_batch(NULL, &l);
}

static void check(void)
{
	CHECK(ran == wanted);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "wake/one",
		  one,
		  { worker0, worker1, submit },
		  check,
		  .sleepers = 3,
		  .switches = 1,
		  .old = 1 },
		{ "wake/two",
		  two,
		  { worker0, worker1, submit_two },
		  check,
		  .sleepers = 3,
		  .switches = 1,
		  .old = 1 },
		{ "wake/batch",
		  two,
		  { worker0, worker1, submit_batch },
		  check,
		  .sleepers = 3,
		  .switches = 1,
		  .old = 1 },
		{ "wake/ring",
		  three,
		  { worker0, worker1, submit_two },
		  check,
		  .sleepers = 3,
		  .switches = 1,
		  .old = 1 },
		{ "wake/handoff",
		  one_p,
		  { gives_away, worker_without, submit },
		  check,
		  .sleepers = 2,
		  .switches = 2,
		  .old = 1 },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
