/* arm.h - setting an alarm and calling it off, from wherever the caller is. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_ARM_H
#define GRT_SYNC_ARM_H

#include "part/alarm.h"
#include "rt/self.h"

/* The caller, inside goru and with the runtime on, which is started if need be. grt_arm_enter: -ESHUTDOWN, or what the
 * start gave, and outside. */
struct arming {
	struct self self;
	struct timers *timers;
	struct armed armed;
};
int grt_arm_enter(struct arming *s);

/* Then: an alarm that is the caller's to fill in, and its heap locked, or -ENOMEM; it goes off at when, from which on it
 * may be anyone's. */
int grt_arm_begin(struct arming *s);
void grt_arm_end(struct arming *s, int64_t when);
void grt_arm_leave(struct arming *s);

/* As grt_enter_nowait; between it and leaving, an alarm of the epoch that grt_rt says lives. */
struct self grt_armed_enter(void);

GRT_INLINE bool grt_armed_lives(const struct armed *a)
{
	return a->alarm && a->epoch == grt_load(&grt_rt.epoch);
}

/* In between: false: it has gone off or was stopped. */
GRT_INLINE bool grt_armed_stop(const struct armed *a)
{
	return grt_armed_lives(a) && grt_alarm_claim(a->alarm, a->open, ALARM_STOPPED);
}

#endif
