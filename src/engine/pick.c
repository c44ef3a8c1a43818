/* pick.c - where an M looks for the next goroutine. */
/* SPDX-License-Identifier: MIT */
#include "engine/pick.h"

#include <sched.h>

#include "base/rand.h"
#include "os/os.h"
#include "sched/next.h"
#include "sched/ready.h"

enum { STEAL_ROUNDS = 4 };

static void expire(struct p *from, struct p *to, int64_t now)
{
	struct glist due = { 0 };

	grt_timers_expire(&from->timers, now, &due);
	grt_ready_batch(to, &due);
}

void grt_pick_timers(struct p *p)
{
	int64_t first = grt_timers_first(&p->timers);

	if (first == GRT_NEVER)
		return; /* no clock read without timers */

	int64_t now = grt_os_now();

	if (first <= now)
		expire(p, p, now);
}

/* A share of the shared queue: one to run, the rest into p's ring, where thieves find them. */
static struct g *from_injq(struct p *p, uint32_t max)
{
	uint32_t n = grt_injq_len(&grt_rt.injq);
	struct glist some = { 0 };
	struct g *g;

	if (!n)
		return NULL;
	n = n / grt_load(&grt_rt.procs) + 1;
	n = n > max ? max : n;
	grt_injq_take(&grt_rt.injq, n, &some);
	g = grt_glist_pop(&some);
	if (some.n)
		grt_ready_batch(p, &some);
	return g;
}

static struct g *from_own(struct p *p)
{
	struct g *g = grt_load(&p->runnext);

	if (g) {
		grt_store(&p->runnext, NULL);
		return g;
	}
	p->to_ring = RING_EVERY;
	return grt_runq_pop(&p->runq);
}

/* Each other P once, in an order that differs each time: a random start and a random stride without common factor. */
static struct g *steal_round(struct p *p, bool timers_too)
{
	uint32_t n = atomic_load_explicit(&grt_rt.nallp, memory_order_acquire); /* allp.B */
	uint32_t at = grt_rand_below(&p->rand, n), stride = 1 + grt_rand_below(&p->rand, n);

	for (uint32_t a = n, b = stride; b;) { /* greatest common divisor; not 1: the plain order */
		uint32_t r = a % b;

		a = b;
		b = r;
		if (!b && a != 1)
			stride = 1;
	}
	for (uint32_t i = 0; i < n; i++, at = (at + stride) % n) {
		struct p *from = grt_load(&grt_rt.allp[at]);
		struct g *g = from == p ? NULL : grt_runq_steal(&p->runq, &from->runq);

		if (g)
			return g;
		if (timers_too && from != p) {
			int64_t first = grt_timers_first(&from->timers), now;

			if (first == GRT_NEVER || first > (now = grt_os_now()))
				continue;
			expire(from, p, now);
			g = from_own(p);
			if (g)
				return g;
		}
	}
	return NULL;
}

/* Few spin: as many as half of those that work. More would only fight over the same queues. */
static bool may_spin(struct m *m)
{
	uint32_t busy = grt_load(&grt_rt.procs) - grt_load(&grt_rt.npidle);

	if (m->spinning)
		return true;
	if (2 * grt_load(&grt_rt.nmspinning) >= busy)
		return false;
	m->spinning = true;
	atomic_fetch_add_explicit(&grt_rt.nmspinning, 1, memory_order_relaxed);
	return true;
}

static struct g *from_others(struct m *m, struct p *p)
{
	if (atomic_load_explicit(&grt_rt.nallp, memory_order_acquire) == 1 ||
	    !may_spin(m)) /* allp.B */
		return NULL;
	for (int round = 1; round <= STEAL_ROUNDS; round++) {
		struct g *g = steal_round(p, round == STEAL_ROUNDS);

		if (g)
			return g;
		if (grt_injq_len(&grt_rt.injq))
			return from_injq(p, GRT_RUNQ_LEN / 2);
	}
	return NULL;
}

static struct g *find(struct m *m, struct p *p)
{
	struct g *g;

	grt_pick_timers(p);
	if (p->to_injq == 0) {
		p->to_injq = INJQ_EVERY;
		g = from_injq(p, 1);
		if (g)
			return g;
	}
	g = from_own(p);
	if (!g)
		g = from_injq(p, GRT_RUNQ_LEN / 2);
	if (!g)
		g = from_others(m, p);
	return g;
}

struct g *grt_pick(struct m *m, struct p *p)
{
	struct g *g = find(m, p);

	if (g && m->spinning)
		grt_spin_end(m);
	if (!g || grt_saved(g))
		return g;
	/* its M was preempted in the middle of its switch: others first, and the CPU to that M */
	grt_ready_shared(g);
	sched_yield();
	return NULL;
}
