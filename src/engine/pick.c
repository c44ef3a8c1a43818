/* pick.c - where an M looks for the next goroutine. */
/* SPDX-License-Identifier: MIT */
#include "engine/pick.h"

#include <sched.h>

#include "base/rand.h"
#include "os/os.h"
#include "engine/fire.h"
#include "engine/watch.h"
#include "rt/own.h"
#include "sched/next.h"
#include "sched/ready.h"

enum {
	MOST = 128, /* taken from the shared queue at once */
	/* timers, at one look: their goroutines' first lines fit the first cache */
	EXPIRE_MAX = GRT_DUE_MAX,
	US = 1000,
	WORTH = 50 *
		US, /* what a search found was worth waking for if it lasts as long as the search may */
	SEARCH = 50 * US, /* so long goes the search of one who found nothing */
	LOOK = 20 * US, /* so often at most, about, a P looks at the clock for its timers: 40 ns */
	FAR = 100 * 1000 * US, /* a timer as far as this may be as far as it likes */
};

/* The models look less often: time stands still there. */
#ifndef GRT_SEARCH_ROUNDS
#define GRT_SEARCH_ROUNDS 1000
#endif

/*
 * g will run soon, and slept long enough to be in no cache: its top frame and the frames of its next calls. A miss of
 * these costs more than all that is done for a sleep, and here the misses of many overlap.
 */
static void warm(struct g *g)
{
	uintptr_t sp = (uintptr_t)grt_load(&g->sched.sp); /* 0: not saved yet */

	for (uintptr_t at = sp - 3 * GRT_CACHELINE, n = 6; n--; at += GRT_CACHELINE)
		__builtin_prefetch((void *)at, 1);
}

/* No more than fit the first cache: the others are found where they are at the next look, by this P or by one that has
 * nothing else to do. */
static void expire(struct p *from, struct p *to, int64_t now, bool jump)
{
	struct glist due = { 0 };
	struct due_alarms alarms;

	alarms.n = 0;
	/* the late ones are only counted */
	if (grt_timers_first(&from->timers) <= now - GRT_TIMER_LATE) {
		grt_timers_expire(&from->timers, now - GRT_TIMER_LATE, EXPIRE_MAX, &due, &alarms);
		to->ntimer_late += due.n;
	}
	if (due.n + alarms.n < EXPIRE_MAX)
		grt_timers_expire(&from->timers, now, EXPIRE_MAX - due.n - alarms.n, &due, &alarms);
	to->ntimer_fires += due.n;
	for (struct g *g = due.head; g; g = g->schedlink)
		warm(g);
	if (alarms.n) {
		to->ntimer_fires += grt_fire(to, &alarms, now, &due);
		grt_timers_return(&from->timers, &alarms);
		/* it has retired meanwhile; or it does so now, and moves them itself (engine/loop.c) */
		if (grt_load(&from->status) == P_DEAD)
			grt_timers_move(&grt_load(&grt_rt.allp[0])->timers, &from->timers);
	}
	if (!due.n)
		return;

	bool behind = due.n > jump;

	if (jump)
		grt_ready_batch_next(to, &due);
	else
		grt_ready_batch(to, &due);
	if (behind)
		to->due_end = grt_load(&to->woken.tail);
}

/* For a pick that goes over the loop: has the turn of those come who wait elsewhere? */
static bool turn_comes(struct p *p)
{
	bool comes = false;

	if (!p->to_loop) {
		comes = p->to_fair <= 1;
		p->to_loop = comes ? FAIR_EVERY : p->to_fair - 1;
		p->to_fair = 0;
	}
	return comes;
}

/*
 * Picks that do not go over the loop see no timer. So the next one that does comes after as many as took half the time to
 * the first one lately, or LOOK: where goroutines run for longer, each one does. They are not all alike, so it rises by
 * steps. Without timers the clock is not read, and it rises, too: who has just been woken may sleep again.
 */
