/* procs.h - how many Ps there are: at the start, and changed while everything runs. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_PROCS_H
#define GRT_ENGINE_PROCS_H

#include "rt/rt.h"

/* Ps and one M, before anything runs: 0, -ENOMEM, -EAGAIN. Then, with the monitor there, the other Ms, as far as they can be
 * had: it makes the rest when they are wanted. */
int grt_procs_start(uint32_t n);
void grt_procs_more(uint32_t n);

/* Who changes procs while the runtime is on is one at a time. False: another one is. */
bool grt_procs_try(void);
void grt_procs_end(void);

/* Between the two: 0; -ENOMEM, and it stays as it was. */
int grt_procs_change(uint32_t n);

#endif
