/* injq.c - the shared queue: eight goroutines a link under a spin lock, filled and emptied in batches. */
/* SPDX-License-Identifier: MIT */
#include "part/injq.h"

enum {
	CHUNK = 32, /* taken under one lock, and fetched into the cache together */
	LINES = 7,  /* of a stack: what a wait on a channel and the end after it use */
};

/* A chain of leaders under construction; room as in the queue. */
struct chain {
	struct g *first, *last;
	uint32_t n;
	uint8_t room;
};

/* An unfilled group ends with NULL. */
static void group_add(struct g *leader, uint8_t *room, struct g *g)
{
	leader->group[G_GROUP - (*room)--] = g;
	if (*room)
		leader->group[G_GROUP - *room] = NULL;
}

static void chain_add(struct chain *c, struct g *g)
{
	c->n++;
	if (c->room) {
		group_add(c->last, &c->room, g);
		return;
	}
	g->schedlink = NULL;
	g->group[0] = NULL;
	c->room = G_GROUP;
	if (c->last)
		c->last->schedlink = g;
	else
		c->first = g;
	c->last = g;
}

static void link_chain(struct injq *q, const struct chain *c)
{
	if (q->last)
		q->last->schedlink = c->first;
	else
		q->first = c->first;
	q->last = c->last;
	q->room = c->room;
	grt_store(&q->n, grt_load(&q->n) + c->n);
}

void grt_injq_push(struct injq *q, struct g *g)
{
	struct chain c = { 0 };

	grt_spin_lock(&q->lock);
	if (!q->first && q->end < G_GROUP) {
		q->front[q->end++] = g;
		grt_store(&q->n, grt_load(&q->n) + 1);
	} else if (q->first && q->room) {
		group_add(q->last, &q->room, g);
		grt_store(&q->n, grt_load(&q->n) + 1);
	} else {
		chain_add(&c, g);
		link_chain(q, &c);
	}
	grt_spin_unlock(&q->lock);
}

void grt_injq_append(struct injq *q, struct glist *batch)
{
	struct chain c = { 0 };
	struct g *g;

	while ((g = grt_glist_pop(batch)))
		chain_add(&c, g);
	if (!c.n)
		return;
	grt_spin_lock(&q->lock);
	link_chain(q, &c);
	grt_spin_unlock(&q->lock);
}

/* The group of the first leader, which goes, to the front. */
static struct g *open_first(struct injq *q)
{
	struct g *g = q->first;

	if (!g)
		return NULL;
	q->first = g->schedlink;
	if (q->first) {
		__builtin_prefetch(&q->first->schedlink);
	} else {
		q->last = NULL;
		q->room = 0;
	}
	for (q->end = 0; q->end < G_GROUP && g->group[q->end]; q->end++)
		q->front[q->end] = g->group[q->end];
	return g;
}

static struct g *pop(struct injq *q)
{
	struct g *g;

	if (q->at == q->end) {
		q->at = q->end = 0;
		return open_first(q);
	}
	g = q->front[q->at++];
	if (q->at == q->end)
		q->at = q->end = 0;
	return g;
}

GRT_INLINE void fetch(uintptr_t from)
{
	for (uintptr_t line = 0; line < LINES; line++)
		__builtin_prefetch((void *)(from + line * GRT_CACHELINE), 1);
}

/*
 * They have waited and are cold: each would cost its cache and TLB misses in turn, 300 ns; asked for together they take 80
 * each, behind which the next leader's hide too. What is fetched is the record and the frames right below it; then, for
 * one that waits deeper, those around its stack pointer, and for one that has not run yet its arguments. A stack pointer that
 * is not saved yet, or old, fetches something else; no more.
 */
static uint32_t take(struct injq *q, uint32_t max, struct g **v)
{
	uint32_t n = 0;

	grt_spin_lock(&q->lock);
	for (; n < max && (v[n] = pop(q)); n++)
		if (max > 1)
			fetch((uintptr_t)v[n] - (LINES - 1) * GRT_CACHELINE);
	grt_store(&q->n, grt_load(&q->n) - n);
	if (GRT_CHECKS_ON)
		grt_store(&q->taken, grt_load(&q->taken) + n);
	grt_spin_unlock(&q->lock);
	return n;
}

static void fetch_rest(struct g *const *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uintptr_t sp = (uintptr_t)grt_load(&v[i]->sched.sp);
		uintptr_t depth = (uintptr_t)v[i] - sp;

		if (depth < GRT_CACHELINE)
			__builtin_prefetch(&v[i]->fn);
		else if (depth > (LINES - 2) * GRT_CACHELINE)
			fetch(sp - GRT_CACHELINE);
	}
}

void grt_injq_take(struct injq *q, uint32_t max, struct glist *out)
{
	struct g *v[CHUNK];

	while (max) {
		uint32_t want = max < CHUNK ? max : CHUNK, n = take(q, want, v);

		if (want > 1)
			fetch_rest(v, n);
		for (uint32_t i = 0; i < n; i++)
			grt_glist_push(out, v[i]);
		if (n < want)
			return;
		max -= n;
	}
}
