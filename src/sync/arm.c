/* arm.c - setting an alarm and calling it off, from wherever the caller is. */
/* SPDX-License-Identifier: MIT */
#include "sync/arm.h"

#include <errno.h>

#include "base/sanitizer.h"
#include "rt/idle.h"

int grt_arm_enter(struct arming *s)
{
	struct m *m = grt_enter();
	int rc;

	s->self = (struct self){ m, NULL };
	if (!m) {
		rc = grt_plain_enter_on();
		if (rc < 0)
			return rc;
	} else if (grt_load(&grt_rt.phase) == RT_STOPPING) {
		grt_leave(m);
		return -ESHUTDOWN;
	} else {
		s->self.p = grt_p_of(m);
	}
	/* without a P into the first one's: there always is one */
	s->timers = &(s->self.p ? s->self.p : grt_load(&grt_rt.allp[0]))->timers;
	return 0;
}

int grt_arm_begin(struct arming *s)
{
	struct alarm *a;
	int rc = grt_timers_alarm(s->timers, &a);

	if (rc == 0)
		s->armed = (struct armed){ a, grt_load(&a->claim), grt_load(&grt_rt.epoch) };
	return rc;
}

void grt_arm_end(struct arming *s, int64_t when)
{
	grt_tsan_release(s->armed.alarm);
	/* who holds a P will look at its timers before that P is idle; till then the monitor does */
	if (grt_timers_arm(s->timers, s->armed.alarm, when) && !s->self.p)
		grt_wake_for_timer(when);
}

void grt_arm_leave(struct arming *s)
{
	grt_leave_nowait(s->self);
}

struct self grt_armed_enter(void)
{
	struct self s = grt_enter_nowait();

	if (!s.m)
		atomic_thread_fence(memory_order_seq_cst); /* plain.F */
	return s;
}
