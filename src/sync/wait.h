/* wait.h - how goroutines and plain threads wait on an object, and are woken from it. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_WAIT_H
#define GRT_SYNC_WAIT_H

#include <errno.h>

#include "os/os.h"
#include "part/scope.h"
#include "part/waiter.h"
#include "sched/block.h"
#include "sched/park.h"
#include "sched/ready.h"

/*
 * The short paths. A public call that neither waits nor meets anything unusual needs no frame and saves no register, if
 * whatever it calls it calls last. So these ask instead of calling, and the caller passes the rest to a function of its
 * own that does it the long way.
 */

/* grt_enter and grt_p_of for a goroutine that has its P and need not look closer, nor ask its scope; else false, and
 * outside again: the long way enters by itself. */
GRT_INLINE bool grt_enter_short(struct m **m, struct p **p)
{
	*m = grt_arch_self();
	if (GRT_UNLIKELY(!*m || (*m)->curg->scoped))
		return false;
	GRT_ASSERT(!grt_load(&(*m)->in_rt)); /* as in grt_enter */
	grt_chaos();
	grt_store(&(*m)->in_rt, 1);
	grt_compiler_barrier();
	grt_chaos();
	*p = NULL;
	if (GRT_LIKELY(!grt_load(&grt_rt.enter_flags)))
		*p = grt_p_of(*m);
	if (GRT_LIKELY(*p != NULL))
		return true;
	grt_leave(*m);
	return false;
}

/* grt_waiter_ready where that is a store: w is a goroutine's, and nobody is displaced. Else false, and nothing done. */
GRT_INLINE bool grt_ready_short(struct p *p, struct waiter *w)
{
	struct g *g = w->g;

	if (GRT_UNLIKELY(!g || grt_load(&p->runnext)))
		return false;
	grt_g_set_state(g, G_RUNNABLE);
	grt_chaos();
	grt_store(&p->runnext, g);
	return true;
}

/* First of all in a call that may wait, outside: PROTOCOL scope. */
GRT_INLINE bool grt_scoped(void)
{
	struct m *m = grt_arch_self();

	if (GRT_LIKELY(m))
		return m->curg->scoped;
	grt_not_forked();
	return false;
}

/* What scopes say to it: 0, -ECANCELED, -ETIMEDOUT. */
GRT_INLINE int grt_scoped_ask(void)
{
	return GRT_LIKELY(!grt_scoped()) ? 0 : grt_scope_ask(grt_arch_self()->curg->scope);
}

/* Begins the wait of g (NULL: of the calling plain thread). Sets only what a waiter needs: a park is short, and clearing
 * the rest of it on the stack would be a good part of it. */
GRT_INLINE void grt_wait_begin(struct waiter *w, struct g *g, enum wait_kind kind,
			       struct wnode *nodes, int n)
{
	w->kind = (uint8_t)kind;
	w->nnodes = (uint16_t)n;
	w->nodes = nodes;
	w->won = -1;
	grt_waiter_begin(w, g);
	if (GRT_LIKELY(g))
		grt_g_set_state(g, G_WAITING); /* before anyone can make it runnable */
}

/* m's goroutine, which the compiler is told is one. */
GRT_INLINE struct g *grt_g_of(struct m *m)
{
	struct g *g = m->curg;

	if (!g)
		__builtin_unreachable();
	return g;
}

GRT_INLINE void grt_wnode_init(struct wnode *n, struct waiter *w, void *obj, void *elem, int index,
			       bool send)
{
	n->w = w;
	n->elem = elem;
	n->obj = obj;
	n->index = (uint16_t)index;
	n->send = send;
	n->queued = false;
	n->closed = false;
}

/* grt_wait_arm of a goroutine in a scope. */
int grt_wait_arm_scoped(struct p *p, struct waiter *w, int64_t deadline);

/* Under the object's lock, before the waiter is queued: its wait may also end by a deadline, and by scopes. -ENOMEM, or
 * what a scope that ended meanwhile says: it does not wait. A plain thread keeps its own time. */
GRT_INLINE int grt_wait_arm(struct p *p, struct waiter *w, int64_t deadline)
{
	if (GRT_UNLIKELY(w->g && w->g->scoped))
		return grt_wait_arm_scoped(p, w, deadline);
	if (GRT_LIKELY(deadline == INT64_MAX || !w->g))
		return 0;
	w->shared = true;

	int rc = grt_timers_add(&p->timers, deadline, w->g, w->open);

	if (rc >= 0)
		return 0;
	grt_g_set_state(w->g, G_RUNNING);
	return rc;
}

/* The wait of g, which calls, until it has ended; holds no lock. *m and *p are brought up to date. */
GRT_INLINE void grt_wait_g(struct m **m, struct p **p, struct g *g, struct waiter *w,
			   enum wait_reason why)
{
	grt_store(&g->reason, (uint8_t)why);
	grt_store(&g->since, grt_load(&grt_rt.clock));
	grt_store(&g->waiting, w); /* from here on a dump shows the wait */
	*m = grt_park(*m, *p);
	*p = (*m)->held;
	grt_store(&g->waiting, NULL);
}

/*
 * Waits until w's wait has ended; holds no lock. *m and *p are those of a goroutine and are brought up to date; for a
 * plain thread both are NULL. END_READY: the winner has taken w off the list it won on. Else w may still be queued.
 */
GRT_INLINE enum ending grt_wait(struct m **m, struct p **p, struct waiter *w, int64_t deadline,
				enum wait_reason why)
{
	struct g *g = w->g;

	if (GRT_UNLIKELY(!g))
		return grt_plain_wait(w, deadline);
	grt_wait_g(m, p, g, w, why);
	return grt_waiter_ending(w);
}

/* The last touch of w, which was claimed by the caller. p: of the caller, NULL without. */
GRT_INLINE void grt_waiter_ready(struct p *p, struct waiter *w)
{
	if (GRT_LIKELY(w->g))
		grt_ready(p, w->g);
	else
		grt_plain_ready(w);
}

/* Several waiters, claimed and off their lists, to be woken once the object's lock is free. */
struct woken {
	struct glist gs;
	struct wnode *plain;
};
void grt_woken_add(struct woken *woken, struct wnode *n);

/* The same in front, by who goes through the newest first. */
void grt_woken_add_front(struct woken *woken, struct wnode *n);

/* The last touch of all of them. p: of the caller, NULL without. */
void grt_woken_ready(struct woken *woken, struct p *p);

/* Deadline and cancel as the results of public calls. */
GRT_INLINE int grt_ending_error(enum ending e)
{
	return e == END_TIMEDOUT || e == END_EXPIRED ? -ETIMEDOUT : -ECANCELED;
}

GRT_INLINE void grt_leave_wait(struct m *m)
{
	if (GRT_LIKELY(m))
		grt_leave(m);
	else
		grt_plain_leave();
}

#endif
