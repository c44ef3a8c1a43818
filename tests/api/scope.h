/* scope.h - what the programs about scopes share: two scopes, and members that wait for ever. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TESTS_SCOPE_H
#define GRT_TESTS_SCOPE_H

#include <stdatomic.h>

#include "test.h"

static goru_scope s, inner;
static goru_chan *never; /* nobody ever sends */
static _Atomic int ran, canceled, timedout;

static inline void count(int rc)
{
	if (rc == -ECANCELED)
		atomic_fetch_add(&canceled, 1);
	else if (rc == -ETIMEDOUT)
		atomic_fetch_add(&timedout, 1);
	else
		CHECK_EQ(rc, -ECANCELED);
}

static inline void waits(void)
{
	atomic_fetch_add(&ran, 1);
	count(goru_chan_recv(never, NULL));
}

static inline void anew(void)
{
	atomic_store(&ran, 0);
	atomic_store(&canceled, 0);
	atomic_store(&timedout, 0);
	if (!never)
		never = goru_chan_make(8, 0);
	memset(&s, 0, sizeof(s));
	memset(&inner, 0, sizeof(inner));
}

#endif
