/* stress.h - what the stress tests share: seed, time, progress, checks that work anywhere, threads. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TEST_STRESS_H
#define GRT_TEST_STRESS_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <goru.h>

#include "base/fatal.h"
#include "base/rand.h"

/*
 * GORU_TEST_SEED     the seed; printed at the start, another one at each run
 * GORU_TEST_SECONDS  how long the program runs, all its tests together; 0.8 by itself
 * GORU_TEST_STUCK    seconds without progress after which the watchdog ends it, 30 by itself
 * GORU_TEST_ONLY     a pattern: only the tests whose names match it
 */

/* From any goroutine and thread: CMocka's own assertions leave by longjmp and are for the main thread only. */
#define CHECK(x)                                                                                   \
	((x) ? (void)0 :                                                                           \
	       grt_fatal("%s:%d: %s (GORU_TEST_SEED=%llu)", __FILE__, __LINE__, #x,                \
			 (unsigned long long)stress_seed()))
#define CHECK_EQ(a, b)                                                                             \
	do {                                                                                       \
		long long check_a_ = (long long)(a), check_b_ = (long long)(b);                    \
		if (check_a_ != check_b_)                                                          \
			grt_fatal("%s:%d: %s is %lld, not %lld (GORU_TEST_SEED=%llu)", __FILE__,   \
				  __LINE__, #a, check_a_, check_b_,                                \
				  (unsigned long long)stress_seed());                              \
	} while (0)

uint64_t stress_seed(void);

/* A generator of its own for each goroutine and thread; the same salt gives the same numbers for one seed. */
uint64_t stress_rand(uint64_t salt);

/* Is there time left for another round? Counts as progress. */
bool stress_more(void);

/* Is there time for what takes seconds: GORU_TEST_SECONDS at least 3? */
bool stress_long(void);

/* The test's share of the time begins anew, for a second part of it. */
void stress_again(void);

/* Shuts down; from then on no goroutine loses its P while it runs (GORU_DEBUG=handoff=0), until this is called with true. A
 * thread that the kernel has put aside looks blocked, and then others do run in between. */
void stress_handoff(bool on);

/* Whoever does anything calls this; the watchdog ends the program when nobody has for long. */
void stress_progress(void);

/* n, or as many of it as the sanitizers bear. */
int stress_many(int n);

/* GORU_PROCS, as the program was started. */
unsigned stress_procs(void);

/* Now and then sleeps or yields in the kernel, for at most us microseconds; mostly does nothing. */
void stress_pause(uint64_t *rand, unsigned us);

/* Computes, without entering goru. */
void stress_spin(int64_t ns);

void stress_thread(pthread_t *t, void *(*fn)(void *), void *arg);
void stress_join(pthread_t t);

/* Starts a goroutine; it must work. */
#define GO(...) CHECK_EQ(go(__VA_ARGS__), 0)

/* Waits until x holds, which must come to pass: the watchdog ends the program otherwise. */
#define STRESS_UNTIL(x)                                                                            \
	do {                                                                                       \
		while (!(x))                                                                       \
			stress_nap();                                                              \
		stress_progress();                                                                 \
	} while (0)
void stress_nap(void);

/* Kilobytes from a line of /proc/self/status: "VmRSS:", "VmPTE:". */
long stress_status(const char *line);

/* Does an emulator run us, whose kernel is not the CPU's own? */
bool stress_emulated(void);

int stress_main(const char *name, const struct CMUnitTest *tests, size_t n);
#define STRESS_MAIN(name, ...)                                                                     \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };                                 \
		return stress_main(name, tests, sizeof(tests) / sizeof(tests[0]));                 \
	}

#endif
