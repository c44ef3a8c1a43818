/* fork.h - what a fork does to its child. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_FORK_H
#define GRT_ENGINE_FORK_H

/* By a start: forks are heard of. -ENOMEM. */
int grt_fork_watch(void);

/* By a start in a child of fork (grt_forked): what the parent's runtime had is nobody's. */
void grt_fork_forget(void);

#endif
