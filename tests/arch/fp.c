/* fp.c - floating point, varargs and aligned locals work on a goroutine from its first instruction on. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 */
#include <math.h>
#include <stdatomic.h>

#include "test.h"

static goru_waitgroup wg;

/* Computes with others in between; compared with the same without them. */
static __attribute__((noinline)) double series(int n, bool yield)
{
	double sum = 0;
	long double wide = 0;
	float narrow = 0;

	for (int i = 1; i < 200; i++) {
		sum += sin(n * 0.37 + i) / i;
		wide += 1.0L / (i * n);
		narrow += (float)sqrt(i + n);
		if (yield && i % 10 == 0)
			goru_yield();
	}
	return sum + (double)wide + (double)narrow;
}

static void computes(int n)
{
	char text[100];
	struct {
		double d[4] __attribute__((aligned(64)));
	} local;

	CHECK_EQ((uintptr_t)&local % 64, 0);
	for (int i = 0; i < 4; i++)
		local.d[i] = n + i / 4.0;
	/* the C library's vector code wants an aligned stack, too */
	snprintf(text, sizeof(text), "%g %g %g %g %d %Lg %g", local.d[0], local.d[1], local.d[2],
		 local.d[3], n, (long double)n / 2, fmod(n * 1.5, 1e9));
	CHECK(strtod(text, NULL) == n);
	CHECK(series(n, true) == series(n, false));
	goru_waitgroup_done(&wg);
}

static void goroutines_compute(void)
{
	goru_waitgroup_add(&wg, 20);
	for (int i = 1; i <= 20; i++)
		CHECK_EQ(go(computes, i), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

TEST_MAIN(TEST_BOTH(goroutines_compute))
