/* note.c - an M that is given a P wakes, and sees what it was given. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

static struct m m0;
static struct p p0, p1;
static int woken, given;

static void without_p(void)
{
	kit_p(&p0, 0, NULL);
	kit_p(&p1, 1, NULL);
}

/* As grt_handoff does, but for its look at the queues: one thread less to think of. */
static void put(struct m *m)
{
	struct p *p = m->held;

	CHECK(p && p->runnext == NULL);
	p->rand++;
	grt_spin_lock(&grt_rt.lock);
	grt_store(&m->p, NULL);
	m->held = NULL;
	grt_pidle_put(p);
	grt_spin_unlock(&grt_rt.lock);
}

static void sleeper(void)
{
	struct m *m = kit_begin(&m0, NULL);

	for (int i = 0; i < 2; i++) {
		CHECK(grt_idle(m));
		woken++;
		put(m);
	}
}

static bool wake(void)
{
	grt_spin_lock(&grt_rt.lock);

	struct m *m = grt_midle_pop();

	if (m)
		grt_give(m, grt_pidle_take(NULL));
	grt_spin_unlock(&grt_rt.lock);
	if (!m)
		return false;
	given++;
	grt_note_wake(m);
	return true;
}

static void waker(void)
{
	for (int i = 0; i < 3; i++)
		wake();
}

static void check(void)
{
	CHECK(woken == given);
}

/* The keeper: its deadline comes as it is woken, or not. */
static struct g *g;

static void nothing(void *word)
{
	(void)word;
}

static void with_timer(void)
{
	kit_p(&p0, 0, &m0);
	g = kit_g(nothing);
	grt_store(&g->claim, 8);
	grt_timers_add(&p0.timers, model_now + 1, g, 8);
}

static void keeper(void)
{
	struct m *m = kit_begin(&m0, &p0);

	CHECK(grt_idle(m));
	CHECK(m->held == &p0);
	woken++;
	p0.rand++;
}

static void wake_keeper(void)
{
	wake();
}

static void check_keeper(void)
{
	CHECK(woken == 1 && !grt_rt.midle && !m0.note);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "note/wake", without_p, { sleeper, waker }, check, .sleepers = 1 },
		{ "note/keeper", with_timer, { keeper, wake_keeper }, check_keeper },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
