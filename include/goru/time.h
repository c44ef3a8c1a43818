/* time.h - the clock, deadlines, sleeping and timers. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_TIME_H
#define GORU_TIME_H

#include <goru/base.h>
#include <goru/chan.h>

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

/*
 * A timer: starts a goroutine when its time has come, once or again and again. All-zero bytes are a timer
 * that was never started; nothing has to be destroyed. goru looks at this memory only inside
 * goru_timer_start and goru_timer_stop, so it may be freed or reused whenever neither is running, after
 * stop or by fn itself for instance. A timer whose memory is gone goes off all the same.
 */
typedef struct goru_timer {
	uint64_t word[12];
} goru_timer;
/* clang-format off */
#define GORU_TIMER_INIT { { 0 } }
/* clang-format on */

/*
 * Starts a timer, or moves one that is started: it forgets its old time, period, fn and arg.
 *
 * timer: all zero, or used before.
 * deadline: when fn is to run first, nanoseconds of CLOCK_MONOTONIC; at once if it is past, never with
 * GORU_FOREVER.
 * period: nanoseconds between one time and the next; 0: once. Times that were missed are skipped. If fn
 * takes longer, it runs several times at once.
 * fn: the function; runs in a goroutine of its own each time. If none can be made, it is tried again
 * every 10 ms until one can be, and each time counts as spawn_failed (goru_stats_get).
 * arg: its argument.
 * Returns: 0; -EINVAL timer or fn is NULL or period negative; -ENOMEM, and a timer that was started stays
 * as it was; -ESHUTDOWN; what goru_init may return, if the runtime was off.
 * Call from: anywhere; several may start and stop one timer at once. Starts the runtime.
 * Waits: no.
 * Order: what was done before the call is visible to fn.
 * Cost: 64 to 90 bytes until it has gone off, or for a time after it was stopped or moved, but never for
 * many more than twice as many timers as are started. Some 60 ns.
 */
GORU_API int goru_timer_start(goru_timer *timer, int64_t deadline, int64_t period,
			      void (*fn)(void *), void *arg);

/*
 * Stops a timer. Does not wait for an fn that has begun, which may be so although it has not run yet; a
 * timer that is not periodic has not and will not, if the result is 1. goru_shutdown stops all timers.
 *
 * timer: all zero, or used before.
 * Returns: 1 it was stopped before it went off, or was periodic; 0 too late, or it was not started;
 * -EINVAL timer is NULL.
 * Call from: anywhere. Does not start the runtime.
 * Waits: no.
 * Cost: two locked instructions; what it occupied is used again later.
 */
GORU_API int goru_timer_stop(goru_timer *timer);

/*
 * Makes a channel that the time is sent to, once. For select, and to wait for one moment in several
 * places; a single wait takes a deadline of its own at less cost.
 *
 * ns: how long from now, nanoseconds; at once for zero or less, never with GORU_FOREVER.
 * Returns: a channel of int64_t with room for one, made with one reference; NULL without memory, or while
 * goru_shutdown is under way. It carries goru_now() as it is sent, and is not closed afterwards.
 * Call from: anywhere. Starts the runtime.
 * Waits: no.
 * Owns: the caller the reference; the last goru_chan_unref frees it, before its time too.
 * Cost: as a channel and a timer. No goroutine.
 */
GORU_API goru_chan *goru_after(int64_t ns);

/*
 * Makes a channel that the time is sent to again and again. One that finds the last not received yet is
 * dropped, and so are those that were missed.
 *
 * period: nanoseconds from now to the first time and from each to the next, more than 0.
 * Returns: a channel of int64_t with room for one, made with one reference; NULL if period is not above
 * 0, without memory, or while goru_shutdown is under way.
 * Call from: anywhere. Starts the runtime.
 * Waits: no.
 * Owns: the caller the reference; the last goru_chan_unref stops and frees it. So does closing stop it.
 * Cost: as goru_after.
 */
GORU_API goru_chan *goru_tick(int64_t period);

GORU_END_C_

#endif
