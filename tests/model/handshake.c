/* handshake.c - the monitor takes a P from an M that does not use it: never while it does, and nothing is lost. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

#include "rt/own.h"
#include "sched/ready.h"
#include "sched/block.h"

static struct m m0;
static struct p p0;
static struct g gs[3];
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
}

/* What a call does with its P: plain words of it, runnext, the lanes. */
static void use(struct p *p, struct g *g)
{
	CHECK(p == &p0);
	p->to_fair++;
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
	CHECK(p0.to_fair == 1000u + (unsigned)used);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "handshake/calls", begin, { calls, rescue }, check },
		{ "handshake/calls2", begin, { calls, rescues }, check, .switches = 4, .old = 3 },
		{ "handshake/wait", begin, { calls_that_wait, rescue }, check },
		{ "handshake/block", begin, { blocks, rescue }, check },
		{ "handshake/fence", begin_fence, { calls, rescues }, check },
		{ "handshake/fence-wait", begin_fence, { calls_that_wait, rescues }, check },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
