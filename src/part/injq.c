/* injq.c - the shared queue: a list under a spin lock, filled and emptied in batches. */
/* SPDX-License-Identifier: MIT */
#include "part/injq.h"

void grt_injq_push(struct injq *q, struct g *g)
{
	grt_spin_lock(&q->lock);
	grt_glist_push(&q->list, g);
	grt_store(&q->n, q->list.n);
	grt_spin_unlock(&q->lock);
}

void grt_injq_append(struct injq *q, struct glist *batch)
{
	grt_spin_lock(&q->lock);
	grt_glist_append(&q->list, batch);
	grt_store(&q->n, q->list.n);
	grt_spin_unlock(&q->lock);
}

void grt_injq_take(struct injq *q, uint32_t max, struct glist *out)
{
	grt_spin_lock(&q->lock);
	while (max-- > 0) {
		struct g *g = grt_glist_pop(&q->list);

		if (!g)
			break;
		grt_glist_push(out, g);
	}
	grt_store(&q->n, q->list.n);
	grt_spin_unlock(&q->lock);
}
