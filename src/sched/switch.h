/* switch.h - the one place where a goroutine leaves a stack for another, and where the tools are told. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_SWITCH_H
#define GRT_SCHED_SWITCH_H

#include "os/os.h"
#include "rt/self.h"

/* Gives the goroutine that exit left behind to the pool; on the next stack that runs on m. */
void grt_bury(struct m *m);

/* Looks until g's registers are saved, for a moment: false if its M seems to be preempted in the middle of its switch, or
 * only another thread may run it. */
bool grt_saved_soon(struct g *g);

/* Is g's stack free to be run on? It may have been queued by its waker a few instructions before its switch is over. */
GRT_INLINE bool grt_saved(struct g *g)
{
	return GRT_LIKELY(atomic_load_explicit(&g->sched.sp, memory_order_acquire)) || /* gobuf.B */
	       grt_saved_soon(g);
}

/* g leaves its thread and has a pthread mutex locked, which belongs to the thread. */
_Noreturn void grt_left_locked(struct g *g, const char *how);

GRT_INLINE void grt_check_unlocked(struct g *g, const char *how)
{
	if (GRT_CHECKS_ON && GRT_UNLIKELY(grt_os_mutex_held()))
		grt_left_locked(g, how);
}

/* What belongs to the goroutine but lives with the thread. */
GRT_INLINE void grt_save_thread_state(struct m *m, struct g *g)
{
	g->saved_errno = *m->errno_at;
	if (GRT_UNLIKELY(m->eh_at)) {
		g->saved_eh[0] = m->eh_at[0];
		g->saved_eh[1] = m->eh_at[1];
	}
}

GRT_INLINE void grt_load_thread_state(struct m *m, struct g *g)
{
	*m->errno_at = g->saved_errno;
	if (GRT_UNLIKELY(m->eh_at)) {
		m->eh_at[0] = g->saved_eh[0];
		m->eh_at[1] = g->saved_eh[1];
	}
}

GRT_INLINE void grt_note_run(struct p *p, struct g *g)
{
	grt_store(&p->schedtick, grt_load(&p->schedtick) + 1);
	grt_g_set_state(g, G_RUNNING);
}

/*
 * From goroutine g, which is queued or waiting already, to next, or to m's loop when next is NULL. Returns when g runs
 * again, with the M it runs on then: nothing that was read from the old M or its P is valid any more. Inlined into the
 * exported function, so that one return is mispredicted, not several.
 */
GRT_INLINE struct m *grt_switch(struct m *m, struct p *p, struct g *g, struct g *next)
{
	struct gobuf *to = &m->g0;
	struct san_stack *to_san = &m->san;

	grt_check_unlocked(g, "waits");
	grt_unlocked_here("a goroutine is switched out");
	grt_chaos(); /* g may be on another M's list already */
	grt_save_thread_state(m, g);
	m->curg = next;
	m->held = p;
	GRT_ASSERT(!(g->flags & G_LOCKED));
	if (GRT_LIKELY(next)) {
		grt_note_run(p, next);
		to = &next->sched;
		to_san = &next->san;
	}
	grt_tsan_switch(to_san);
	grt_san_leave(&g->san, to_san, false);
	m = grt_arch_switch(&g->sched, to, m);
	grt_san_arrive(&g->san);
	if (GRT_UNLIKELY(m->dead))
		grt_bury(m);
	grt_load_thread_state(m, g);
	return m;
}

/* From g, which is queued or waiting already and locked to m, to m's loop; p, if not NULL, goes to another M. */
struct m *grt_switch_locked(struct m *m, struct p *p, struct g *g);

#endif
