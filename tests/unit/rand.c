/* rand.c - the generator gives splitmix64's numbers, and below() is fair and in range. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/rand.h"

/* The first outputs for seed 0, from the reference implementation. */
static void is_splitmix64(void)
{
	static const uint64_t want[] = { UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4),
					 UINT64_C(0x06c45d188009454f),
					 UINT64_C(0xf88bb8a8724c81ec) };
	uint64_t s = 0;

	for (size_t i = 0; i < grt_countof(want); i++)
		CHECK(grt_rand64(&s) == want[i]);
}

static void below_is_in_range(void)
{
	static const uint32_t ns[] = { 1, 2, 3, 7, 16, 1000, UINT32_MAX };
	uint64_t s = 1;

	for (size_t k = 0; k < grt_countof(ns); k++)
		for (int i = 0; i < 10000; i++)
			if (!CHECK(grt_rand_below(&s, ns[k]) < ns[k]))
				return;
}

/* 100,000 throws at 10: each near 10,000; 500 is five standard deviations. */
static void below_is_fair(void)
{
	int hits[10] = { 0 };
	uint64_t s = 42;

	for (int i = 0; i < 100000; i++)
		hits[grt_rand_below(&s, 10)]++;
	for (int i = 0; i < 10; i++)
		CHECK(hits[i] > 9500 && hits[i] < 10500);
}

/* The Ps' seeds are 1, 2, 3 ...: near seeds must not give equal or near streams. */
static void near_seeds_differ(void)
{
	uint64_t a = 1, b = 2;
	int same = 0;

	for (int i = 0; i < 1000; i++)
		same += grt_rand_below(&a, 16) == grt_rand_below(&b, 16);
	CHECK(same > 20 && same < 120);
}

TEST_MAIN(TEST(is_splitmix64), TEST(below_is_in_range), TEST(below_is_fair),
	  TEST(near_seeds_differ))
