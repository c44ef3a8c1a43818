/* block.c - a goroutine without a P: how it gives it away, how it gets one back. */
/* SPDX-License-Identifier: MIT */
#include "sched/block.h"

#include <errno.h>

#include "base/fatal.h"
#include "goru.h"
#include "rt/handoff.h"
#include "sched/ready.h"

/* Nobody runs this M's goroutine but this M; no P can be had: the goroutine queues, the M goes idle without one. */
static struct m *queue_for_p(struct m *m, struct g *g)
{
	grt_store(&g->reason, WAIT_P);
	grt_g_set_state(g, G_RUNNABLE);
	grt_ready_shared(g);
	if (g->flags & G_LOCKED)
		return grt_switch_locked(m, NULL, g);
	return grt_switch(m, NULL, g, NULL);
}

/* It has a P again. */
static void unblocked(struct g *g)
{
	enum g_state s = grt_load(&g->state);

	if (s == G_BLOCKED || s == G_NO_P)
		grt_g_set_state(g, G_RUNNING);
}

/* Something was asked of p meanwhile, a stop for instance. */
static GRT_NOINLINE struct m *give_way(struct m *m, struct g *g, struct p *p)
{
	grt_g_set_state(g, G_RUNNABLE);
	grt_ready_last(p, g);
	if (g->flags & G_LOCKED)
		return grt_switch_locked(m, p, g);
	return grt_switch(m, p, g, NULL);
}

/* Under rt.lock, which it gives up. An idle P for m's goroutine, the one it had if it can be; NULL: none. */
static struct p *idle_p(struct m *m)
{
	struct p *p = grt_load(&grt_rt.phase) == RT_STOPPING ? NULL : grt_pidle_take(m->oldp);

	if (p) {
		grt_give(m, p);
		if (m->curg->flags & G_LOCKED)
			p->to_loop = 0; /* PROTOCOL locked */
		m->blocked = false;
		m->oldp = NULL;
		grt_note_run(p, m->curg); /* a stretch of its own, for who watches */
	}
	grt_unlock_busy();
	return p;
}

GRT_NOINLINE struct m *grt_reacquire(struct m *m)
{
	struct g *g = m->curg;
	struct p *p;

	if (g->block_depth)
		g->flags |= G_AGAIN;
	grt_spin_lock(&grt_rt.lock);
	p = grt_load(&m->p); /* the monitor may just have given it back */
	if (p) {
		m->held = p;
		grt_spin_unlock(&grt_rt.lock);
		unblocked(g);
		return m;
	}
	if (idle_p(m))
		return m;
	m->oldp = NULL;
	m->blocked = false;
	return queue_for_p(m, g);
}

GRT_NOINLINE struct p *grt_reacquire_idle(struct m *m)
{
	struct p *p;

	if (m->curg->block_depth || !grt_load(&grt_rt.npidle))
		return NULL;
	grt_spin_lock(&grt_rt.lock);
	p = grt_load(&m->p);
	if (!p)
		return idle_p(m);
	grt_spin_unlock(&grt_rt.lock);
	return p;
}

/* Would anyone use p at once? What is due later, or comes up later, the monitor sees: it takes p then. */
static bool wanted(struct p *p)
{
	return grt_own_any(p) || grt_injq_len(&grt_rt.injq) || grt_load(&p->attention);
}

/* From here on the goroutine may block its thread. */
static void brackets(struct m *m, struct g *g, struct p *p)
{
	grt_g_set_state(g, G_BLOCKED);
	if (!p) {
		m->blocked = true; /* it had lost its P before */
	} else if (wanted(p)) {
		m->blocked = true;
		m->oldp = p;
		grt_handoff(m, p);
	} else {
		grt_store(&p->bracket, grt_bracket(grt_load(&p->schedtick)));
	}
}

GRT_NOINLINE void grt_block_again(struct m *m)
{
	struct g *g = m->curg;

	grt_enter();
	g->flags &= ~(uint32_t)G_AGAIN;
	if (g->block_depth)
		brackets(m, g, grt_p_settled(m));
	grt_leave(m);
}

GRT_PUBLIC void goru_block_enter(void)
{
	struct m *m = grt_enter();

	if (!m) {
		grt_not_forked();
		return;
	}

	struct g *g = m->curg;

	if (g->block_depth++ == 0)
		brackets(m, g, grt_p_settled(m));
	grt_leave(m);
}

GRT_PUBLIC void goru_block_exit(void)
{
	struct m *m = grt_enter();

	if (!m) /* also the child of a fork that was made in brackets */
		return;

	struct g *g = m->curg;

	if (g->block_depth == 0)
		grt_fatal("goru_block_exit without goru_block_enter, by %s", grt_g_label(g).text);
	if (--g->block_depth == 0) {
		struct p *p = grt_p_settled(m);

		if (p) {
			grt_store(&p->bracket, 0);
			unblocked(g);
			if (GRT_UNLIKELY(grt_load(&p->attention)))
				m = give_way(m, g, p);
		} else {
			m = grt_reacquire(m);
		}
		g->flags &= ~(uint32_t)G_AGAIN;
	}
	grt_leave(m);
}

/* errno of the thread that made the call: the caller's compiler may have kept another thread's address of it. */
GRT_PUBLIC GRT_NOINLINE long goru_blocking_result_(long r)
{
	return r == -1 ? -errno : r;
}
