/* switch.c - the rare halves of switching: burying the dead, waiting for registers to be saved. */
/* SPDX-License-Identifier: MIT */
#include "sched/switch.h"

#include "base/fatal.h"
#include "rt/gpool.h"
#include "rt/handoff.h"
#include "rt/idle.h"
#include "sched/next.h"
#include "sched/ready.h"

GRT_NOINLINE void grt_bury(struct m *m)
{
	struct g *g = m->dead;

	m->dead = NULL;
	if (GRT_TSAN_ON)
		grt_tsan_destroy(g->san.fiber);
	if (GRT_ASAN_ON)
		grt_san_fresh(g->stack_lo + grt_stack_guard(g),
			      (size_t)((char *)g - g->stack_lo) - grt_stack_guard(g));
	grt_gpool_put(m->held, g);
}

GRT_COLD struct m *grt_switch_locked(struct m *m, struct p *p, struct g *g)
{
	/* a pthread mutex it may hold: it comes back to this thread */
	grt_unlocked_here("a goroutine is switched out");
	grt_chaos();
	grt_save_thread_state(m, g);
	m->curg = NULL;
	m->held = p;
	if (p)
		grt_handoff(m, p);
	grt_tsan_switch(&m->san);
	grt_san_leave(&g->san, &m->san, false);
	m = grt_arch_switch(&g->lock_at, &m->g0, m);
	grt_san_arrive(&g->san);
	grt_load_thread_state(m, g);
	return m;
}

GRT_COLD bool grt_saved_soon(struct g *g)
{
	if (g->flags & G_LOCKED)
		return false;
	for (int i = 0; i < 1000; i++) {
		if (atomic_load_explicit(&g->sched.sp, memory_order_acquire)) /* gobuf.B */
			return true;
		grt_relax();
	}
	return false;
}

GRT_COLD _Noreturn void grt_left_locked(struct g *g, const char *how)
{
	struct os_mutex x;

	grt_os_mutex_first(&x);
	grt_fatal("%s %s while it holds pthread mutex %p, which its thread locked before %s+%#zx",
		  grt_g_label(g).text, how, x.mutex, x.file, (size_t)x.offset);
}

GRT_COLD struct g *grt_next_unsaved(struct p *p, struct g *g)
{
	if (g->flags & G_LOCKED)
		grt_store(&p->runnext,
			  g); /* empty: g was the first. The loop hands p to its thread */
	else
		grt_ready_last(p, g);
	return NULL;
}
