/* life.h - the runtime's phase, and the lock under which it changes. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_LIFE_H
#define GRT_RT_LIFE_H

#include "rt/rt.h"

/*
 * PROTOCOL phase
 *   Words    rt.phase: RT_OFF, RT_STARTING, RT_ON, RT_STOPPING.
 *   Owners   whoever holds the lock of rt/life.c.
 *   Pairs    A start: phase release -> B spawn: phase acquire   all of rt is set up before anyone spawns
 *   Relaxed  goroutines and workers look for RT_STOPPING only: who misses it meets its P's attention, or the lock.
 *   Reuse    rt is cleared in RT_OFF, when no M, no monitor and no plain thread is inside. RT_STOPPING goes back to RT_ON
 *            when a shutdown is given up: nothing was taken apart yet.
 *   Checked  tests/stress/shutdown.c, tests/api/shutdown_until.c
 */
GRT_INLINE enum rt_phase grt_phase(void)
{
	return (enum rt_phase)atomic_load_explicit(&grt_rt.phase,
						   memory_order_acquire); /* phase.B */
}

GRT_INLINE void grt_phase_set(enum rt_phase p)
{
	atomic_store_explicit(&grt_rt.phase, p, memory_order_release); /* phase.A */
}

/* Who starts and stops the runtime and changes its Ps, one at a time. -ESHUTDOWN: by a goroutine, which a shutdown waits
 * for; -ETIMEDOUT. */
int grt_life_lock(int64_t deadline);
void grt_life_unlock(void);

/* In the child of a fork: whoever held it is not there. */
void grt_life_forked(void);

#endif
