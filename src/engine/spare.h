/* spare.h - worker threads beyond those that run: made when somebody wants one, ended when long unused. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_SPARE_H
#define GRT_ENGINE_SPARE_H

#include "base/cc.h"

/* All by the monitor; now: its time. */
void grt_spare_init(int64_t now);

/* A thread for an idle P that has work, if one was asked for (rt.want_m). */
void grt_spare_start(int64_t now);

/* A thread without a P, that a hand-off needs, if none is on its way. At max_threads, or when none can be made: says so
 * once, and tries again 100 ms later. */
void grt_spare_make(int64_t now);

/* Ends some of the threads that have not been needed for a while. */
void grt_spare_retire(int64_t now);

/* The time of the next look at that; GRT_NEVER: there are no threads to spare; 0: some are just being ended. Under rt.lock. */
int64_t grt_spare_due(void);

#endif
