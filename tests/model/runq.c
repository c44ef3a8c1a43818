/* runq.c - the ring: nothing lost, nothing twice, all of a goroutine visible to its taker, no slot written too early. */
/* SPDX-License-Identifier: MIT */
/* model: with=src/part/runq.c,src/part/injq.c,src/base/spin.c */
#include "part/runq.h"

#include "part/injq.h"

enum { N = 8 };
static struct g gs[N];
static int seen[N]; /* by whom, + 2 */
static struct runq q, mine, other;
static struct injq shared;

static void take(struct g *g)
{
	if (!g)
		return;
	CHECK(g->id == (uint64_t)(g - gs) + 100);
	CHECK(!seen[g - gs]);
	seen[g - gs] = model_self() + 2;
}

static void push(int i)
{
	gs[i].id = (uint64_t)i + 100;
	/* as in engine/pick.c */
	if (!grt_runq_push(&q, &gs[i]))
		grt_injq_push(&shared, &gs[i]);
}

/* n are in the ring; the words are about to wrap. */
static void begin(uint32_t at, int n)
{
	q.head = q.tail = at;
	model_guard(q.slot, sizeof(q.slot), &q.head);
	model_guard(mine.slot, sizeof(mine.slot), &mine.head);
	for (int i = 0; i < n; i++)
		push(i);
}

static void empty(void)
{
	begin(UINT32_MAX, 0);
}

static void one(void)
{
	begin(UINT32_MAX - 1, 1);
}

static void three(void)
{
	begin(UINT32_MAX - 1, 3);
}

static void full(void)
{
	begin(UINT32_MAX - 2, 4);
}

static void all(int n)
{
	struct runq *qs[] = { &q, &mine, &other };
	struct glist rest = { 0 };
	struct g *g;

	for (int i = 0; i < 3; i++)
		while ((g = grt_runq_pop(qs[i])))
			take(g);
	grt_injq_take(&shared, N, &rest);
	while ((g = grt_glist_pop(&rest)))
		take(g);
	for (int i = 0; i < n; i++)
		CHECK(seen[i]);
}

static void all2(void)
{
	all(2);
}

static void all3(void)
{
	all(3);
}

static void all4(void)
{
	all(4);
}

static void all5(void)
{
	all(5);
}

static void push_pop_push_pop(void)
{
	push(0);
	take(grt_runq_pop(&q));
	push(1);
	take(grt_runq_pop(&q));
}

static void push_two_pop(void)
{
	push(1);
	push(2);
	take(grt_runq_pop(&q));
}

/* The head passes what a thief may think is the tail. */
static void overflow(void)
{
	for (int i = 1; i < 5; i++)
		push(i);
}

static void pop_two(void)
{
	take(grt_runq_pop(&q));
	take(grt_runq_pop(&q));
}

static void push_fifth(void)
{
	push(4);
}

static void pop_push(void)
{
	take(grt_runq_pop(&q));
	push(3);
}

/* Two thieves with a ring of their own each. */
static void steal_mine(void)
{
	take(grt_runq_steal(&mine, &q));
}

static void steal_other(void)
{
	take(grt_runq_steal(&other, &q));
}

static void steal_twice(void)
{
	take(grt_runq_steal(&mine, &q));
	take(grt_runq_pop(&mine));
	take(grt_runq_steal(&mine, &q));
}

/* From the thief. */
static void steal_on(void)
{
	take(grt_runq_steal(&other, &mine));
}

static void take_shared(void)
{
	struct glist some = { 0 };

	grt_injq_take(&shared, 2, &some);
	take(grt_glist_pop(&some));
	take(grt_glist_pop(&some));
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "runq/owner-thieves",
		  empty,
		  { push_pop_push_pop, steal_mine, steal_other },
		  all2 },
		{ "runq/push-steal", one, { push_two_pop, steal_mine, steal_other }, all3 },
		{ "runq/pop-steal", full, { pop_two, steal_twice, steal_other }, all4 },
		{ "runq/chain", three, { pop_two, steal_mine, steal_on }, all3 },
		{ "runq/overflow", one, { overflow, steal_mine }, all5 },
		{ "runq/reuse", full, { push_fifth, steal_mine, take_shared }, all5 },
		{ "runq/reuse-pop", three, { pop_push, steal_mine, steal_other }, all4 },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
