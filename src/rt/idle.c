/* idle.c - the wake rule: when a worker is woken for new work, and how one goes to sleep without missing any. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL wake
 *   Words    npidle: Ps on the idle list. nmspinning: Ms that look for work and found none yet. wakeable: a P may be
 *            idle, and waking an M for what lies in private (PROTOCOL own) is worth a try. Rings and the shared queue as
 *            in PROTOCOL runq and injq.h.
 *   Owners   npidle: the holder of rt.lock. nmspinning: whoever begins or stops to spin, and wake_one for the M it wakes.
 *            wakeable: anyone, it is a hint.
 *   Steps    submit: put the goroutine into a ring or the shared queue; F; if a P is idle and nobody spins: wake_one.
 *            wake_one: nmspinning 0 -> 1 by CAS, lost: somebody looks already. Under the lock take an idle P and an idle
 *            M, hand over; no P: nmspinning - 1, and that is all: all are busy, and who goes idle looks. No M: the
 *            monitor makes one, unless one has yet to go idle for the first time (rt.nm_starting), and looks then.
 *            idle: under the lock put P and M on the idle lists. If it was spinning, nmspinning - 1. F. Look at every
 *            queue; something there and a P idle: wake_one (which may well choose this M). Sleep.
 *            pass on (rt/handoff.c): a P with work goes to an idle M, which looks for more; else all it has goes where
 *            others see it, the P to the idle list, F, and a look as above.
 *            spin_end: nmspinning - 1. F. Look at every queue; something there and a P idle: wake_one. A submitter that
 *            saw this M spinning relies on that.
 *            surplus: a goroutine was put behind another one into a lane, and wakeable is 1: 0; a P idle and nobody
 *            spinning: wake_one. The M so woken asks busy Ps for a share (engine/pick.c). wakeable becomes 1 again when
 *            a search has found something, or one that was useful goes idle, or the last one does, or a P is added, and
 *            at each tick of the monitor that finds a P idle.
 *   Fence    F: "is there work" and "is somebody looking": a submitter stores work, then reads npidle and nmspinning; one
 *            who stops looking stores npidle and nmspinning, then reads the queues. Both have the full fence between.
 *   Pairs    F submit: queue seq_cst -> F idle: queue seq_cst   one of the two sees the other
 *   Relaxed  npidle and nmspinning when read without the lock: the fence orders them. wakeable, always: a surplus that
 *            wakes nobody for a stale 0 is found by the monitor's tick.
 *            Not covered by the fence: what is private, runnext and the lanes, and what yield puts into the ring. Its P
 *            comes to it by itself; if it takes long, Ms that look for work and the monitor's tick, while a P is idle,
 *            have it shared or take it out (PROTOCOL own), or the monitor passes it on with the P (rt/handoff.c), and
 *            the tick wakes somebody for a ring.
 *   Reuse    P and M live until shutdown.
 *   Rejected a look only by those who were spinning: then a wake that finds no idle P, because the last one is just being
 *            taken, must leave a note (Go's needspinning). Whoever goes idle looks here, and the note is not needed: the
 *            model holds without it, and does not when only spinners look.
 *            Waking for a goroutine in runnext: its waker is about to park, and another CPU costs 30 us.
 *   Checked  tests/model/wake.pml with each step left out, tests/stress/wake.c
 *
 * PROTOCOL note
 *   Words    m.note: 0 nothing, 1 woken, 2 asleep.
 *   Owners   1 is stored by who took the M off the idle list or cleared its lock_waits, once; the rest by the M.
 *   Steps    wake: exchange 1; was 2: futex wake. sleep: CAS 0 -> 2, futex wait while 2; then store 0.
 *   Pairs    A wake: note release -> B sleep: note acquire   the M sees the P it was given
 *   Relaxed  the store of 0: the M is on no list then.
 *   Checked  tests/model/note.c, tests/stress/wake.c
 */
#include "rt/idle.h"

#include <errno.h>

#include "base/chaos.h"
#include "base/fatal.h"
#include "os/os.h"
#include "rt/own.h"

void grt_note_wake(struct m *m)
{
	grt_chaos();
	if (atomic_exchange_explicit(&m->note, 1, memory_order_release) == 2) /* note.A */
		grt_os_futex_wake(&m->note, 1);
}

bool grt_note_sleep(struct m *m, int64_t deadline)
{
	uint32_t seen = 0;

	grt_unlocked_here("a thread sleeps");
	atomic_compare_exchange_strong_explicit(&m->note, &seen, 2, memory_order_relaxed,
						memory_order_relaxed);
	while (atomic_load_explicit(&m->note, memory_order_acquire) != 1) /* note.B */
		if (grt_os_futex_wait(&m->note, 2, deadline) == -ETIMEDOUT)
			return false;
	grt_store(&m->note, 0);
	return true;
}

void grt_monitor_kick(void)
{
	grt_chaos();
	/* no plain store, which clang makes of an exchange: a second kick passes on what the first is for */
	atomic_fetch_or_explicit(&grt_rt.monitor_note, 1, memory_order_release); /* monitor.C */
	grt_os_futex_wake(&grt_rt.monitor_note, 1);
}

