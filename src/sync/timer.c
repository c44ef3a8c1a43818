/* timer.c - timers that start goroutines, and channels that tell the time. */
/* SPDX-License-Identifier: MIT */
/*
 * An alarm (part/alarm.h) stands in the heap; the program's goru_timer only names it, and nobody but start and stop looks
 * at the program's memory. So it may go away at any moment that those two are not running.
 */
#include <errno.h>

#include "goru.h"
#include "os/os.h"
#include "sync/arm.h"
#include "sync/chan.h"

struct timer {
	struct spin lock; /* armed */
	struct armed armed;
};
_Static_assert(sizeof(struct timer) <= sizeof(goru_timer), "the header's size is fixed");

static struct timer *timer_of(goru_timer *t)
{
	return (struct timer *)(void *)t;
}

static void lock(struct timer *t)
{
	uint32_t zero = 0;

	if (GRT_CHECKS_ON) /* the program's zeros have no rank yet */
		atomic_compare_exchange_strong_explicit(&t->lock.word, &zero,
							(uint32_t)LOCK_TIMER << 1,
							memory_order_relaxed, memory_order_relaxed);
	grt_spin_lock(&t->lock);
}

/* A deadline before the machine's start is past, and what follows must not overflow. */
static int64_t clamp(int64_t deadline)
{
	return deadline < 0 ? 0 : deadline;
}

GRT_PUBLIC int goru_timer_start(goru_timer *timer, int64_t deadline, int64_t period,
				void (*fn)(void *), void *arg)
{
	struct timer *t = timer_of(timer);
	struct arming s;
	int rc;

	if (!timer || !fn || period < 0)
		return -EINVAL;
	rc = grt_arm_enter(&s);
	if (rc < 0)
		return rc;
	lock(t);
	rc = grt_arm_begin(&s);
	if (rc == 0) {
		s.armed.alarm->fn = fn;
		s.armed.alarm->arg = arg;
		s.armed.alarm->period = period;
		s.armed.alarm->from = __builtin_return_address(0);
		grt_armed_stop(&t->armed);
		t->armed = s.armed;
	}
	/* the last touch: fn may free the timer, and may run before we return */
	grt_spin_unlock(&t->lock);
	if (rc == 0)
		grt_arm_end(&s, clamp(deadline));
	grt_arm_leave(&s);
	return rc;
}

GRT_PUBLIC int goru_timer_stop(goru_timer *timer)
{
	struct timer *t = timer_of(timer);
	bool stopped;

	if (!timer)
		return -EINVAL;

	struct self s = grt_armed_enter();

	lock(t);
	stopped = grt_armed_stop(&t->armed);
	t->armed.alarm = NULL;
	grt_spin_unlock(&t->lock);
	grt_leave_nowait(s);
	return stopped;
}

static goru_chan *timed(int64_t when, int64_t period)
{
	goru_chan *c = grt_chan_make_timed();
	struct arming s;
	int rc;

	if (!c)
		return NULL;
	rc = grt_arm_enter(&s);
	if (rc == 0) {
		rc = grt_arm_begin(&s);
		if (rc == 0) {
			s.armed.alarm->fn = NULL;
			s.armed.alarm->arg = c;
			s.armed.alarm->period = period;
			*grt_chan_armed(c) = s.armed;
			grt_arm_end(&s, clamp(when));
		}
		grt_arm_leave(&s);
	}
	if (rc < 0) {
		goru_chan_unref(c);
		return NULL;
	}
	return c;
}

GRT_PUBLIC goru_chan *goru_after(int64_t ns)
{
	return timed(goru_in(ns), 0);
}

GRT_PUBLIC goru_chan *goru_tick(int64_t period)
{
	return period > 0 ? timed(goru_in(period), period) : NULL;
}
