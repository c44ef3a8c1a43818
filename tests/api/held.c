/* held.c - a goroutine that waits or ends with a pthread mutex locked is named in checks builds, and in no other. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 */
#define _GNU_SOURCE
#include <time.h>

#include "test.h"

#include "base/sanitizer.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;

static void ok(int rc)
{
	if (rc)
		abort();
}

static void waits_locked(void)
{
	ok(pthread_mutex_lock(&m));
	goru_sleep(1000);
	ok(pthread_mutex_unlock(&m));
}

static void waits_tried(void)
{
	ok(pthread_mutex_trylock(&m));
	goru_sleep(1000);
	ok(pthread_mutex_unlock(&m));
}

static void waits_timed(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 10;
	ok(pthread_mutex_timedlock(&m, &ts));
	goru_sleep(1000);
	ok(pthread_mutex_unlock(&m));
}

/* The first of two is given back: the other is found. */
static void waits_with_the_second(void)
{
	ok(pthread_mutex_lock(&other));
	ok(pthread_mutex_lock(&m));
	ok(pthread_mutex_unlock(&other));
	goru_sleep(1000);
	ok(pthread_mutex_unlock(&m));
}

static void waits_locked_twice(void)
{
	pthread_mutexattr_t a;
	pthread_mutex_t r;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&r, &a);
	ok(pthread_mutex_lock(&r));
	ok(pthread_mutex_lock(&r));
	ok(pthread_mutex_unlock(&r));
	goru_sleep(1000);
}

static void ends_locked(void)
{
	ok(pthread_mutex_lock(&m));
}

static void waits_unlocked(void)
{
	struct timespec past = { 0, 0 };

	for (int i = 0; i < 100; i++) {
		ok(pthread_mutex_lock(&m));
		ok(pthread_mutex_lock(&other));
		if (pthread_mutex_trylock(&m) != EBUSY ||
		    pthread_mutex_timedlock(&m, &past) != ETIMEDOUT)
			abort();
		ok(pthread_mutex_unlock(&other));
		ok(pthread_mutex_unlock(&m));
		goru_sleep(1000);
		goru_yield();
	}
}

static const bool found = GRT_CHECKS_ON && GRT_LOADER_ON && !GRT_ASAN_ON && !GRT_TSAN_ON;
static void (*body)(void);

static void in_goroutine(void)
{
	RUN_ON_GOROUTINE(body);
	if (found && body == ends_locked)
		goru_sleep(GORU_FOREVER); /* its end comes after what it did */
}

static void is_found(void)
{
	static void (*const bodies[])(void) = { waits_locked,	    waits_tried,
						waits_timed,	    waits_with_the_second,
						waits_locked_twice, ends_locked };
	const size_t n = sizeof(bodies) / sizeof(bodies[0]);

	for (size_t i = 0; i < n; i++) {
		body = bodies[i];
		if (found)
			CHECK_DIES(
				in_goroutine,
				i + 1 < n ?
					"goru: fatal: goroutine 1 waits while it holds pthread mutex .." :
					"goru: fatal: goroutine 1 ends while it holds pthread mutex ..");
		else if (!GRT_TSAN_ON) /* which says so itself */
			CHECK_LIVES(in_goroutine, "");
	}
}

/* A plain thread may: it waits where it is. */
static void others_may(void)
{
	body = waits_unlocked;
	CHECK_LIVES(in_goroutine, "");
	CHECK_LIVES(waits_locked, "");
}

TEST_MAIN(TEST(is_found), TEST(others_may))