void grt_unlock_busy(void)
{
	bool kick = grt_rt.monitor_sleeps;

	grt_rt.monitor_sleeps = false;
	grt_spin_unlock(&grt_rt.lock);
	if (GRT_UNLIKELY(kick))
		grt_monitor_kick();
}

struct p *grt_pidle_take(struct p *wanted)
{
	struct p **at = &grt_rt.pidle;

	if (wanted && grt_load(&wanted->status) == P_IDLE)
		while (*at != wanted)
			at = &(*at)->link;

	struct p *p = *at;

	if (p) {
		*at = p->link;
		grt_store(
			&p->status,
			P_RUNNING); /* off the list: the monitor holds it unlocked until its M exists */
		grt_store(&grt_rt.npidle, grt_load(&grt_rt.npidle) - 1);
	}
	return p;
}

void grt_pidle_put(struct p *p)
{
	grt_store(&p->m, NULL);
	grt_store(&p->status, P_IDLE);
	p->link = grt_rt.pidle;
	grt_rt.pidle = p;
	grt_store(&grt_rt.npidle, grt_load(&grt_rt.npidle) + 1);
}

void grt_give(struct m *m, struct p *p)
{
	grt_store(&p->m, m);
	grt_store(&p->status, P_RUNNING);
	grt_store(&m->p, p);
	m->held = p;
}

void grt_starting(struct m *m, bool yes)
{
	m->starting = yes;
	grt_rt.nm_starting += yes ? 1u : -1u;
}

static void midle_push(struct m *m)
{
	m->link = grt_rt.midle;
	grt_rt.midle = m;
	grt_rt.nmidle++;
}

static void midle_left(struct m *m)
{
	if (--grt_rt.nmidle < grt_rt.midle_low)
		grt_rt.midle_low = grt_rt.nmidle;
	if (m->keeper) {
		m->keeper = false;
		grt_rt.keeper = NULL;
	}
}

struct m *grt_midle_pop(void)
{
	struct m *m = grt_rt.midle;

	if (m) {
		grt_rt.midle = m->link;
		midle_left(m);
	}
	return m;
}

/* False: somebody else took it off, and will wake it. */
static bool midle_remove(struct m *m)
{
	for (struct m **at = &grt_rt.midle; *at; at = &(*at)->link) {
		if (*at == m) {
			*at = m->link;
			midle_left(m);
			return true;
		}
	}
	return false;
}

void grt_midle_end(uint32_t n)
{
	uint32_t spared = grt_rt.nmidle > n ? grt_rt.nmidle - n : 0;
	struct m **at = &grt_rt.midle;

	while (*at) {
		struct m *m = *at;

		if (spared || m->keeper) {
			spared -= spared != 0;
			at = &m->link;
			continue;
		}
		*at = m->link;
		midle_left(m);
		m->ends = true;
	}
}

bool grt_work_visible(void)
{
	uint32_t n = atomic_load_explicit(&grt_rt.nallp, memory_order_acquire); /* allp.B */

	if (grt_injq_len(&grt_rt.injq))
		return true;
	for (uint32_t i = 0; i < n; i++)
		if (grt_runq_len(&grt_load(&grt_rt.allp[i])->runq))
			return true;
	return false;
}

int64_t grt_timers_earliest(void)
{
	uint32_t n = atomic_load_explicit(&grt_rt.nallp, memory_order_acquire); /* allp.B */
	int64_t least = GRT_NEVER;

	for (uint32_t i = 0; i < n; i++) {
		int64_t t = grt_timers_first(&grt_load(&grt_rt.allp[i])->timers);

		least = t < least ? t : least;
	}
	return least;
}

int64_t grt_timers_earliest_live(void)
{
	uint32_t n = atomic_load_explicit(&grt_rt.nallp, memory_order_acquire); /* allp.B */

	for (uint32_t i = 0; i < n; i++) {
		struct timers *t = &grt_load(&grt_rt.allp[i])->timers;

		if (grt_timers_first(t) != GRT_NEVER)
			grt_timers_prune(t);
	}
	return grt_timers_earliest();
}

GRT_NOINLINE void grt_wake_one(void)
{
	uint32_t none = 0;

	if (!atomic_compare_exchange_strong_explicit(&grt_rt.nmspinning, &none, 1,
						     memory_order_relaxed, memory_order_relaxed))
		return;
	grt_chaos();
	grt_spin_lock(&grt_rt.lock);

	struct p *p = grt_pidle_take(NULL);
	struct m *m = p ? grt_midle_pop() : NULL;

	if (m) {
		m->spinning = true;
		grt_give(m, p);
		grt_unlock_busy();
		grt_note_wake(m);
		return;
	}
	if (p) {
		grt_pidle_put(p);
		grt_store(&grt_rt.want_m, 1);
	}
	atomic_fetch_sub_explicit(&grt_rt.nmspinning, 1, memory_order_relaxed);
	grt_unlock_busy();
	if (p)
		grt_monitor_kick();
}

