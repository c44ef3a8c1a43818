/* wait.h - how goroutines and plain threads wait on an object, and are woken from it. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_WAIT_H
#define GRT_SYNC_WAIT_H

#include <errno.h>

#include "os/os.h"
#include "part/waiter.h"
#include "sched/block.h"
#include "sched/park.h"
#include "sched/ready.h"

/* A waiter without its stack's garbage; the node's object is the caller's to set. */
#define GRT_WAITER(kind_, nodes_, n_)                                                              \
	{                                                                                          \
		.kind = (kind_), .nnodes = (uint16_t)(n_), .nodes = (nodes_), .won = -1            \
	}

/* Under the object's lock, before the waiter is queued: its wait may also end by a deadline. -ENOMEM. A plain thread
 * keeps its own time. */
GRT_INLINE int grt_wait_arm(struct p *p, struct waiter *w, int64_t deadline)
{
	if (GRT_LIKELY(deadline == INT64_MAX || !w->g))
		return 0;
	w->shared = true;

	int rc = grt_timers_add(&p->timers, deadline, w->g, w->open);

	return rc < 0 ? rc : 0;
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
	grt_store(&g->waiting, w);
	grt_store(&g->reason, (uint8_t)why);
	grt_g_set_state(g, G_WAITING);
	*m = grt_park(*m, *p);
	*p = (*m)->held;
	grt_store(&g->waiting, NULL);
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

/* Deadline and cancel as the results of public calls. */
GRT_INLINE int grt_ending_error(enum ending e)
{
	return e == END_TIMEDOUT ? -ETIMEDOUT : -ECANCELED;
}

GRT_INLINE void grt_leave_wait(struct m *m)
{
	if (GRT_LIKELY(m))
		grt_leave(m);
	else
		grt_plain_leave();
}

#endif
