/* handoff.c - a goroutine goes on without its P, and others with the P. */
/* SPDX-License-Identifier: MIT */
/*
 * Who may use a P, and how it comes to another M without anything being lost, is PROTOCOL handshake (rt/self.h) and wake
 * (rt/idle.c). All a P holds goes with it: the lanes, runnext, timers, its turn among the fair. A goroutine without P comes
 * back by sched/block: the P it had or another one if that is idle, else its turn in the shared queue.
 */
#include "rt/handoff.h"

#include "rt/idle.h"
#include "rt/own.h"
#include "rt/self.h"

/* Under rt.lock, which it gives up. p is nobody's, and no m.p names it. */
static void pass_on(struct p *p, bool wanted)
{
	struct m *to = wanted ? grt_midle_pop() : NULL;

	if (to) {
		grt_give(to, p);
	} else {
		grt_own_show_all(p); /* nobody runs it soon, and nobody looks into its lanes */
		grt_pidle_put(p);
		if (wanted)
			grt_store(&grt_rt.want_m, 1);
	}
	grt_unlock_busy();
	if (to) {
		grt_note_wake(to);
		return;
	}
	if (wanted)
		grt_monitor_kick();
	/* the P is idle only now: whoever submitted before may have found none */
	atomic_thread_fence(memory_order_seq_cst); /* wake.F */
	if (grt_work_visible())
		grt_wake_one();
}

/* By its holder. */
static void note_lost(struct p *p)
{
	grt_store(&p->bracket, 0);
	grt_store(&p->syscalltick, grt_load(&p->syscalltick) + 1);
}

void grt_handoff(struct m *m, struct p *p)
{
	grt_spin_lock(&grt_rt.lock);
	grt_store(&m->p, NULL);
	m->held = NULL;
	note_lost(p);

	bool last = grt_load(&grt_rt.npidle) + 1 >= grt_load(&grt_rt.procs) && !grt_rt.keeper;

	pass_on(p, grt_own_any(p) || (last && grt_timers_earliest() != GRT_NEVER) ||
			   grt_load(&p->attention));
}

/* The M is in the program's code: its goroutine is the one that runs there, and neither changes. */
static void mark(struct m *m, struct p *p, enum g_state as)
{
	m->blocked = as == G_BLOCKED;
	m->oldp = p;
	if (grt_load(&m->curg->state) == G_RUNNING) /* else in brackets, and shows it already */
		grt_g_set_state(m->curg, as);
}

enum retake grt_retake(struct m *m, struct p *p, uint64_t tick, bool wanted, enum g_state as)
{
	enum retake rc = RETAKE_NOT;

	grt_spin_lock(&grt_rt.lock);
	if (wanted && !grt_rt.midle) {
		rc = RETAKE_NO_M;
	} else if (grt_load(&p->m) == m && grt_load(&m->p) == p && grt_take(m, p)) {
		grt_rt.nretakes++;
		if (grt_load(&p->schedtick) == tick) {
			mark(m, p, as);
			note_lost(p);
			pass_on(p, wanted);
			return RETAKE_DONE;
		}
		/* it was inside meanwhile and runs another one; nothing of the P was touched, so handshake.C is not needed */
		grt_store(&m->p, p);
	}
	grt_spin_unlock(&grt_rt.lock);
	return rc;
}
