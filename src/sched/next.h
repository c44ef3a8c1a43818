/* next.h - what a goroutine that stops running switches to, without a detour over the loop. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_NEXT_H
#define GRT_SCHED_NEXT_H

#include "rt/own.h"
#include "sched/locked.h"
#include "sched/switch.h"

/* At every 61st pick somebody who waits elsewhere goes first, as in Go: a prime, so that it does not beat with a program's
 * own pattern. */
enum { FAIR_EVERY = 61 };

/* A goroutine was taken that is not off its stack yet, and its M seems to be preempted, or that is locked to another
 * thread: put it back. */
struct g *grt_next_unsaved(struct p *p, struct g *g);

/*
 * The next goroutine of p's own, ready to be switched to; self (which may have queued itself) needs no switch, but for a
 * locked one, which grt_switch_locked is for. NULL: none, or the loop has to look first (others' turn, attention asked
 * for).
 */
GRT_INLINE struct g *grt_next(struct p *p, struct g *self)
{
	struct g *g;

	if (GRT_UNLIKELY(grt_load(&p->attention) || p->to_loop == 0))
		return self && self->flags & G_LOCKED ? self : NULL; /* PROTOCOL locked */
	p->to_loop--;
	g = grt_own_next(p);
	if (GRT_UNLIKELY(!g))
		return NULL;
	if (GRT_UNLIKELY(g == self || !grt_saved(g)))
		return g == self ? g : grt_next_unsaved(p, g);
	return g;
}

#endif
