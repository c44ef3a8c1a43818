/* shutdown.h - the runtime's end, and what a start that fails has in common with it. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_SHUTDOWN_H
#define GRT_ENGINE_SHUTDOWN_H

/* With RT_STOPPING and without a monitor: every M ends, as soon as it runs no goroutine, and is joined. */
void grt_workers_end(void);

/* Then: Ps, stacks, rt. */
void grt_free_all(void);

#endif
