/* runq.c - the ring: order, its limits, steal, and nothing lost or doubled under thieves. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "part/runq.h"

enum { LEN = GRT_RUNQ_LEN, MANY = 20000 };

static struct runq q, other;
static struct g *gs;

/* Empty, with both words at start: they run freely and wrap. */
static void reset(struct runq *r, uint32_t start)
{
	grt_store(&r->head, start);
	grt_store(&r->tail, start);
}

static const uint32_t starts[] = { 0, 17, UINT32_MAX - 3, UINT32_MAX - LEN + 1 };

static void fill(struct runq *r, uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		CHECK(grt_runq_push(r, &gs[from + i]));
}

static void first_in_first_out(void)
{
	for (size_t k = 0; k < grt_countof(starts); k++) {
		reset(&q, starts[k]);
		CHECK(!grt_runq_pop(&q));
		fill(&q, 0, LEN);
		CHECK_EQ(grt_runq_len(&q), LEN);
		CHECK(!grt_runq_push(&q, &gs[LEN])); /* full, and nothing changed */
		CHECK_EQ(grt_runq_len(&q), LEN);
		for (uint32_t i = 0; i < LEN; i++)
			CHECK(grt_runq_pop(&q) == &gs[i]);
		CHECK(!grt_runq_pop(&q));
		CHECK_EQ(grt_runq_len(&q), 0);
	}
}

/* Older half, rounded up; all but the last in order into the thief's ring, the last to be run. */
static void steal_takes_the_older_half(void)
{
	static const uint32_t have[] = { 1, 2, 3, 10, LEN - 1, LEN };

	for (size_t k = 0; k < grt_countof(starts); k++) {
		for (size_t h = 0; h < grt_countof(have); h++) {
			uint32_t n = have[h] - have[h] / 2;

			reset(&q, starts[k]);
			reset(&other, starts[grt_countof(starts) - 1 - k]);
			fill(&q, 0, have[h]);
			CHECK(grt_runq_steal(&other, &q) == &gs[n - 1]);
			CHECK_EQ(grt_runq_len(&other), n - 1);
			CHECK_EQ(grt_runq_len(&q), have[h] - n);
			for (uint32_t i = 0; i + 1 < n; i++)
				CHECK(grt_runq_pop(&other) == &gs[i]);
			if (have[h] > 1)
				CHECK(grt_runq_pop(&q) == &gs[n]);
		}
	}
	reset(&q, 5);
	reset(&other, 9);
	CHECK(!grt_runq_steal(&other, &q));
	CHECK_EQ(grt_runq_len(&other), 0);
}

/* A tail read before the head moved on: must not look like four billion. */
static void len_of_two_moments_is_zero(void)
{
	grt_store(&q.head, 12);
	grt_store(&q.tail, 10);
	CHECK_EQ(grt_runq_len(&q), 0);
}

static _Atomic uint8_t seen[MANY];
static _Atomic int done, taken;

static void took(struct g *g)
{
	CHECK_EQ(atomic_fetch_add_explicit(&seen[g - gs], 1, memory_order_relaxed), 0);
	atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
}

static void thief(void)
{
	struct runq *mine = aligned_alloc(GRT_CACHELINE, sizeof(*mine));
	struct g *g;

	reset(mine, UINT32_MAX - 100);
	while (!atomic_load(&done) || grt_runq_len(&q)) {
		g = grt_runq_steal(mine, &q);
		for (; g; g = grt_runq_pop(mine))
			took(g);
	}
	free(mine);
}

/* One producer that also takes, two thieves: each goroutine is taken exactly once. */
static void nothing_lost_or_doubled(void)
{
	pthread_t t[2];
	int i = 0;
	uint64_t r = 7;

	atomic_store(&done, 0);
	atomic_store(&taken, 0);
	reset(&q, UINT32_MAX - 1000);
	for (int k = 0; k < 2; k++)
		test_thread(&t[k], thief);
	while (i < MANY) {
		for (int n = (int)(test_rand(&r) % 40); n > 0 && i < MANY; n--) {
			struct g *g = NULL;

			if (grt_runq_push(&q, &gs[i]))
				i++;
			else
				g = grt_runq_pop(&q);
			if (g)
				took(g);
		}
		for (int n = (int)(test_rand(&r) % 10); n > 0; n--) {
			struct g *g = grt_runq_pop(&q);

			if (g)
				took(g);
		}
	}
	for (struct g *g; (g = grt_runq_pop(&q));)
		took(g);
	atomic_store(&done, 1);
	for (int k = 0; k < 2; k++)
		test_join(t[k]);
	CHECK_EQ(atomic_load(&taken), MANY);
}

static void gs_make(void)
{
	gs = calloc(MANY, sizeof(*gs));
	CHECK(gs);
}

static void gs_free(void)
{
	free(gs);
}

TEST_MAIN(TEST(gs_make), TEST(first_in_first_out), TEST(steal_takes_the_older_half),
	  TEST(len_of_two_moments_is_zero), TEST(nothing_lost_or_doubled), TEST(gs_free))
