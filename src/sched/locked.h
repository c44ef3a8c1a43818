/* locked.h - a goroutine locked to its thread: how its P leaves it and comes back. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_LOCKED_H
#define GRT_SCHED_LOCKED_H

#include "rt/self.h"

/*
 * PROTOCOL locked
 *   Words    G_LOCKED, g.lockm, g.lock_at, m.lockg; m.lock_waits.
 *   Owners   the goroutine, while it runs; m.lock_waits: the holder of rt.lock.
 *   Steps    A P that a locked goroutine runs on has to_loop 0, so that nobody is switched to from it but the M's loop
 *            (sched/next.h), by grt_switch_locked.
 *            out (sched/switch.c): the P goes to another M; the registers are saved in g.lock_at, and g.sched.sp stays 0 (PROTOCOL gobuf):
 *            whoever takes the goroutine finds what looks like one whose registers are not saved, which is rare, and
 *            only there asks why. So nothing here costs those anything that are not locked.
 *            wait, on the M's own stack: under the lock lock_waits = true; sleep (PROTOCOL note).
 *            start, by the M that took it out of a queue: under the lock, lock_waits: false, the P goes to lockm, which is
 *            woken and runs it. Not yet: its thread is about to wait, back to the shared queue with it.
 *            end: the P goes to another M, and the thread ends.
 *   Pairs    those of the queues, of gobuf and of note.
 *   Reuse    an M that a goroutine is locked to ends only after that goroutine.
 *   Rejected lock_at in struct m: a dump would look into one that is freed meanwhile.
 *            The M looks for other work itself, to hand it on, and for its own goroutine: two threads then wake each other
 *            for what one of them must do anyway.
 *   Checked  tests/api/lock_thread.c, tests/stress/lock_thread.c
 */

/* By m, which holds p and took g, locked to another M, to run it. m has no P any more, or g was put back. */
void grt_locked_start(struct m *m, struct p *p, struct g *g);

/* By the loop: sleeps until m.lockg is to run; m.held is set. False: m ends. */
bool grt_locked_wait(struct m *m);

/* The locked goroutine of m ends: as soon as it is off its stack the thread does. */
void grt_locked_end(struct m *m, struct g *g);

/* By shutdown: wakes all out of grt_locked_wait. */
void grt_locked_wake_all(void);

#endif
