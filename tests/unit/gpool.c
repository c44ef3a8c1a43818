/* gpool.c - dead goroutines kept hot: the P's own, the shared ones, and what goes back to the kernel. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "rt/gpool.h"

enum { SMALL = 0, NORMAL = 4 };

static struct p *p, *q;

static void begin(void)
{
	grt_rt_reset();
	grt_rt.default_cls = NORMAL;
	CHECK_EQ(grt_p_new(0), 0);
	CHECK_EQ(grt_p_new(1), 0);
	p = grt_load(&grt_rt.allp[0]);
	q = grt_load(&grt_rt.allp[1]);
	grt_stacks_init(false);
}

static void end(void)
{
	grt_p_free_all();
	grt_gpool_fini();
	grt_stacks_fini();
	grt_rt_reset();
}

static struct g *get(struct p *of, unsigned cls)
{
	struct g *g = NULL;

	CHECK_EQ(grt_gpool_get(of, cls, &g), 0);
	return g;
}

static void count(struct g *g, void *arg)
{
	(void)g;
	(*(int *)arg)++;
}

static int slots(void)
{
	int n = 0;

	grt_stack_each(count, &n);
	return n;
}

static void last_in_first_out(void)
{
	struct g *a, *b;

	begin();
	a = get(p, NORMAL);
	b = get(p, NORMAL);
	grt_gpool_put(p, a);
	grt_gpool_put(p, b);
	CHECK(get(p, NORMAL) == b);
	CHECK(get(p, NORMAL) == a);
	CHECK_EQ(p->gfree.n, 0);
	CHECK(!p->gfree.head && !p->gfree.tail);
	CHECK(get(p, NORMAL) != a);
	end();
}

/* A P keeps a few; the colder go where the others find them. */
static void surplus_is_shared(void)
{
	enum { N = GRT_GFREE_MAX + 1 };
	struct g *g[N];
	int before;

	begin();
	for (int i = 0; i < N; i++)
		g[i] = get(p, NORMAL);
	before = slots();
	for (int i = 0; i < N; i++) {
		grt_gpool_put(p, g[i]);
		CHECK(p->gfree.n <= GRT_GFREE_MAX);
	}
	CHECK_EQ(p->gfree.n, GRT_GFREE_MAX / 2);
	CHECK(get(p, NORMAL) == g[N - 1]); /* the hottest stayed */
	for (int i = 0; i < N - GRT_GFREE_MAX / 2; i++)
		get(q, NORMAL);
	CHECK_EQ(slots(), before);
	CHECK_EQ(q->gfree.n, 0);
	end();
}

static void others_kinds_are_shared(void)
{
	struct g *small, *by_thread;

	begin();
	small = get(p, SMALL);
	CHECK_EQ(small->cls, SMALL);
	grt_gpool_put(p, small);
	CHECK_EQ(p->gfree.n, 0);
	CHECK(get(p, NORMAL) != small);
	CHECK(get(q, SMALL) == small);
	by_thread = get(NULL, NORMAL);
	grt_gpool_put(NULL, by_thread);
	CHECK(get(q, NORMAL) == by_thread);
	end();
}

static void retiring_p_gives_all(void)
{
	struct g *g;

	begin();
	g = get(p, NORMAL);
	grt_gpool_put(p, g);
	grt_gpool_drain(p);
	CHECK_EQ(p->gfree.n, 0);
	CHECK(get(q, NORMAL) == g);
	end();
}

/* What was not needed for a whole period goes back in the next one, what was needed stays. */
static void trim_gives_back_the_unused(void)
{
	struct g *g[10], *used;

	begin();
	for (int i = 0; i < 10; i++) {
		g[i] = get(NULL, NORMAL);
		g[i]->id = 5;
	}
	for (int i = 0; i < 10; i++)
		grt_gpool_put(NULL, g[i]);
	CHECK(grt_gpool_trim(true)); /* they were used in this period */
	CHECK_EQ(g[0]->id, 5);
	used = get(NULL, NORMAL);
	grt_gpool_put(NULL, used);
	CHECK(grt_gpool_trim(false)); /* the period is not over */
	CHECK_EQ(g[0]->id, 5);
	CHECK(grt_gpool_trim(true)); /* nine were never needed */
	used = get(NULL, NORMAL);
	CHECK_EQ(used->id, 5);
	for (int i = 0; i < 9; i++)
		CHECK_EQ(get(NULL, NORMAL)->id, 0);
	CHECK_EQ(slots(), 10);
	grt_gpool_put(NULL, used);
	grt_gpool_trim(true);
	CHECK(!grt_gpool_trim(true)); /* nor the last one since */
	end();
}

TEST_MAIN(TEST(last_in_first_out), TEST(surplus_is_shared), TEST(others_kinds_are_shared),
	  TEST(retiring_p_gives_all), TEST(trim_gives_back_the_unused))
