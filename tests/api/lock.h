/* lock.h - what the programs about locks share: many who use one, and misuse in children. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TESTS_LOCK_H
#define GRT_TESTS_LOCK_H

#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

static goru_waitgroup wg;

/* fn on n goroutines; each says goru_waitgroup_done(&wg) at its end. */
static inline void start(int n, void (*fn)(void))
{
	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		CHECK_EQ(go(fn), 0);
}

static inline void all_ended(void)
{
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* Misuse, in a child each. */

static inline void run_named(void (*fn)(void *))
{
	goru_attr a = { .name = "worker" };

	CHECK_EQ(goru_go_attr(&a, fn, NULL), 0);
	sleep(20);
}

/* The body on a goroutine (name) and on a plain thread (name_plain). */
#define ON_GOROUTINE(name, ...)                                                                    \
	static void name##_body(void *arg)                                                         \
	{                                                                                          \
		(void)arg;                                                                         \
		__VA_ARGS__;                                                                       \
	}                                                                                          \
	static void name(void)                                                                     \
	{                                                                                          \
		run_named(name##_body);                                                            \
	}                                                                                          \
	static void name##_plain(void)                                                             \
	{                                                                                          \
		name##_body(NULL);                                                                 \
	}

/* The line: kind and address of the object, what was done, who did it, what else. */
static inline void dies(void (*fn)(void), const char *kind, void *object, const char *done,
			const char *who, const char *else_)
{
	char want[256];

	snprintf(want, sizeof(want), "goru: fatal: %s %p%s%s%s", kind, object, done, who, else_);
	CHECK_DIES(fn, want);
}
#define DIES(fn, ...)                                                                              \
	DIES_(fn, __VA_ARGS__, "goroutine 1 (worker)");                                            \
	DIES_(fn##_plain, __VA_ARGS__, "a plain thread")
#define DIES_(fn, kind, object, done, else_, who) dies(fn, kind, object, done, who, else_)

#endif