/* Who goes idle looks for the earliest timer under the lock (keep): after us it finds this one, before us we see it. */
void grt_wake_for_timer(int64_t when)
{
	bool unkept;

	grt_spin_lock(&grt_rt.lock);
	unkept = grt_load(&grt_rt.npidle) >= grt_load(&grt_rt.procs) &&
		 !(grt_rt.keeper && grt_rt.keeper_when <= when);
	grt_spin_unlock(&grt_rt.lock);
	if (unkept)
		grt_wake_one();
}

GRT_NOINLINE void grt_wake_surplus(void)
{
	if (grt_load(&grt_rt.nmspinning))
		return;
	grt_store(&grt_rt.wakeable, 0);
	if (grt_load(&grt_rt.npidle))
		grt_wake_one();
}

void grt_spin_end(struct m *m)
{
	m->spinning = false;
	grt_chaos();
	atomic_fetch_sub_explicit(&grt_rt.nmspinning, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst); /* wake.F */
	if (grt_load(&grt_rt.npidle)) {
		grt_store(&grt_rt.wakeable, 1);
		if (grt_work_visible())
			grt_wake_one();
	}
}

/* A timer that nobody sleeps for yet; GRT_NEVER: none. Under rt.lock. */
static int64_t timer_unkept(void)
{
	int64_t when = grt_timers_earliest_live();

	return grt_rt.keeper && grt_rt.keeper_when <= when ? GRT_NEVER : when;
}

/* The last one to go idle sleeps only until the earliest timer; while anyone is busy, the monitor looks at them. One who
 * sleeps for a later timer is left to wake for nothing. */
static int64_t keep(struct m *m)
{
	int64_t when = GRT_NEVER;

	if (grt_load(&grt_rt.npidle) >= grt_load(&grt_rt.procs))
		when = timer_unkept();
	if (when != GRT_NEVER) {
		if (grt_rt.keeper)
			grt_rt.keeper->keeper = false;
		m->keeper = true;
		grt_rt.keeper = m;
		grt_rt.keeper_when = when;
	}
	return when;
}

static bool stopping(void)
{
	return grt_load(&grt_rt.phase) == RT_STOPPING;
}

/* Under rt.lock. Cheap, and saves the way to the idle list and back. */
static bool last_look(void)
{
	return grt_injq_len(&grt_rt.injq) || stopping();
}

/* The keeper's deadline came: back to work if a P is idle. Otherwise all are busy and the monitor sees to the timers. */
static bool timer_due(struct m *m)
{
	grt_spin_lock(&grt_rt.lock);

	bool mine = midle_remove(m);
	struct p *p = mine ? grt_pidle_take(NULL) : NULL;

	if (p)
		grt_give(m, p);
	else if (mine)
		midle_push(m);
	grt_unlock_busy();
	if (p)
		grt_store(&m->note, 0);
	return p;
}

/* m is on the idle list; spun: it was counted in nmspinning. */
static void sleep_until(struct m *m, bool spun, int64_t when)
{
	grt_chaos();
	if (spun)
		atomic_fetch_sub_explicit(&grt_rt.nmspinning, 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst); /* wake.F */
	/* also without a P of our own: whoever found no idle M left his idle */
	if (grt_load(&grt_rt.npidle) && grt_work_visible())
		grt_wake_one();
	grt_chaos();
	while (!grt_note_sleep(m, when)) {
		if (timer_due(m))
			return;
		when = GRT_NEVER;
	}
}

bool grt_idle(struct m *m)
{
	grt_spin_lock(&grt_rt.lock);

	struct p *p = m->held;
	bool spun = m->spinning;
	int64_t when = GRT_NEVER;

	if (GRT_UNLIKELY(m->starting))
		grt_starting(m, false);
	if (p ? last_look() : stopping()) {
		grt_spin_unlock(&grt_rt.lock);
		return false;
	}
	if (p) {
		grt_store(&m->p, NULL);
		m->held = NULL;
		grt_pidle_put(p);
		when = keep(m);
		/* all idle: what comes next is something new */
		if (m->useful || grt_load(&grt_rt.npidle) >= grt_load(&grt_rt.procs))
			grt_store(&grt_rt.wakeable, 1);
	}
	m->spinning = false;
	midle_push(m);
	if (p)
		grt_spin_unlock(&grt_rt.lock);
	else
		grt_unlock_busy(); /* all may be asleep only now: a deadlock, perhaps */
	sleep_until(m, spun, when);
	return true;
}

bool grt_idle_giving(struct m *m, struct g *g)
{
	struct p *p = m->held;
	struct m *to;

	grt_spin_lock(&grt_rt.lock);
	to = stopping() ? NULL : grt_midle_pop();
	if (!to) {
		grt_spin_unlock(&grt_rt.lock);
		return false;
	}
	grt_store(&m->p, NULL);
	m->held = NULL;
	to->given = g;
	grt_give(to, p);
	midle_push(m); /* in the same moment: there are never fewer idle */
	grt_spin_unlock(&grt_rt.lock);
	grt_note_wake(to);
	sleep_until(m, false, GRT_NEVER);
	return true;
}
