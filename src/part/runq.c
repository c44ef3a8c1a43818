/* runq.c - one P's queue of runnable goroutines: a ring with one producer and many takers. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL runq
 *   Words    head, tail: free-running uint32, head <= tail <= head + LEN; slot[i % LEN].
 *   Owners   tail and the slots [tail, head + LEN) belong to the M that holds the P. head belongs to whoever moves it
 *            by CAS. A slot in [head, tail) is read-only.
 *   Steps    push: read head, write the slot, then show it by moving tail.
 *            take (pop, steal): read head, then tail, then the slots, then claim them by moving head; a lost CAS
 *            forgets what was read.
 *   Pairs    A push: tail release -> B steal: tail acquire   slot and goroutine are written before they are shown
 *            C take: head release -> D push: head acquire   the slot is read before it is written again
 *            C take: head release -> E take: head acquire   the tail read next is not older than this head
 *   Relaxed  slot loads: one that was overwritten meanwhile is thrown away, since head moved and the CAS fails.
 *            tail as read by its own writer. Both words in grt_runq_len: a hint.
 *   Fence    none here: that an idle M does not miss a push is PROTOCOL wake in rt/idle.c.
 *   Reuse    head would have to move 2^32 takes between a load and its CAS.
 *   Rejected a deque whose owner takes at the tail without a CAS: it needs a full fence there, which costs the same.
 *   Checked  tests/model/runq.c (every interleaving and every stale read allowed), tests/stress/steal.c
 */
#include "part/runq.h"

#include "base/chaos.h"

bool grt_runq_push(struct runq *q, struct g *g)
{
	uint32_t h = atomic_load_explicit(&q->head, memory_order_acquire); /* runq.D */
	uint32_t t = grt_load(&q->tail);

	if (GRT_UNLIKELY(t - h >= GRT_RUNQ_LEN))
		return false;
	grt_store(&q->slot[t % GRT_RUNQ_LEN], g);
	grt_chaos();
	atomic_store_explicit(&q->tail, t + 1, memory_order_release); /* runq.A */
	return true;
}

struct g *grt_runq_pop(struct runq *q)
{
	uint32_t h = atomic_load_explicit(&q->head, memory_order_acquire); /* runq.E */
	uint32_t t = grt_load(&q->tail);

	while (h != t) {
		struct g *g = grt_load(&q->slot[h % GRT_RUNQ_LEN]);

		grt_chaos();
		if (atomic_compare_exchange_weak_explicit(&q->head, &h, h + 1,
							  memory_order_release,	 /* runq.C */
							  memory_order_acquire)) /* runq.E */
			return g;
	}
	return NULL;
}

struct g *grt_runq_steal(struct runq *to, struct runq *from)
{
	uint32_t t = grt_load(&to->tail);

	for (;;) {
		uint32_t fh = atomic_load_explicit(&from->head, memory_order_acquire); /* runq.E */
		uint32_t ft = atomic_load_explicit(&from->tail, memory_order_acquire); /* runq.B */
		uint32_t n = ft - fh;

		n -= n / 2;
		if (n == 0)
			return NULL;
		if (n > GRT_RUNQ_LEN / 2) /* head and tail are of different moments */
			continue;

		struct g *last = grt_load(&from->slot[(fh + n - 1) % GRT_RUNQ_LEN]);

		for (uint32_t i = 0; i + 1 < n; i++) {
			struct g *g = grt_load(&from->slot[(fh + i) % GRT_RUNQ_LEN]);

			grt_store(&to->slot[(t + i) % GRT_RUNQ_LEN], g);
		}
		grt_chaos();
		if (!atomic_compare_exchange_strong_explicit(&from->head, &fh, fh + n,
							     memory_order_release, /* runq.C */
							     memory_order_relaxed))
			continue;
		if (n > 1)
			atomic_store_explicit(&to->tail, t + n - 1,
					      memory_order_release); /* runq.A */
		return last;
	}
}
