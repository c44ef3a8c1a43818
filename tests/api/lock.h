/* lock.h - what the programs about locks share: many who use one. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TESTS_LOCK_H
#define GRT_TESTS_LOCK_H

#include <stdatomic.h>

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

#endif
