/* monitor.h - sysmon: the thread without a P that sees to what busy workers cannot. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_MONITOR_H
#define GRT_ENGINE_MONITOR_H

#include "base/cc.h"

/* 0, -EAGAIN, -ENOMEM. */
int grt_monitor_start(void);

/* Until resume or stop it looks at nothing, makes no thread and takes no P; returns when that is so. */
void grt_monitor_pause(void);
void grt_monitor_resume(void);

/* Asks it to end and waits for that. */
void grt_monitor_stop(void);

/* Its one tick, at time now: sees to everything and returns until when it may sleep. */
int64_t grt_monitor_tick(int64_t now);

#endif