static void pace(struct p *p, int64_t now, uint32_t picks)
{
	int64_t first = grt_timers_first(&p->timers), took = now - p->looked_at;
	int64_t wait = first == GRT_NEVER ? LOOK : (first - now) / 2;
	uint64_t n = FAIR_EVERY;

	p->looked_at = now;
	wait = wait < LOOK ? LOOK : wait < FAR ? wait : FAR;
	if (took > 0)
		n = (uint64_t)picks * (uint64_t)wait / (uint64_t)took;
	p->pace = n < 2 * p->pace ? (uint32_t)n : 2 * p->pace;
}

/* The pick that goes over the loop next is that one, unless the others' turn comes before. */
static void look_again(struct p *p)
{
	uint32_t left = p->to_loop + p->to_fair, n;

	p->pace = p->pace < 1 ? 1 : p->pace < FAIR_EVERY ? p->pace : FAIR_EVERY;
	n = p->pace - 1;
	p->to_loop = n < left ? n : left;
	p->to_fair = left - p->to_loop;
	p->left_then = left;
}

/* turn: another one goes first now, whose turn it is. */
static void look_at_timers(struct p *p, uint32_t picks, bool turn)
{
	int64_t first = grt_timers_first(&p->timers);

	if (first == GRT_NEVER) {
		p->pace *= 2;
		return;
	}

	int64_t now = grt_os_now();

	/* who is due goes first, unless others were before him that still wait or may go before him now; not always, others
	 * have to get on, too */
	p->jumped = first <= now && !p->jumped && !turn &&
		    (int32_t)(grt_load(&p->woken.head) - p->due_end) >= 0;
	if (first <= now)
		expire(p, p, now, p->jumped);
	pace(p, now, picks);
}

/* Due timers; has the turn of those come who wait elsewhere? */
static bool look_around(struct p *p)
{
	uint32_t picks = p->left_then + 1 - (p->to_loop + p->to_fair);
	bool turn = turn_comes(p);

	look_at_timers(p, picks, turn || p->oldest_due);
	look_again(p);
	return turn;
}

/* Into the ring, where thieves find them without having to ask. */
static void show(struct p *p, struct glist *batch)
{
	struct g *g;

	grt_store(&p->ring_trees, false);
	while ((g = grt_glist_pop(batch)))
		if (GRT_UNLIKELY(!grt_runq_push(&p->runq, g)))
			grt_injq_push(&grt_rt.injq, g);
	grt_wake_if_idle();
}

/* A share of the shared queue: one to run, the rest for p and others. */
static struct g *from_injq(struct p *p)
{
	uint32_t n = grt_injq_len(&grt_rt.injq);
	struct glist some = { 0 };
	struct g *g;

	if (!n)
		return NULL;
	n = n / grt_load(&grt_rt.procs) + 1;
	grt_injq_take(&grt_rt.injq, n < MOST ? n : MOST, &some);
	g = grt_glist_pop(&some);
	if (some.n)
		show(p, &some);
	return g;
}

/* Its turn has come although p has work: as many as would have run meanwhile, behind those. */
static struct g *fair_injq(struct p *p)
{
	struct glist some = { 0 };
	struct g *g;

	if (!grt_injq_len(&grt_rt.injq))
		return NULL;
	grt_injq_take(&grt_rt.injq, FAIR_EVERY, &some);
	g = grt_glist_pop(&some);
	grt_ready_moved(p, &some);
	return g;
}

/* The newest: a tree under way goes on and no other is begun. Without any, a tree that was shared and not taken. */
static struct g *fair_spawned(struct p *p)
{
	struct g *g = grt_lane_newest(&p->spawned);

	return !g && grt_load(&p->ring_trees) ? grt_runq_pop(&p->runq) : g;
}

/* Those who may have to wait while newer ones keep coming; the shared queue every other time: it is everybody's. Not the
 * oldest of the spawned: to begin a tree's next big branch each time would fill the memory with trees half done. They
 * have their turn when the monitor says so. */
static struct g *fair(struct p *p)
{
	struct g *g = NULL;

