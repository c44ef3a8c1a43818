/* task.h - what shutdown does with the tasks it drops. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_TASK_H
#define GRT_SYNC_TASK_H

#include "part/g.h"

/* g, which will not run again, was to end a task. */
void grt_task_drop(struct g *g);

#endif
