/* block.h - a goroutine without a P: how it gave it away, how it gets one back. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_BLOCK_H
#define GRT_SCHED_BLOCK_H

#include "sched/switch.h"

/* The calling goroutine, inside goru, has no P: its old one if that is idle, any idle one, else its turn in the shared
 * queue. Returns with the M it then runs on; m.p is set. */
struct m *grt_reacquire(struct m *m);

/* For a call that cannot wait, inside goru: a P if one is idle and the goroutine is not in brackets; else NULL. */
struct p *grt_reacquire_idle(struct m *m);

/* The end of a call that may wait: a goroutine that got a P for it inside its brackets gives the P away again. */
void grt_block_again(struct m *m);

GRT_INLINE void grt_leave_bracketed(void)
{
	struct m *m = grt_arch_self();

	if (GRT_UNLIKELY(m && m->curg->flags & G_AGAIN))
		grt_block_again(m);
}

/* For a call that may wait: the M of the calling goroutine, its P in *p; NULL on a plain thread (entered as such). */
GRT_INLINE struct m *grt_enter_wait(struct p **p)
{
	struct m *m = grt_enter();

	*p = NULL;
	if (GRT_UNLIKELY(!m)) {
		grt_plain_enter();
		return NULL;
	}
	*p = grt_p_of(m);
	if (GRT_UNLIKELY(!*p)) {
		m = grt_reacquire(m);
		*p = m->held;
	}
	return m;
}

#endif
