/* deep.c - functions that need much stack, and threads that end on a big one. */
/* SPDX-License-Identifier: MIT */
#include "deep.h"

#include <pthread.h>

#include "test.h"

#include "base/sanitizer.h"

__attribute__((noinline)) int test_deep(int n)
{
	volatile char use[1000];

	use[0] = use[999] = 1;
	return n == 0 ? use[999] : test_deep(n - 1) + use[0];
}

static __attribute__((noinline)) int deeper(int n)
{
	volatile char use[200];

	use[0] = (char)n;
	return n < 0 ? 0 : deeper(n + 1) + use[0];
}

void test_overflow(void)
{
	deeper(0);
}

static void ends_thread_there(void *arg)
{
	if (arg)
		goru_call_on_big_stack(1 << 17, ends_thread_there, NULL);
	pthread_exit(NULL);
}

static void *ends_there(void *arg)
{
	goru_call_on_big_stack(1 << 18, ends_thread_there, arg);
	CHECK(!"after pthread_exit");
	return arg;
}

void test_threads_end_on_big_stacks(void)
{
	int before = 0;

#ifdef __GLIBC__
	if (GRT_ASAN_ON || GRT_TSAN_ON)
		return;
	for (int i = 0; i < 60; i++) {
		pthread_t t;

		if (i == 20)
			before = test_mappings();
		CHECK_EQ(pthread_create(&t, NULL, ends_there, i % 2 ? &t : NULL), 0);
		test_join(t);
	}
	CHECK(test_mappings() - before < 20);
#endif
	(void)ends_there;
	(void)before;
}
