/* monitor.h - sysmon: the thread without a P that sees to what busy workers cannot. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_MONITOR_H
#define GRT_ENGINE_MONITOR_H

#include "base/cc.h"

/* 0, -EAGAIN, -ENOMEM. */
int grt_monitor_start(void);

/* Asks it to end and waits for that. */
void grt_monitor_stop(void);

/* One handshake (PROTOCOL handshake): moves the runnext of a P whose goroutine computes to where thieves find it; true if
 * it did. Called by the monitor, and by tests that want it to happen now. */
struct p;
bool grt_monitor_rescue(struct p *p);

#endif
