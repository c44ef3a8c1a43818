/* chaos.h - places where the OS might preempt, made likely: nothing but in builds with -DGRT_CHAOS=1. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_CHAOS_H
#define GRT_BASE_CHAOS_H

#include "base/cc.h"

/*
 * Stands between two steps of a protocol. Now and then it yields the CPU, spins or sleeps, so that a stress test meets
 * in seconds what would take a machine months. GORU_CHAOS=seed makes the choices of each thread repeatable.
 */
void grt_chaos_point(void);

GRT_INLINE void grt_chaos(void)
{
	if (GRT_CHAOS_ON)
		grt_chaos_point();
}

#endif
