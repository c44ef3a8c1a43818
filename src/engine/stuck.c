/* stuck.c - tells a goroutine that blocks its thread from one that computes, and both from one that gets on. */
/* SPDX-License-Identifier: MIT */
/*
 * Time is that of the thread's own CPU clock, compared from look to look: the wall clock also runs on while the process is
 * stopped or its CPUs are with others, and then all would seem to be stuck at once. A clock that stands still says "blocked"
 * only together with the kernel's word that the thread sleeps: one that waits for a CPU is as still, and to put another
 * thread in its place would only make more of them wait.
 */
#include "engine/stuck.h"

#include "os/os.h"

enum {
	US = 1000,
	LEAST = 80 * US,	   /* between two looks that are compared */
	COMPUTES = 10 * 1000 * US, /* so long */
	USED = 5 * 1000 * US,	   /* with so much CPU time; others may need the CPU too */
	GAP = 5 * 1000 *
	      US,   /* more between two looks is not its time: we were stopped, or without a CPU */
	SLEEPS = 2, /* looks in a row: one may meet a short call */
	SLEEPS_UNTOLD =
		40, /* where the kernel does not tell sleeping from waiting for a CPU (no /proc) */
};

/* Off its CPU for so much of the time that it may sleep now? A clock read costs 0.2 us, the kernel's word 3. */
static bool may_sleep(int64_t cpu, int64_t elapsed, bool same)
{
	return same ? cpu < elapsed / 2 : cpu < elapsed - elapsed / 8;
}

static enum verdict blocked(struct stuck *s, uint32_t tid, bool clock_stood)
{
	int sleeps = grt_os_thread_sleeps(tid);

	s->still = sleeps > 0 || (sleeps < 0 && clock_stood) ? s->still + 1 : 0;
	if (!s->still)
		return STUCK_NOT;
	return s->still >= (sleeps < 0 ? SLEEPS_UNTOLD : SLEEPS) ? STUCK_BLOCKED : STUCK_PERHAPS;
}

static enum verdict by_clock(struct stuck *s, struct m *m, uint64_t tick, int64_t now)
{
	uint32_t tid = grt_load(&m->tid);
	bool known = s->m == m, same = known && s->tick == tick;
	int64_t elapsed = now - s->at, cpu, used;

	if (same && elapsed < LEAST)
		return s->still ? STUCK_PERHAPS : STUCK_NOT;
	cpu = grt_os_thread_cpu(tid);
	if (cpu < 0)
		return STUCK_NOT;
	used = cpu - s->cpu;
	s->used = same ? s->used + used : 0;
	s->since = same ? s->since + (elapsed < GAP ? elapsed : GAP) : 0;
	s->still = same ? s->still : 0;
	s->m = m;
	s->tick = tick;
	s->at = now;
	s->cpu = cpu;
	if (s->since >= COMPUTES && s->used >= USED)
		return STUCK_COMPUTES;
	/* inside it may sleep as well, for a moment: that is goru's own affair */
	if ((!known || may_sleep(used, elapsed, same)) && !grt_load(&m->in_rt))
		return blocked(s, tid, same && used < elapsed / 16);
	s->still = 0;
	return STUCK_NOT;
}

enum verdict grt_stuck(struct stuck *s, struct p *p, int64_t now, bool waits)
{
	struct m *m = grt_load(&p->m);
	uint64_t tick;

	if (!m)
		return STUCK_NOT;
	tick = grt_load(&p->schedtick);
	if (grt_load(&p->bracket) == grt_bracket(tick) && !grt_load(&m->in_rt)) {
		*s = (struct stuck){ .m = m,
				     .tick = tick,
				     .still = s->tick == tick ? s->still + 1 : 1 };
		s->at = now;
		s->cpu = grt_os_thread_cpu(grt_load(&m->tid));
		return STUCK_BRACKETS;
	}
	if (!waits && tick != s->tick) {
		*s = (struct stuck){ .tick = tick };
		return STUCK_NOT;
	}
	return by_clock(s, m, tick, now);
}
