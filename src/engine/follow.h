/* follow.h - procs follow the CPUs that the process may use. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_FOLLOW_H
#define GRT_ENGINE_FOLLOW_H

#include "base/cc.h"

/* The monitor's, at its ticks: so not while everything is idle, and soon when that ends. */
void grt_follow_init(int64_t now);
void grt_follow(int64_t now);

#endif
