/* monitor.h - sysmon: the thread without a P that sees to what busy workers cannot. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_MONITOR_H
#define GRT_ENGINE_MONITOR_H

#include "base/cc.h"

/* 0, -EAGAIN, -ENOMEM. */
int grt_monitor_start(void);

/* Asks it to end and waits for that. */
void grt_monitor_stop(void);

#endif