	for (int i = 0; !g && i < 6; i++) {
		uint32_t turn = p->turn++ % 6;

		if (turn % 2 == 0)
			g = fair_injq(p);
		else if (turn == 1)
			g = grt_lane_oldest(&p->woken);
		else if (turn == 5)
			g = fair_spawned(p);
		else if (!grt_load(&p->ring_trees))
			g = grt_runq_pop(&p->runq);
	}
	return g;
}

static struct g *oldest_spawned(struct p *p)
{
	struct g *g = grt_load(&p->ring_trees) ? grt_runq_pop(&p->runq) : NULL;

	return g ? g : grt_lane_oldest(&p->spawned);
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
		uint32_t had = grt_load(&p->runq.tail);
		struct g *g = from == p ? NULL : grt_runq_steal(&p->runq, &from->runq);

		if (g) {
			p->nsteals++;
			p->nstolen += grt_load(&p->runq.tail) - had + 1;
			grt_store(&p->ring_trees, grt_load(&from->ring_trees));
			return g;
		}
		if (timers_too && from != p) {
			int64_t first = grt_timers_first(&from->timers), now;

			if (first == GRT_NEVER || first > (now = grt_os_now()))
				continue;
			expire(from, p, now, false);
			g = grt_own_next(p);
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

/* Does any P run goroutines? Those of Ms that search do not. */
static bool others_busy(void)
{
	return grt_load(&grt_rt.procs) > grt_load(&grt_rt.npidle) + grt_load(&grt_rt.nmspinning);
}

/* More workers than CPUs: whoever has the work may be waiting for this CPU. */
static void pause_between(bool in_the_way)
{
	if (in_the_way || grt_load(&grt_rt.procs) > grt_load(&grt_rt.cpus))
		sched_yield();
	else
		for (int i = 0; i < 16; i++)
			grt_relax();
}

/* Everything that others have made visible. */
static struct g *from_visible(struct p *p, bool timers_too)
{
	struct g *g = steal_round(p, timers_too);

	if (!g && grt_injq_len(&grt_rt.injq))
		g = from_injq(p);
	return g;
}

/*
 * Looks for work for about as long as sleeping and being woken takes, while others are busy who may have some: first in
 * what is visible, and asks for a share of what a P keeps to itself once it has waited for OLD.
 */
static struct g *from_others(struct m *m, struct p *p)
{
	struct watch w = { 0 };
	bool sent = m->spinning; /* woken to look, and nothing found yet */
	int64_t now, until;
	struct g *g;

	if (atomic_load_explicit(&grt_rt.nallp, memory_order_acquire) == 1 ||
	    !may_spin(m)) /* allp.B */
		return NULL;
	now = grt_os_now();
	m->useful = !sent && (!m->found_at || now - m->found_at >= WORTH);
	m->found_at = 0;
	until = now + SEARCH;
	for (int round = 0; round < GRT_SEARCH_ROUNDS; round++) {
		g = from_visible(p, false);
		if (g) {
			m->found_at = now;
			return g;
		}
		/* not in the middle of a watch: what it watches may be all that its P will queue for long */
		if ((now >= until && (!w.at || w.since >= until)) || !others_busy())
			break;
		pause_between(grt_watch(&w, p, now));
		now = grt_os_now();
	}
	return from_visible(p, true);
}

static struct g *find(struct m *m, struct p *p)
{
	bool turn = look_around(p);
	struct g *g;

	if (GRT_UNLIKELY(p->oldest_due)) {
		p->oldest_due = false;
		g = oldest_spawned(p);
		if (g)
			return g;
	}
	if (turn) {
		g = fair(p);
		if (g)
			return g;
	}
	g = grt_own_next(p);
	if (!g)
		g = from_injq(p);
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
	if (g->flags & G_LOCKED) {
		grt_locked_start(m, p, g);
		return NULL;
	}
	/* its M was preempted in the middle of its switch: others first, and the CPU to that M */
	grt_ready_shared(g);
	sched_yield();
	return NULL;
}
