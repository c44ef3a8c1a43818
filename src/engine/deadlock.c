/* deadlock.c - nobody runs, and nobody is left who could wake anyone. */
/* SPDX-License-Identifier: MIT */
#include "engine/deadlock.h"

#include "base/fatal.h"
#include "os/os.h"
#include "rt/idle.h"
#include "rt/plain.h"

/* All Ps idle and all Ms asleep, or about to be with nothing to find: none is blocked in a bracket or in the program. */
static bool all_asleep(uint32_t *threads)
{
	bool yes;

	grt_spin_lock(&grt_rt.lock);
	yes = grt_load(&grt_rt.npidle) >= grt_load(&grt_rt.procs) &&
	      grt_rt.nmidle + grt_rt.nm_lock_waits == grt_rt.nm && !grt_rt.nm_starting &&
	      !grt_load(&grt_rt.want_m) && !grt_work_visible() &&
	      grt_timers_earliest_live() == GRT_NEVER;
	*threads = grt_rt.nm;
	grt_spin_unlock(&grt_rt.lock);
	return yes;
}

bool grt_deadlock(uint64_t *ticks)
{
	uint32_t workers, plain;

	*ticks = 0;
	if (grt_load(&grt_rt.run_state) != 1 || !grt_load(&grt_rt.run_sleeps) ||
	    grt_load(&grt_rt.npidle) < grt_load(&grt_rt.procs))
		return false;
	/* in this order: whoever is woken by a goroutine that then parks is no longer among those that sleep */
	if (!all_asleep(&workers) || !grt_plain_asleep(&plain))
		return false;
	for (uint32_t i = 0; i < grt_load(&grt_rt.nallp); i++)
		*ticks += grt_load(&grt_load(&grt_rt.allp[i])->schedtick);
	/* with the monitor and goru_run's caller; any other thread might wake somebody, and the signal thread
	 * (sync/signal.c) is one */
	return grt_os_threads() == workers + plain + 2;
}

void grt_deadlock_report(void)
{
	uint32_t runs = 1;

	if (!grt_rt.on_deadlock)
		grt_fatal_exit(2, "all goroutines are asleep - deadlock!");
	if (atomic_compare_exchange_strong_explicit(&grt_rt.run_state, &runs, 3,
						    memory_order_release, /* run.A */
						    memory_order_relaxed))
		grt_os_futex_wake(&grt_rt.run_state, INT32_MAX);
}
