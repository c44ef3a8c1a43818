/* time.h - the clock, deadlines and sleeping. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_TIME_H
#define GORU_TIME_H

#include <goru/base.h>

/* A deadline that never comes. */
#define GORU_FOREVER INT64_MAX

/* Spans of time, in nanoseconds: goru_sleep(20 * GORU_MSEC). */
#define GORU_USEC INT64_C(1000)
#define GORU_MSEC INT64_C(1000000)
#define GORU_SEC  INT64_C(1000000000)

GORU_BEGIN_C_

/*
 * Reads the clock that all deadlines refer to.
 *
 * Returns: CLOCK_MONOTONIC, in nanoseconds.
 * Call from: anywhere.
 * Waits: no.
 * Cost: one read of the clock, usually without a system call.
 */
GORU_API int64_t goru_now(void);

/*
 * Makes a deadline from a span of time.
 *
 * ns: nanoseconds from now; may be negative or GORU_FOREVER.
 * Returns: goru_now() + ns, held within int64_t: what would lie beyond it is GORU_FOREVER.
 * Call from: anywhere.
 * Waits: no.
 * Cost: as goru_now.
 */
GORU_API int64_t goru_in(int64_t ns);

/*
 * Sleeps. Zero or less only lets others go first, as goru_yield does.
 *
 * ns: how long, nanoseconds. The sleep is never shorter.
 * Returns: 0; -ECANCELED on a plain thread when goru_shutdown ended the sleep.
 * Call from: anywhere.
 * Waits: until the time has come. A goroutine parks, a plain thread waits in the kernel.
 * Cost: an entry in a table of deadlines, which grows by doubling: -ENOMEM when it cannot, without
 * having slept.
 */
GORU_API int goru_sleep(int64_t ns);

/*
 * Sleeps until a moment. One that is past only lets others go first, as goru_yield does.
 *
 * deadline: nanoseconds of CLOCK_MONOTONIC; GORU_FOREVER sleeps for ever.
 * Returns: 0; -ECANCELED on a plain thread when goru_shutdown ended the sleep.
 * Call from: anywhere.
 * Waits: until the deadline. A goroutine parks, a plain thread waits in the kernel.
 * Cost: as goru_sleep, without reading the clock first.
 */
GORU_API int goru_sleep_until(int64_t deadline);

GORU_END_C_

#endif
