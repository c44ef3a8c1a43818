/* idle.h - the wake rule: when a worker is woken for new work, and how one goes to sleep without missing any. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_IDLE_H
#define GRT_RT_IDLE_H

#include "rt/rt.h"

/* Hands an idle P to an idle M, to look for work. */
void grt_wake_one(void);

/* After work was made visible (ring, shared queue): a full fence, then wakes an M if that is due. */
GRT_INLINE void grt_wake_if_idle(void)
{
	atomic_thread_fence(memory_order_seq_cst); /* wake.F */
	if (GRT_UNLIKELY(grt_load(&grt_rt.npidle) && !grt_load(&grt_rt.nmspinning)))
		grt_wake_one();
}

/* A goroutine was queued behind another one in a place that only its P looks into (PROTOCOL own), and rt.wakeable: wakes
 * an M to look for work. If that one finds nothing old enough, wakeable stays 0 until the monitor's next tick: so much
 * short work as never waits wakes somebody for nothing once a millisecond, not once a microsecond. */
void grt_wake_surplus(void);

/* Under rt.lock. m, made without a P, has yet to go idle for the first time; it looks around then. Until that it counts as
 * one who is on his way, although it is on no list. */
void grt_starting(struct m *m, bool yes);

/* Under rt.lock. take: an idle P, the wanted one if it is among them; NULL: none. give: m runs with p from now on. */
struct p *grt_pidle_take(struct p *wanted);
void grt_pidle_put(struct p *p);
void grt_give(struct m *m, struct p *p);
struct m *grt_midle_pop(void);
/* Takes the n Ms off the idle list that have been there for longest, but for the keeper of the timers, and marks them
 * (m.ends). */
void grt_midle_end(uint32_t n);

/* Ends a section under rt.lock in which a P may have come out of idleness: the monitor must tick again. */
void grt_unlock_busy(void);

/* Wakes the monitor, for something only it does. */
void grt_monitor_kick(void);

/* m found nothing. With a P: gives it up and sleeps until it is given one; false at once if work turned up. Without:
 * sleeps. Returns true after a sleep (m.p is set, or the runtime stops). */
bool grt_idle(struct m *m);

/* m's P goes to an idle M, which runs g first; m sleeps in its place, as grt_idle. False: no M is idle, or the runtime
 * stops; nothing has changed. */
bool grt_idle_giving(struct m *m, struct g *g);

/* A spinning M found work: it stops spinning and sees to it that what else there is gets looked at. */
void grt_spin_end(struct m *m);

/* Wakes an M out of its sleep, which it was taken off the list of. */
void grt_note_wake(struct m *m);

/* A new earliest timer of some P, from one who holds none: if all are idle and nobody sleeps for it, somebody will. */
void grt_wake_for_timer(int64_t when);

/* m sleeps until then; false: the deadline came first. */
bool grt_note_sleep(struct m *m, int64_t deadline);

/* The earliest timer of all Ps; GRT_NEVER: none. */
int64_t grt_timers_earliest(void);

/* The same, without those that are over: what wakes somebody for nothing, and hides a deadlock. Takes the heaps' locks. */
int64_t grt_timers_earliest_live(void);

/* Is anything in a place where an idle M could take it from? A hint but for the fence before it. */
bool grt_work_visible(void);

#endif
