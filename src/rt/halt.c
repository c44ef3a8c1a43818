/* halt.c - for a shutdown: every M stops running goroutines, and then ends or goes on as if nothing had been. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL halt
 *   Words    m.halted, rt.nm_halted, rt.halt_ends. rt.halt_beat: rises with each M that halts or has ended; futex word.
 *   Owners   the holder of rt.lock; of the phase, the shutdown.
 *   Steps    halt, by an M that is told to stop by its P or the phase: under the lock, unless the phase is no longer
 *            RT_STOPPING or halt_ends is set: halted, beat + 1; futex wake; sleep (PROTOCOL note), with the P it holds,
 *            if any; look again.
 *            wait: read the beat; under the lock, is every M idle, locked and waiting, or halted? Else sleep while
 *            the beat is what it was.
 *            over, end: the phase or halt_ends is set; under the lock, all halted ones are no longer, and are woken.
 *   Pairs    those of rt.lock and of note.
 *   Relaxed  the beat rises under the lock: who has read it, and then sees under the lock that an M has not halted, reads it
 *            before that M's rise, and the futex sees the rise.
 *   Lock     that no M runs a goroutine stays so: one that is woken out of the idle list finds its P's attention set, or
 *            the phase, before it runs any.
 *   Reuse    nothing is taken apart before every M has halted, so to give up is to wake them: no thread has to be made.
 *   Rejected Ms that end at once: giving up would have to make new ones, which can fail.
 *   Checked  tests/api/shutdown_until.c, tests/fault/shutdown.c, tests/stress/shutdown.c
 */
#include "rt/halt.h"

#include "base/chaos.h"
#include "os/os.h"
#include "rt/idle.h"

enum { SOON = 10 * 1000 * 1000 }; /* ns */

void grt_halt_note(void)
{
	atomic_fetch_add_explicit(&grt_rt.halt_beat, 1, memory_order_relaxed);
}

void grt_halt_tell(void)
{
	grt_os_futex_wake(&grt_rt.halt_beat, 1);
}

bool grt_halt(struct m *m)
{
	for (;;) {
		bool stops, ends;

		grt_chaos();
		grt_spin_lock(&grt_rt.lock);
		stops = grt_load(&grt_rt.phase) == RT_STOPPING;
		ends = grt_rt.halt_ends;
		if (stops && !ends) {
			m->halted = true;
			grt_rt.nm_halted++;
			grt_halt_note();
		}
		grt_spin_unlock(&grt_rt.lock);
		if (!stops || ends)
			return !stops;
		grt_halt_tell();
		grt_chaos();
		grt_note_sleep(m, GRT_NEVER);
	}
}

/* Those that run goroutines. True: none does, and no M is on its way to halting either. */
static bool all_halted(struct halt_left *left)
{
	bool yes;

	left->n = 0;
	grt_spin_lock(&grt_rt.lock);
	yes = grt_rt.nmidle + grt_rt.nm_lock_waits + grt_rt.nm_halted == grt_rt.nm;
	for (struct m *m = grt_rt.allm; m && !yes; m = m->alllink) {
		struct g *g = grt_peek(&m->curg);

		if (!g)
			continue;
		if (left->n < GRT_HALT_NAMED)
			left->g[left->n] = g;
		left->n++;
	}
	grt_spin_unlock(&grt_rt.lock);
	return yes;
}

/* What can be done at once is done even if it is late: an M without a goroutine is about to halt, or has just taken one. */
bool grt_halt_wait(int64_t deadline, struct halt_left *left)
{
	bool late = false;

	for (;;) {
		uint32_t seen = grt_load(&grt_rt.halt_beat);

		grt_chaos();
		if (all_halted(left))
			return true;
		if (late && left->n)
			return false;
		if (late)
			deadline = grt_os_now() + SOON;
		late |= grt_os_futex_wait(&grt_rt.halt_beat, seen, deadline) < 0;
	}
}

/* Under rt.lock. */
static void wake_all(void)
{
	for (struct m *m = grt_rt.allm; m; m = m->alllink) {
		if (!m->halted)
			continue;
		m->halted = false;
		grt_rt.nm_halted--;
		grt_note_wake(m);
	}
}

void grt_halt_over(void)
{
	grt_spin_lock(&grt_rt.lock);
	wake_all();
	grt_spin_unlock(&grt_rt.lock);
}

void grt_halt_end(void)
{
	grt_spin_lock(&grt_rt.lock);
	grt_rt.halt_ends = true;
	wake_all();
	grt_spin_unlock(&grt_rt.lock);
}
