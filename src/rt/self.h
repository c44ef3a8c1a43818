/* self.h - which M am I, and the hand-shake every public call enters and leaves by. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_SELF_H
#define GRT_RT_SELF_H

#include "base/fatal.h"
#include "rt/plain.h"
#include "rt/rt.h"

/*
 * PROTOCOL handshake
 *   Words    m.in_rt: 1 while the M's thread is inside goru, 0 while it runs the program's code. m.p: its P or NULL.
 *            m.fences: true from when the M is known to execute the fence each time it enters.
 *   Owners   m.in_rt, m.fences: the M. m.p: whoever holds rt.lock. The P itself: the M between its read of m.p after entering and
 *            its leaving; whoever took it, from a successful take until he gives it back or passes it on.
 *   Steps    enter: in_rt = 1; compiler barrier; read m.p once. NULL: a call that may wait queues for a P
 *            (sched/block), any other does its work as a plain thread would. leave: in_rt = 0.
 *            take (the monitor, or an M that looks for work; holds rt.lock): m.p = NULL; membarrier; in_rt == 1:
 *            m.p = p, it is alive, nothing taken. in_rt == 0: the P is ours, the M is in the program's code and will read
 *            NULL. give back: m.p = p.
 *            pass on (the monitor, rt/handoff.c, in the same section): the P goes to another M or to the idle list, m.p
 *            stays NULL.
 *            Who finds in_rt == 1 before all this does without it: that saves the membarrier, no more. A stale 1 is an
 *            attempt that comes too early, and a stale 0 is found out by the look after the membarrier.
 *            So NULL read after entering means "perhaps none": calls that cannot wait do without, the others ask again
 *            under the lock. After a switch m.p is not read at all: m.held is what the M entered or was given.
 *   Pairs    A leave: in_rt release -> B take: in_rt acquire   all the M did with its P is visible to the taker
 *            C give: p release -> D enter: p acquire   and back
 *   Fence    both sides ask "are you in?" after saying "I am": M stores in_rt, then reads p; the taker stores p, then
 *            reads in_rt. One must see the other. The taker's membarrier puts the full fence between the M's two
 *            instructions for it (E); without membarrier the M executes it (F, ENTER_FENCE).
 *            A membarrier that fails, by a seccomp filter that came later, sets ENTER_FENCE, and nothing is taken. Nor is
 *            later from an M that has not entered since, and so may not know: fences is stored behind its first fence
 *            and read before the taker's, so that the taker sees that entry, and all later ones fence.
 *   Relaxed  in_rt = 1 and p = NULL: ordered by the fence between them and the question. The early look at in_rt.
 *            fences: ordered by the two fences; a stale false takes nothing.
 *   Lock     whoever has read NULL changes nothing of its goroutine or M that the taker sets too (state, blocked, oldp)
 *            before it has had rt.lock.
 *   Reuse    an M is freed only after its thread ended: by the monitor, and whoever else looks at an M holds rt.lock; or
 *            by shutdown when the monitor and all other Ms' threads are gone.
 *   Rejected a status word in P changed by CAS at each entry and exit: 11.6 against 0.12 ns.
 *   Checked  tests/model/handshake.pml, tests/model/handshake.c, tests/stress/rescue.c and handoff.c
 */

/* What enter_flags ask for. */
void grt_enter_slow(struct m *m);

/* NULL on a plain thread. */
GRT_INLINE struct m *grt_enter(void)
{
	struct m *m = grt_arch_self();

	if (!m)
		return NULL;
	/* else a call has left goru without saying so, and the P cannot be taken until the next one */
	GRT_ASSERT(!grt_load(&m->in_rt));
	grt_chaos();
	grt_store(&m->in_rt, 1);
	grt_compiler_barrier();
	grt_chaos();
	if (GRT_UNLIKELY(grt_load(&grt_rt.enter_flags)))
		grt_enter_slow(m);
	return m;
}

GRT_INLINE struct p *grt_p_of(struct m *m)
{
	return atomic_load_explicit(&m->p, memory_order_acquire); /* handshake.D */
}

GRT_INLINE void grt_leave(struct m *m)
{
	grt_unlocked_here("goru is left");
	GRT_ASSERT(grt_load(
		&m->in_rt)); /* else it was left twice, and what lies between ran unprotected */
	grt_chaos();
	atomic_store_explicit(&m->in_rt, 0, memory_order_release); /* handshake.A */
	grt_chaos();
}

/* For the rare call that must know: the P, or that there is none. Takes rt.lock when the first look says none. */
struct p *grt_p_really(struct m *m);

GRT_INLINE struct p *grt_p_settled(struct m *m)
{
	struct p *p = grt_p_of(m);

	return GRT_LIKELY(p) ? p : grt_p_really(m);
}

/* By another thread, under rt.lock, which sees m hold p. True: m runs the program's code and will find its P gone; p is the
 * caller's, to give back (m.p = p, handshake.C) or to pass on before the lock is given up. One membarrier. */
bool grt_take(struct m *m, struct p *p);

/* The M and P of a call that cannot wait: p NULL on a plain thread and on a goroutine whose P was taken. */
struct self {
	struct m *m;
	struct p *p;
};

GRT_INLINE struct self grt_enter_nowait(void)
{
	struct m *m = grt_enter();

	if (GRT_LIKELY(m))
		return (struct self){ m, grt_p_of(m) };
	grt_plain_enter();
	return (struct self){ NULL, NULL };
}

GRT_INLINE void grt_leave_nowait(struct self s)
{
	if (GRT_LIKELY(s.m))
		grt_leave(s.m);
	else
		grt_plain_leave();
}

/* A goroutine, not a plain thread and not the loop? */
GRT_INLINE bool grt_on_goroutine(void)
{
	struct m *m = grt_arch_self();

	if (GRT_UNLIKELY(!m))
		grt_not_forked();
	return m && m->curg;
}

#endif
