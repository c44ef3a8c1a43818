/* rand.h - a small fast generator for picking victims and select cases; not for secrets. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_RAND_H
#define GRT_BASE_RAND_H

#include "base/cc.h"

/* splitmix64 (Steele, Lea, Flood 2014): one add and two multiplies, any seed is good, period 2^64. */
static inline uint64_t grt_rand64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 <= result < n, n > 0: multiply and shift, without a division; off by at most n / 2^32. */
static inline uint32_t grt_rand_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(((grt_rand64(state) >> 32) * n) >> 32);
}

#endif
