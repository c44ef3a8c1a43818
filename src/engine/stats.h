/* stats.h - the counts, for the trace that the monitor writes. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_STATS_H
#define GRT_ENGINE_STATS_H

#include "base/cc.h"

/* One line on standard error: the Ps, the threads, what waits to run; since: nanoseconds since the start. */
void grt_sched_trace(int64_t since);

#endif
