/* spin.c - waiting for a spin lock whose holder takes longer than it should. */
/* SPDX-License-Identifier: MIT */
#include "base/spin.h"

#include <sched.h>
#include <time.h>

/*
 * Sections under a spin lock take tens of nanoseconds; whoever waits longer waits for a holder that the OS preempted.
 * Then only giving the CPU away helps: sched_yield lets a holder of the same priority run, the short sleep one of a
 * lower priority.
 */
GRT_COLD void grt_spin_pause(unsigned i)
{
	struct timespec ts = { 0, 50000 };

	if (i < 100)
		grt_relax();
	else if (i < 200)
		sched_yield();
	else
		nanosleep(&ts, NULL);
}

GRT_COLD void grt_spin_wait(struct spin *s)
{
	for (unsigned i = 0; grt_load(&s->word) & 1; i++)
		grt_spin_pause(i);
}
