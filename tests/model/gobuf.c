/* gobuf.c - a goroutine is queued before it has left its stack: whoever takes it runs it only when its words are there. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

#include "sched/ready.h"

#include "goru.h"

static struct m m0, m1;
static struct p p0, p1;
static struct g *first, *others[2];
static int ended[3], before;

/* On M 0 first, which goes on with one of the others. Its place in the ring, behind the other one, shows it to M 1 while it
 * still runs here. */
static void yields(void *word)
{
	volatile int mine = 17;

	(void)word;
	before = 18;
	goru_yield();
	CHECK(mine == 17 && before == 18);
	CHECK(grt_arch_self()->curg == first);
	ended[0]++;
	kit_end();
}

static void other(void *word)
{
	(void)word;
	ended[grt_arch_self()->curg == others[0] ? 1 : 2]++;
	kit_end();
}

static void begin(void)
{
	kit_p(&p0, 0, &m0);
	kit_p(&p1, 1, &m1);
	first = kit_g(yields);
	for (int i = 0; i < 2; i++) {
		others[i] = kit_g(other);
		grt_runq_push(&p0.runq, others[i]);
	}
}

static void run(struct m *m, struct p *p, struct g *g)
{
	if (!g)
		return;
	if (grt_saved(g))
		grt_run(m, p, g);
	else
		grt_ready_shared(g);
}

static void own(void)
{
	struct m *m = kit_begin(&m0, &p0);

	grt_run(m, &p0, first);
	/* in the lane if M 1 took both of the others meanwhile */
	run(m, &p0, grt_own_next(&p0));
	run(m, &p0, grt_own_next(&p0));
}

static void thief(void)
{
	struct m *m = kit_begin(&m1, &p1);

	run(m, &p1, grt_runq_steal(&p1.runq, &p0.runq));
	run(m, &p1, grt_runq_steal(&p1.runq, &p0.runq));
}

/* What nobody could run yet is left in a queue, and in one place only. */
static void check(void)
{
	int left[3] = { 0, 0, 0 };
	struct g *g;

	while ((g = grt_own_next(&p0)) || (g = grt_own_next(&p1)) || (g = kit_injq_pop()))
		left[g == first ? 0 : g == others[0] ? 1 : 2]++;
	for (int i = 0; i < 3; i++)
		CHECK(ended[i] + left[i] == 1);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "gobuf/yield-steal", begin, { own, thief }, check },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
