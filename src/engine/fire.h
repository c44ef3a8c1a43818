/* fire.h - what alarms do when their time has come. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_FIRE_H
#define GRT_ENGINE_FIRE_H

#include "rt/rt.h"

enum { GRT_TIMER_LATE = 10 * 1000 * 1000 }; /* ns after its time: counted as late */

/* By the M that holds p: starts goroutines, sends the time. Goroutines that have become ready go onto ready; each alarm
 * says when to go off again. Returns how many went off; counts those that were late. */
uint32_t grt_fire(struct p *p, struct due_alarms *due, int64_t now, struct glist *ready);

#endif
