/* locked.c - a goroutine locked to its thread: how its P leaves it and comes back. */
/* SPDX-License-Identifier: MIT */
#include "sched/locked.h"

#include <sched.h>

#include "base/chaos.h"
#include "rt/handoff.h"
#include "rt/idle.h"
#include "sched/ready.h"

void grt_locked_start(struct m *m, struct p *p, struct g *g)
{
	struct m *to = g->lockm;
	bool waits;

	grt_spin_lock(&grt_rt.lock);
	waits = to->lock_waits;
	if (waits) {
		to->lock_waits = false;
		grt_rt.nm_lock_waits--;
		grt_store(&m->p, NULL);
		m->held = NULL;
		grt_give(to, p);
	}
	grt_spin_unlock(&grt_rt.lock);
	if (waits) {
		grt_note_wake(to);
		return;
	}
	grt_ready_shared(g);
	sched_yield();
}

/* False: it was not to sleep. */
static bool sleeps(struct m *m)
{
	grt_chaos();
	grt_spin_lock(&grt_rt.lock);
	if (m->lock_ended || grt_load(&grt_rt.phase) == RT_STOPPING) {
		grt_spin_unlock(&grt_rt.lock);
		return false;
	}
	m->lock_waits = true;
	grt_rt.nm_lock_waits++;
	grt_unlock_busy(); /* all may be asleep only now: a deadlock, perhaps */
	grt_chaos();
	grt_note_sleep(m, GRT_NEVER);
	return true;
}

bool grt_locked_wait(struct m *m)
{
	struct g *g = m->lockg;
	struct p *p;

	for (;;) {
		if (!sleeps(m))
			return false;
		p = m->held;
		if (!p)
			return false; /* shutdown */
		if (!(grt_load(&p->attention) & (ATT_STOP | ATT_RETIRE)))
			break;
		/* nobody is to run on this P: as in the loop */
		grt_ready_shared(g);
		grt_handoff(m, p);
	}
	p->to_loop = 0;
	g->sched.pc = g->lock_at.pc;
	g->sched.bp = g->lock_at.bp;
	g->sched.bx = g->lock_at.bx;
	grt_store(&g->sched.sp, grt_load(&g->lock_at.sp));
	grt_store(&g->lock_at.sp, NULL);
	return true;
}

void grt_locked_end(struct m *m, struct g *g)
{
	struct p *p = grt_p_settled(m);

	g->flags &= ~(uint32_t)G_LOCKED;
	g->lockm = NULL;
	m->lock_ended = true;
	if (p)
		grt_handoff(m, p);
}

void grt_locked_wake_all(void)
{
	grt_spin_lock(&grt_rt.lock);
	for (struct m *m = grt_rt.allm; m; m = m->alllink) {
		if (!m->lock_waits)
			continue;
		m->lock_waits = false;
		grt_rt.nm_lock_waits--;
		grt_note_wake(m);
	}
	grt_spin_unlock(&grt_rt.lock);
}
