/* gpool.c - dead goroutines kept hot: the P's own, the shared ones, and what goes back to the kernel. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_stack_get */
#include "test.h"

#include "rt/gpool.h"

enum { SMALL = 0, NORMAL = 4 };

static struct p *p, *q;
static int stacks_fail;

int __real_grt_stack_get(unsigned cls, struct g **out);
int __wrap_grt_stack_get(unsigned cls, struct g **out);

int __wrap_grt_stack_get(unsigned cls, struct g **out)
{
	return stacks_fail ? stacks_fail : __real_grt_stack_get(cls, out);
}

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

static uint32_t held(struct p *of)
{
	return grt_load(&of->ngfree);
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
	CHECK_EQ(held(p), 0);
	CHECK(get(p, NORMAL) != a);
	end();
}

/* A P keeps some; the coldest go where the others find them, and come from there hottest first. */
static void surplus_is_shared(void)
{
	enum { N = GRT_GFREE_MAX + 1, LEFT = N - GRT_GFREE_BLOCK };
	static struct g *g[N];
	int before;

	begin();
	if (grt_stacks_scarce()) { /* then it keeps few */
		end();
		return;
	}
	for (int i = 0; i < N; i++)
		g[i] = get(p, NORMAL);
	before = slots();
	for (int i = 0; i < N; i++) {
		/* its stack is nobody's, and may be full of anything */
		memset((char *)g[i] - 2500, 0x5a, 2500);
		grt_gpool_put(p, g[i]);
		CHECK(held(p) <= GRT_GFREE_MAX);
	}
	CHECK_EQ(held(p), LEFT);
	for (int i = GRT_GFREE_BLOCK; i-- > 0;)
		CHECK(get(q, NORMAL) == g[i]);
	CHECK_EQ(held(q), 0);
	for (int i = N; i-- > GRT_GFREE_BLOCK;)
		CHECK(get(p, NORMAL) == g[i]);
	CHECK_EQ(held(p), 0);
	CHECK_EQ(slots(), before);
	end();
}

static void mark(struct g *g, void *arg)
{
	(void)arg;
	CHECK_EQ(g->id, 1);
}

/* When there is no other stack to be had, those of idle Ps are found by everybody. */
static void idle_ps_are_asked(void)
{
	struct g *g[5], *out;

	begin();
	for (int i = 0; i < 5; i++)
		g[i] = get(p, NORMAL);
	for (int i = 0; i < 5; i++)
		grt_gpool_put(p, g[i]);
	stacks_fail = -ENOMEM;
	grt_store(&p->status, P_RUNNING);
	CHECK_EQ(grt_gpool_get(q, NORMAL, &out), -ENOMEM);
	CHECK_EQ(held(p), 5);
	grt_store(&p->status, P_IDLE);
	CHECK_EQ(grt_gpool_get(q, SMALL, &out), -ENOMEM); /* they are of another class */
	CHECK(get(q, NORMAL) == g[4]);
	CHECK_EQ(held(p), 0);
	CHECK_EQ(held(q), 4);
	grt_store(&q->status, P_IDLE);
	CHECK(get(NULL, NORMAL) == g[3]);
	stacks_fail = 0;
	end();
}

/* By blocks, from Ps and by those without, every one once. */
static void none_lost(void)
{
	enum { N = 5 * GRT_GFREE_MAX };
	struct g **g = calloc(N, sizeof(*g));

	begin();
	for (int i = 0; i < N; i++)
		g[i] = get(p, NORMAL);
	for (int i = 0; i < N; i++)
		grt_gpool_put(i % 7 == 0 ? NULL : i < N / 2 ? p : q, g[i]);
	grt_gpool_drain(p);
	CHECK_EQ(held(p), 0);
	for (int i = 0; i < N; i++)
		g[i]->id = 0;
	for (int i = 0; i < N - (int)held(q); i++)
		get(i < N / 2 && i % 5 == 0 ? NULL : p, NORMAL)->id++;
	CHECK_EQ(held(p), 0);
	for (int i = 0; held(q); i++)
		get(q, NORMAL)->id++;
	CHECK_EQ(slots(), N);
	grt_stack_each(mark, NULL);
	end();
	free(g);
}

static void others_kinds_are_shared(void)
{
	struct g *small, *by_thread;

	begin();
	small = get(p, SMALL);
	CHECK_EQ(small->cls, SMALL);
	grt_gpool_put(p, small);
	CHECK_EQ(held(p), 0);
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
	CHECK_EQ(held(p), 0);
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

/* The same in blocks, of which the last one goes in part. */
static void trim_counts_in_blocks(void)
{
	enum { N = 2 * GRT_GFREE_BLOCK, USED = 10 };
	struct g *g[N];
	int left = 0;

	begin();
	for (int i = 0; i < N; i++) {
		g[i] = get(p, NORMAL);
		g[i]->id = 5;
	}
	for (int i = 0; i < N; i++)
		grt_gpool_put(p, g[i]);
	grt_gpool_drain(p);
	grt_gpool_trim(true);
	for (int i = 0; i < USED; i++)
		g[i] = get(NULL, NORMAL);
	for (int i = 0; i < USED; i++)
		grt_gpool_put(NULL, g[i]);
	CHECK(grt_gpool_trim(true));
	for (int i = 0; i < N; i++) {
		g[i] = get(NULL, NORMAL);
		left += g[i]->id == 5;
		CHECK(g[i]->id == 5 || !g[i]->id);
		g[i]->id = 6;
	}
	CHECK_EQ(left, USED);
	CHECK_EQ(slots(), N);
	end();
}

/* An idle P gives most of what it keeps back, one at work nothing. */
static void idle_ps_are_trimmed(void)
{
	enum { N = GRT_GFREE_MAX };
	static struct g *g[N];
	struct g *hottest;

	begin();
	if (grt_stacks_scarce()) { /* then it keeps few */
		end();
		return;
	}
	for (int i = 0; i < N; i++)
		g[i] = get(p, NORMAL);
	for (int i = 0; i < N; i++)
		grt_gpool_put(p, g[i]);
	hottest = g[N - 1];
	grt_store(&p->status, P_RUNNING);
	CHECK(grt_gpool_trim(true)); /* it may become idle */
	CHECK_EQ(held(p), N);
	grt_store(&p->status, P_IDLE);
	CHECK(grt_gpool_trim(false)); /* the period is not over */
	CHECK_EQ(held(p), N);
	CHECK(grt_gpool_trim(true));
	CHECK_EQ(held(p), GRT_GFREE_IDLE);
	CHECK(!grt_gpool_trim(true));
	CHECK(get(p, NORMAL) == hottest);
	end();
}

TEST_MAIN(TEST(last_in_first_out), TEST(surplus_is_shared), TEST(idle_ps_are_asked),
	  TEST(none_lost), TEST(others_kinds_are_shared), TEST(retiring_p_gives_all),
	  TEST(trim_gives_back_the_unused), TEST(trim_counts_in_blocks), TEST(idle_ps_are_trimmed))
