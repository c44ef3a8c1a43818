/* gpool.h - dead goroutines kept hot: per P first, a shared list behind, the kernel last. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_GPOOL_H
#define GRT_RT_GPOOL_H

#include "rt/rt.h"

enum {
	GRT_GFREE_BLOCK = 256, /* moved between a P and the shared list at once */
	GRT_GFREE_IDLE = 64,   /* what a P keeps that is idle, and any if stacks are scarce */
};

/* The slow half of get: another class, an empty pool, or no P. -ENOMEM, -EAGAIN as grt_stack_get. */
int grt_gpool_get_slow(struct p *p, unsigned cls, struct g **out);

/* P's own pool, of the default class: the one used last, NULL when empty. */
GRT_INLINE struct g *grt_gpool_hot(struct p *p)
{
	uint32_t n = grt_load(&p->ngfree);

	if (GRT_UNLIKELY(!n))
		return NULL;
	grt_store(&p->ngfree, n - 1);
	return p->gfree[n - 1];
}

/* A dead goroutine's record with its stack, the one used last first. No lock, no system call while the P has one; the
 * records themselves are not touched by moving them about. */
GRT_INLINE int grt_gpool_get(struct p *p, unsigned cls, struct g **out)
{
	if (GRT_LIKELY(p && cls == grt_rt.default_cls)) {
		*out = grt_gpool_hot(p);
		if (GRT_LIKELY(*out))
			return 0;
	}
	return grt_gpool_get_slow(p, cls, out);
}

/* Into P's own pool; false if it does not belong there, or it is time to look whether some should move on. The stack may
 * still be in use, by the caller, until the M that holds P has left it: nobody else takes it from there. */
GRT_INLINE bool grt_gpool_keep(struct p *p, struct g *g)
{
	uint32_t n = grt_load(&p->ngfree);

	if (GRT_UNLIKELY(g->cls != grt_rt.default_cls || (n && !(n % GRT_GFREE_IDLE))))
		return false;
	p->gfree[n] = g;
	grt_store(&p->ngfree, n + 1);
	return true;
}

/* Nobody runs on its stack any more. */
void grt_gpool_put(struct p *p, struct g *g);

/* All of a P's go to the shared list (it retires). */
void grt_gpool_drain(struct p *p);

/* By the monitor, at each tick: gives some of the stacks back that were not used in a whole period, whose end it tells.
 * True while there are any that may go back in a later one. */
bool grt_gpool_trim(bool period);

void grt_gpool_fini(void);

/* In the child of a fork: fini, whoever held the lock. */
void grt_gpool_forget(void);

#endif
