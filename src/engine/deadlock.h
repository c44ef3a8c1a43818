/* deadlock.h - nobody runs, and nobody is left who could wake anyone. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_DEADLOCK_H
#define GRT_ENGINE_DEADLOCK_H

#include "base/cc.h"

/* Does it look so at this moment? True for good only if it still does some time later and nothing was run in between,
 * which *ticks tells. */
bool grt_deadlock(uint64_t *ticks);

/* It is so: goru_run is told, if the program wants to know; else the process ends here. */
void grt_deadlock_report(void);

#endif
