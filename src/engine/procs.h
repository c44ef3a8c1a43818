/* procs.h - how many Ps there are: at the start, and changed while everything runs. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_PROCS_H
#define GRT_ENGINE_PROCS_H

#include "rt/rt.h"

/* Ps and Ms, before anything runs: 0, -ENOMEM, -EAGAIN. One M will do if there are no more to be had. */
int grt_procs_start(uint32_t n);

/* Who changes procs while the runtime is on is one at a time. False: another one is. */
bool grt_procs_try(void);
void grt_procs_end(void);

/* Between the two: 0; -ENOMEM, and it stays as it was. */
int grt_procs_change(uint32_t n);

#endif
