/* gpool.h - dead goroutines kept hot: per P first, a shared list behind, the kernel last. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_GPOOL_H
#define GRT_RT_GPOOL_H

#include "rt/rt.h"

/* The slow half of get: another class, an empty pool, or no P. -ENOMEM, -EAGAIN as grt_stack_get. */
int grt_gpool_get_slow(struct p *p, unsigned cls, struct g **out);

/* A dead goroutine's record with its stack, the one used last first. No lock, no system call while the P has one. */
GRT_INLINE int grt_gpool_get(struct p *p, unsigned cls, struct g **out)
{
	if (GRT_LIKELY(p && cls == grt_rt.default_cls && p->gfree.head)) {
		struct g *g = p->gfree.head;

		p->gfree.head = g->schedlink;
		p->gfree.n--;
		if (!p->gfree.head)
			p->gfree.tail = NULL;
		*out = g;
		return 0;
	}
	return grt_gpool_get_slow(p, cls, out);
}

/* Nobody runs on its stack any more. */
void grt_gpool_put(struct p *p, struct g *g);

/* All of a P's go to the shared list (it retires). */
void grt_gpool_drain(struct p *p);

/* By the monitor, at each tick: gives some of the stacks back that were not used in a whole period, whose end it tells.
 * True while the shared list holds any. */
bool grt_gpool_trim(bool period);

void grt_gpool_fini(void);

#endif
