/* timers.c - one P's deadlines: a 4-ary heap of (when, goroutine, wait), cancelled lazily. */
/* SPDX-License-Identifier: MIT */
#include "part/timers.h"

#include <errno.h>
#include <stdlib.h>

#include "part/waiter.h"

enum {
	ARITY = 4, /* children lie in two cache lines: half the levels of a binary heap for the same lines */
	FIRST_CAP = 64,
	BATCH = 32, /* records prefetched together */
};

void grt_timers_init(struct timers *t)
{
	*t = (struct timers){ 0 };
	grt_store(&t->first, GRT_NEVER);
}

void grt_timers_fini(struct timers *t)
{
	grt_tsan_heap_begin();
	free(t->heap);
	grt_tsan_heap_end();
	grt_timers_init(t);
}

static void sift_up(struct timer_entry *h, uint32_t i, struct timer_entry e)
{
	while (i > 0) {
		uint32_t up = (i - 1) / ARITY;

		if (h[up].when <= e.when)
			break;
		h[i] = h[up];
		i = up;
	}
	h[i] = e;
}

/* The earliest of the children that begin at c; in arithmetic, since no branch predictor knows which it is. */
GRT_INLINE uint32_t earliest_child(const struct timer_entry *h, uint32_t n, uint32_t c)
{
	if (GRT_LIKELY(c + ARITY <= n)) {
		uint32_t a = c + (h[c + 1].when < h[c].when);
		uint32_t b = c + 2 + (h[c + 3].when < h[c + 2].when);

		return a + (b - a) * (h[b].when < h[a].when);
	}

	uint32_t least = c;

	for (uint32_t k = c + 1; k < n; k++)
		if (h[k].when < h[least].when)
			least = k;
	return least;
}

static void sift_down(struct timer_entry *h, uint32_t n, uint32_t i, struct timer_entry e)
{
	for (uint32_t c; (c = i * ARITY + 1) < n;) {
		c = earliest_child(h, n, c);
		if (h[c].when >= e.when)
			break;
		h[i] = h[c];
		i = c;
	}
	h[i] = e;
}

static void note_first(struct timers *t)
{
	grt_store(&t->first, t->n ? t->heap[0].when : GRT_NEVER);
}

/* Drops entries whose wait is over; called before the heap grows, so they are at most half of it. */
static void sweep(struct timers *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		if (grt_load(&t->heap[i].g->claim) == t->heap[i].open)
			t->heap[n++] = t->heap[i];
	t->n = n;
	for (uint32_t i = n; i-- > 0;) /* leaves are heaps already; ARITY-ary Floyd */
		if (i * ARITY + 1 < n)
			sift_down(t->heap, n, i, t->heap[i]);
}

static int make_room(struct timers *t)
{
	if (t->n < t->cap)
		return 0;
	sweep(t);
	if (t->n <= t->cap / 2 && t->cap)
		return 0;

	uint32_t cap = t->cap ? t->cap * 2 : FIRST_CAP;
	struct timer_entry *h = NULL;

	grt_tsan_heap_begin();
	if (cap > t->cap)
		h = realloc(t->heap, cap * sizeof(*h));
	grt_tsan_heap_end();
	if (!h)
		return t->n < t->cap ? 0 : -ENOMEM;
	t->heap = h;
	t->cap = cap;
	return 0;
}

static int add(struct timers *t, struct timer_entry e)
{
	int rc = make_room(t);

	if (rc < 0)
		return rc;
	sift_up(t->heap, t->n++, e);
	note_first(t);
	return t->heap[0].g == e.g && t->heap[0].open == e.open;
}

int grt_timers_add(struct timers *t, int64_t when, struct g *g, uint64_t open)
{
	grt_spin_lock(&t->lock);

	int rc = add(t, (struct timer_entry){ when, g, open });

	grt_spin_unlock(&t->lock);
	return rc;
}

/* Up to max that are due into due[]. The records of long sleepers are in no cache, and their pages in no TLB: asked for
 * together, not one after the other at each claim. */
static uint32_t pop_due(struct timers *t, int64_t now, struct timer_entry *due, uint32_t max)
{
	uint32_t n = 0;

	while (n < max && t->n && t->heap[0].when <= now) {
		due[n++] = t->heap[0];
		if (--t->n)
			sift_down(t->heap, t->n, 0, t->heap[t->n]);
	}
	for (uint32_t i = 0; i < n; i++)
		__builtin_prefetch(due[i].g, 1);
	return n;
}

void grt_timers_expire(struct timers *t, int64_t now, uint32_t max, struct glist *out)
{
	struct timer_entry due[BATCH];
	uint32_t end = out->n + max, want, n;

	grt_spin_lock(&t->lock);
	do {
		want = end - out->n < BATCH ? end - out->n : BATCH;
		n = pop_due(t, now, due, want);
		for (uint32_t i = 0; i < n; i++)
			if (grt_claim_word(&due[i].g->claim, due[i].open, END_TIMEDOUT))
				grt_glist_push(out, due[i].g);
	} while (n && n == want);
	note_first(t);
	grt_spin_unlock(&t->lock);
}

int grt_timers_move(struct timers *to, struct timers *from)
{
	int rc = 0;

	grt_spin_lock(&from->lock);
	grt_spin_lock(&to->lock);
	while (from->n && rc >= 0) {
		rc = add(to, from->heap[from->n - 1]);
		if (rc >= 0)
			from->n--;
	}
	note_first(from);
	grt_spin_unlock(&to->lock);
	grt_spin_unlock(&from->lock);
	return rc < 0 ? rc : 0;
}
