/* own.h - what a P has to run: its private places, and how others get a share of them. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_OWN_H
#define GRT_RT_OWN_H

#include "rt/rt.h"

/*
 * PROTOCOL own
 *   Words    p.runnext, p.spawned, p.woken: runnable goroutines that only the P's holder puts in and takes out, without
 *            any ordering. p.runq, the ring, is what others may steal from; the holder uses it for what it shares.
 *            p.ring_trees: all that lies in the ring was spawned and has not run: its oldest are the biggest parts of
 *            trees. Said of an empty ring it means nothing.
 *   Owners   whoever holds the P: the M between entering and leaving, or who took it by PROTOCOL handshake. It alone
 *            writes ring_trees as well: whoever fills the ring (share, rescue, yield, engine/pick.c) says what with. While
 *            the P is idle: the holder of rt.lock. p.to_loop to p.jumped: the M that holds it.
 *   Steps    share: the older half goes to the ring, at its holder's next pick, when somebody who looks for work asks for
 *            it (ATT_SHARE). rescue: the same by whoever asks, through the handshake, if the holder does not pick: its
 *            goroutine computes.
 *            A share is asked for when the oldest goroutine has waited about as long as waking a CPU takes (engine/pick.c,
 *            engine/monitor.c). What is taken sooner costs more to move than to run.
 *   Pairs    those of handshake and runq.
 *   Relaxed  the heads, tails, runnext and schedtick as read by those who look: hints; the handshake decides.
 *            ring_trees as read by the monitor and by a thief, whose ring inherits it: decides only about turns.
 *   Fence    none: that nobody sleeps for long while much is queued here is seen to by the holder (grt_wake_surplus),
 *            and by the monitor's tick if the holder just missed that somebody went idle.
 *   Rejected a deque that thieves take from: its owner pays a locked instruction for every pick (5 ns of 11), or thieves
 *            pay a membarrier for every theft (13 us with another CPU busy). And a thief that takes what would have run
 *            in the next microsecond costs both more than it saves: 1000 goroutines spawned and waited for took 240 ns
 *            each with a second worker, 60 without.
 *   Checked  tests/model/handshake.c, tests/unit/own.c, lane.c and watch.c, tests/stress/rescue.c, steal.c and fair.c
 */

/* Next of the P's own: the newest woken or spawned, then the spawned newest first, so that a tree of goroutines is gone
 * through depth first; then the woken in their order; then what was shared and nobody took. */
GRT_INLINE struct g *grt_own_next(struct p *p)
{
	struct g *g = grt_load(&p->runnext);

	if (g) {
		grt_store(&p->runnext, NULL);
		return g;
	}
	g = grt_lane_newest(&p->spawned);
	if (!g)
		g = grt_lane_oldest(&p->woken);
	if (!g)
		g = grt_runq_pop(&p->runq);
	return g;
}

/* Anything at all? Exact for the holder but for what thieves take. */
GRT_INLINE bool grt_own_any(struct p *p)
{
	return grt_load(&p->runnext) || grt_lane_len(&p->spawned) || grt_lane_len(&p->woken) ||
	       grt_runq_len(&p->runq);
}

/* By the holder: the older half of the spawned, which are the biggest parts of a tree, goes to the ring, as far as it has
 * room; without any, that of the woken. False: there was nothing. */
bool grt_own_share(struct p *p);

/* By the holder: all to where others see it. */
void grt_own_show_all(struct p *p);

/* By anyone: shares what p has, runnext too, if the goroutine that holds it computes. True if it did, and somebody has to
 * be woken for it. Takes rt.lock; one membarrier. */
bool grt_own_rescue(struct p *p);

#endif
