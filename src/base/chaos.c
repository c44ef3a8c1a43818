/* chaos.c - places where the OS might preempt, made likely: nothing but in builds with -DGRT_CHAOS=1. */
/* SPDX-License-Identifier: MIT */
#include "base/chaos.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "base/atomic.h"
#include "base/rand.h"

static uint64_t seed(void)
{
	static _Atomic uint64_t nth;
	const char *v = getenv("GORU_CHAOS");
	uint64_t from = v && *v ? strtoull(v, NULL, 0) : (uint64_t)time(NULL);

	return from * 1000003 + atomic_fetch_add_explicit(&nth, 1, memory_order_relaxed) + 1;
}

/* Never inlined, so that no caller keeps the address of another thread's state over a switch. */
GRT_NOINLINE void grt_chaos_point(void)
{
	static _Thread_local uint64_t state;
	int saved = errno;

	if (!state)
		state = seed();

	uint32_t dice = grt_rand_below(&state, 512);

	if (dice == 0) {
		struct timespec ts = { 0, 1000 + grt_rand_below(&state, 100000) };

		nanosleep(&ts, NULL);
	} else if (dice < 8) {
		sched_yield();
	} else if (dice < 24) {
		for (uint32_t i = grt_rand_below(&state, 200); i > 0; i--)
			grt_relax();
	}
	errno = saved;
}
