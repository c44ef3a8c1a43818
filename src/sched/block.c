/* block.c - a goroutine without a P: how it gives it away, how it gets one back. */
/* SPDX-License-Identifier: MIT */
#include "sched/block.h"

#include <errno.h>

#include "base/fatal.h"
#include "goru.h"
#include "sched/ready.h"

/* Nobody runs this M's goroutine but this M; no P can be had: the goroutine queues, the M goes idle without one. */
static struct m *queue_for_p(struct m *m, struct g *g)
{
	grt_store(&g->reason, WAIT_P);
	grt_g_set_state(g, G_RUNNABLE);
	grt_ready_shared(g);
	return grt_switch(m, NULL, g, NULL);
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
		return m;
	}
	p = grt_load(&grt_rt.phase) == RT_STOPPING ? NULL : grt_pidle_take(m->oldp);
	if (p)
		grt_give(m, p);
	grt_unlock_busy();
	m->oldp = NULL;
	m->blocked = false;
	if (!p)
		return queue_for_p(m, g);
	return m;
}

/* From here on the goroutine may block its thread. */
static void give_away(struct m *m, struct g *g, struct p *p)
{
	grt_g_set_state(g, G_BLOCKED);
	m->blocked = true;
	m->oldp = p;
	grt_store(&p->syscalltick, grt_load(&p->syscalltick) + 1);
	grt_handoff(m, p);
}

GRT_NOINLINE void grt_block_again(struct m *m)
{
	struct g *g = m->curg;
	struct p *p;

	grt_enter();
	g->flags &= (uint8_t)~G_AGAIN;
	p = g->block_depth ? grt_p_settled(m) : NULL;
	if (p)
		give_away(m, g, p);
	grt_leave(m);
}

GRT_PUBLIC void goru_block_enter(void)
{
	struct m *m = grt_enter();

	if (!m)
		return;

	struct g *g = m->curg;
	struct p *p = g->block_depth++ == 0 ? grt_p_settled(m) : NULL;

	if (p)
		give_away(m, g, p);
	grt_leave(m);
}

GRT_PUBLIC void goru_block_exit(void)
{
	struct m *m = grt_enter();

	if (!m)
		return;

	struct g *g = m->curg;

	if (g->block_depth == 0)
		grt_fatal("goru_block_exit without goru_block_enter in goroutine %llu",
			  (unsigned long long)g->id);
	if (--g->block_depth == 0) {
		if (!grt_p_settled(m))
			m = grt_reacquire(m);
		g->flags &= (uint8_t)~G_AGAIN;
		grt_g_set_state(g, G_RUNNING);
	}
	grt_leave(m);
}

/* errno of the thread that made the call: the caller's compiler may have kept another thread's address of it. */
GRT_PUBLIC GRT_NOINLINE long goru_blocking_result_(long r)
{
	return r == -1 ? -errno : r;
}
