/* big_bare.c - threads that end on a big stack where an unwinder finds no way on: the stacks are given back all the same. */
/* SPDX-License-Identifier: MIT */
/* test: cflags=-fno-asynchronous-unwind-tables,-fno-unwind-tables,-fno-exceptions */
#include <pthread.h>

#include "test.h"

#include "base/sanitizer.h"

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

/* Without a table for the function that ends it, no clean-up of the call is reached: what is left is. */
static void threads_end(void)
{
	int before = 0;

	for (int i = 0; i < 60; i++) {
		pthread_t t;

		if (i == 20)
			before = test_mappings();
		CHECK_EQ(pthread_create(&t, NULL, ends_there, i % 2 ? &t : NULL), 0);
		test_join(t);
	}
	/* the sanitizers have mappings of their own; musl ends a thread on the stack where it is, and that one stays */
#ifdef __GLIBC__
	CHECK(GRT_ASAN_ON || GRT_TSAN_ON || test_mappings() - before < 20);
#else
	CHECK(test_mappings() - before < 100);
#endif
}

TEST_MAIN(TEST(threads_end))
