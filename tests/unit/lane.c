/* lane.c - a P's private lane: both ends, its limits, and what others may conclude from its head. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "part/lane.h"

enum { LEN = GRT_LANE_LEN };

static struct lane l;
static struct g gs[LEN + 1];

/* Empty, with both words at start: they run freely and wrap. */
static void reset(uint32_t start)
{
	grt_store(&l.head, start);
	grt_store(&l.tail, start);
}

static const uint32_t starts[] = { 0, 17, UINT32_MAX - 3, UINT32_MAX - LEN + 1 };

static void fill(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		CHECK(grt_lane_push(&l, &gs[i]));
}

static void oldest_first(void)
{
	for (size_t k = 0; k < grt_countof(starts); k++) {
		reset(starts[k]);
		CHECK(!grt_lane_oldest(&l));
		fill(LEN);
		CHECK(!grt_lane_push(&l, &gs[LEN])); /* full, and nothing changed */
		CHECK_EQ(grt_lane_len(&l), LEN);
		for (uint32_t i = 0; i < LEN; i++)
			CHECK(grt_lane_oldest(&l) == &gs[i]);
		CHECK(!grt_lane_oldest(&l));
		CHECK_EQ(grt_lane_len(&l), 0);
	}
}

static void newest_first(void)
{
	for (size_t k = 0; k < grt_countof(starts); k++) {
		reset(starts[k]);
		CHECK(!grt_lane_newest(&l));
		fill(LEN);
		for (uint32_t i = LEN; i-- > 0;)
			CHECK(grt_lane_newest(&l) == &gs[i]);
		CHECK(!grt_lane_newest(&l));
		CHECK_EQ(grt_lane_len(&l), 0);
	}
}

static void both_ends(void)
{
	uint64_t r = 9;
	uint32_t lo = 0, hi = 0;

	reset(UINT32_MAX - 50);
	for (int i = 0; i < 100000; i++) {
		if (lo == hi)
			lo = hi = 0;
		switch (test_rand(&r) % 4) {
		case 0:
			CHECK(grt_lane_oldest(&l) == (lo == hi ? NULL : &gs[lo]));
			lo += lo != hi;
			break;
		case 1:
			CHECK(grt_lane_newest(&l) == (lo == hi ? NULL : &gs[hi - 1]));
			hi -= lo != hi;
			break;
		default:
			if (hi < LEN)
				CHECK(grt_lane_push(&l, &gs[hi++]));
			break;
		}
		CHECK_EQ(grt_lane_len(&l), hi - lo);
	}
}

/* Whoever sees the same head and something in the lane sees the same oldest. */
static void head_moves_with_the_oldest(void)
{
	uint32_t h;

	reset(5);
	fill(3);
	h = grt_load(&l.head);
	CHECK(grt_lane_newest(&l) == &gs[2]);
	CHECK(grt_lane_newest(&l) == &gs[1]);
	CHECK_EQ(grt_load(&l.head), h);
	CHECK(grt_lane_newest(&l) == &gs[0]); /* the last one, by the other end */
	CHECK(grt_load(&l.head) != h);
	fill(1);
	CHECK(grt_load(&l.head) != h);
}

static void len_of_two_moments_is_zero(void)
{
	grt_store(&l.head, 12);
	grt_store(&l.tail, 10);
	CHECK_EQ(grt_lane_len(&l), 0);
}

TEST_MAIN(TEST(oldest_first), TEST(newest_first), TEST(both_ends), TEST(head_moves_with_the_oldest),
	  TEST(len_of_two_moments_is_zero))
