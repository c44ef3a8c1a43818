/* loop.c - what an M does while it runs no goroutine: attend to its P, pick, run, or sleep. */
/* SPDX-License-Identifier: MIT */
#include "engine/loop.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fatal.h"
#include "engine/audit.h"
#include "engine/migrate.h"
#include "engine/pick.h"
#include "os/os.h"
#include "rt/gpool.h"
#include "rt/halt.h"
#include "rt/idle.h"
#include "rt/own.h"
#include "sched/locked.h"
#include "sched/park.h"
#include "sched/ready.h"

/* C++ programs have it; libstdc++ and libc++abi keep the exceptions being handled there, two words a thread. */
extern void *__cxa_get_globals(void) __attribute__((weak));

void grt_p_empty(struct p *p)
{
	struct p *to = grt_load(&grt_rt.allp[0]);
	struct g *g;

	grt_own_show_all(p);
	while ((g = grt_runq_pop(&p->runq)))
		grt_ready_shared(g);
	if (p != to && grt_timers_move(&to->timers, &p->timers) < 0)
		return; /* no memory: the timers stay, and fire when somebody steals them */
	grt_gpool_drain(p);
}

/* The P is above procs now: nobody is to run with it until procs rises again. */
static void retire(struct m *m, struct p *p)
{
	grt_p_empty(p);
	grt_spin_lock(&grt_rt.lock);
	grt_store(&m->p, NULL);
	m->held = NULL;
	grt_store(&p->m, NULL);
	if (p->id < grt_load(&grt_rt.procs)) {
		grt_pidle_put(p); /* it rose meanwhile */
	} else {
		grt_store(&p->status, P_DEAD);
	}
	grt_unlock_busy();
	/* once more: what others had taken out to expire is back by now, or they see that the P is dead */
	grt_timers_move(&grt_load(&grt_rt.allp[0])->timers, &p->timers);
	atomic_thread_fence(memory_order_seq_cst); /* wake.F */
	if (grt_work_visible())
		grt_wake_one();
}

/* False: m ends. */
static bool attend(struct m *m, struct p *p)
{
	uint32_t why = atomic_fetch_and_explicit(&p->attention, ATT_MIGRATE, memory_order_relaxed);
	struct g *g = m->given;

	if (GRT_UNLIKELY(g)) {
		m->given = NULL;
		grt_ready_shared(g);
	}
	if (why & ATT_FORKED)
		return false;
	if ((why & ATT_STOP || grt_load(&grt_rt.phase) == RT_STOPPING) && !grt_halt(m))
		return false;
	/* the bit may be seen before the number; retire asks under the lock */
	if (why & ATT_RETIRE || p->id >= grt_load(&grt_rt.procs)) {
		if (m->spinning)
			grt_spin_end(m);
		retire(m, p);
		return true;
	}
	p->oldest_due |= (why & ATT_OLDEST) != 0;
	if (why & ATT_SHARE && grt_own_share(p))
		grt_wake_if_idle();
	return true; /* ATT_TIMERS: the pick looks at them */
}

static void loop(struct m *m)
{
	for (;;) {
		struct p *p = m->held;
		struct g *g;
		uint32_t asked = p ? grt_load(&p->attention) : 0;

		if (GRT_UNLIKELY(asked)) {
			if (asked != ATT_MIGRATE) {
				if (!attend(m, p))
					return;
				continue;
			}
			g = grt_migrate_given(m);
			if (g) {
				grt_run(m, p, g);
				continue;
			}
		}
		if (GRT_CHECKS_ON && p && p->rounds++ % GRT_AUDIT_EVERY == 0)
			grt_audit(p);
		g = p ? grt_pick(m, p) : NULL;
		asked = g ? grt_load(&p->attention) : 0;
		if (GRT_UNLIKELY(asked)) {
			if (asked & (ATT_STOP | ATT_RETIRE)) {
				/* while we looked: it is not to run on this P */
				grt_ready_shared(g);
				continue;
			}
			if (asked & ATT_MIGRATE && grt_migrate(m, g))
				continue;
		}
		if (g) {
			grt_run(m, p, g);
			continue;
		}
		if (p && grt_own_any(p))
			continue; /* found nothing that can run this moment */
		if (GRT_UNLIKELY(m->lockg)) {
			if (!grt_locked_wait(m)) {
				if (m->lock_ended || !grt_halt(m))
					return;
				continue;
			}
			grt_clock_set(grt_os_now());
			grt_run(m, m->held, m->lockg);
			continue;
		}
		grt_idle(m);
		grt_clock_set(grt_os_now()); /* the monitor may have slept as well */
		if (m->ends || (grt_load(&grt_rt.phase) == RT_STOPPING && !grt_halt(m)))
			return;
	}
}

static void begin(struct m *m)
{
	m->errno_at = &errno;
	grt_tsan_own(m->errno_at);
	m->eh_at = __cxa_get_globals ? __cxa_get_globals() : NULL;
	m->san.fiber = grt_tsan_current();
	grt_store(&m->tid, grt_os_thread_id());
	grt_tsan_release(
		m); /* its thread-locals are whose goroutine is locked to it: goru_lock_thread */
	if (GRT_ASAN_ON)
		grt_os_thread_bounds(&m->san.lo, &m->san.size);
}

/* Off the list of Ms, to be joined. During shutdown it may be off already. */
static void ended(struct m *m)
{
	struct m **at = &grt_rt.allm;

	grt_spin_lock(&grt_rt.lock);
	while (!m->started) { /* whoever made it has yet to say so */
		grt_spin_unlock(&grt_rt.lock);
		sched_yield();
		grt_spin_lock(&grt_rt.lock);
	}
	while (*at && *at != m)
		at = &(*at)->alllink;
	if (*at) {
		*at = m->alllink;
		m->alllink = grt_load(&grt_rt.ended);
		grt_store(&grt_rt.ended, m);
	}
	grt_rt.nm--;
	grt_rt.nm_locked--;
	grt_halt_note();
	grt_spin_unlock(&grt_rt.lock);
	grt_halt_tell();
	grt_monitor_kick();
}

/* Until who made the thread has put m on the list of all: before, nobody would count what it runs, or join it. */
static void await_listed(struct m *m)
{
	for (;;) {
		grt_spin_lock(&grt_rt.lock);

		bool listed = m->started;

		grt_spin_unlock(&grt_rt.lock);
		if (listed)
			return;
		sched_yield();
	}
}

static void *m_main(void *arg)
{
	struct m *m = arg;
	void *alt = NULL;
	size_t alt_size = 0;
	int rc;

	grt_tls_m = m;
	await_listed(m);
	begin(m);
	/* without it an overflow kills the process without a name; that is all */
	rc = grt_os_altstack_set(&alt, &alt_size);
	loop(m);
	if (rc == 0)
		grt_os_altstack_clear(alt, alt_size);
	grt_tls_m = NULL;
	if (m->lock_ended)
		ended(m);
	return NULL;
}

/* Tests look at Ms from goroutines. */
static struct m *m_alloc(void)
{
	size_t size = (sizeof(struct m) + GRT_CACHELINE - 1) & ~(size_t)(GRT_CACHELINE - 1);

	grt_tsan_heap_begin();

	struct m *m = aligned_alloc(GRT_CACHELINE, size);

	/* inside from the first moment it is seen to hold a P */
	if (m)
		*m = (struct m){ .in_rt = 1,
				 .fences = grt_load(&grt_rt.enter_flags) & ENTER_FENCE };
	grt_tsan_heap_end();
	return m;
}

static void m_free(struct m *m)
{
	grt_tsan_heap_begin();
	free(m);
	grt_tsan_heap_end();
}

int grt_m_start(struct p *p)
{
	struct m *m = m_alloc();
	char name[16];
	int rc;

	if (!m) {
		grt_spin_lock(&grt_rt.lock);
		if (p)
			grt_pidle_put(p);
		grt_spin_unlock(&grt_rt.lock);
		return -ENOMEM;
	}
	grt_spin_lock(&grt_rt.lock);
	m->id = grt_rt.m_id++;
	if (p)
		grt_give(m, p);
	else
		grt_starting(m, true);
	grt_spin_unlock(&grt_rt.lock);
	snprintf(name, sizeof(name), "goru-%u", m->id);
	rc = grt_os_thread_start(&m->thread, m_main, m, name);
	grt_spin_lock(&grt_rt.lock);
	if (rc == 0) {
		m->alllink = grt_rt.allm;
		grt_rt.allm = m;
		grt_rt.nm++;
		m->started = true;
	} else if (p) {
		grt_pidle_put(p);
	} else {
		grt_starting(m, false);
	}
	grt_spin_unlock(&grt_rt.lock);
	if (rc < 0)
		m_free(m);
	return rc;
}

uint32_t grt_m_retire(uint32_t n)
{
	struct m *gone = NULL;
	uint32_t ended = 0;

	grt_spin_lock(&grt_rt.lock);
	grt_midle_end(n);
	for (struct m **at = &grt_rt.allm; *at;) {
		struct m *m = *at;

		if (!m->ends) {
			at = &m->alllink;
			continue;
		}
		*at = m->alllink;
		m->alllink = gone;
		gone = m;
		ended++;
	}
	grt_rt.nm -= ended;
	grt_spin_unlock(&grt_rt.lock);
	for (struct m *m = gone; m; m = m->alllink)
		grt_note_wake(m);
	for (struct m *m = gone, *next; m; m = next) {
		next = m->alllink;
		grt_os_thread_join(m->thread);
		m_free(m); /* nobody but us looks at an M that holds no P without rt.lock */
	}
	return ended;
}

/* The first of a list, taken off it. */
static struct m *take(struct m **list)
{
	struct m *m = *list;

	if (m)
		*list = m->alllink;
	return m;
}

bool grt_m_join_ended(void)
{
	struct m *m, *left = NULL, *next;

	if (!grt_load(&grt_rt.ended))
		return false;
	grt_spin_lock(&grt_rt.lock);
	m = grt_load(&grt_rt.ended);
	grt_store(&grt_rt.ended, NULL);
	grt_spin_unlock(&grt_rt.lock);
	for (; m; m = next) {
		next = m->alllink;
		if (grt_os_thread_joined(m->thread)) {
			m_free(m);
			continue;
		}
		m->alllink = left;
		left = m;
	}
	grt_spin_lock(&grt_rt.lock);
	while ((m = take(&left))) {
		m->alllink = grt_load(&grt_rt.ended);
		grt_store(&grt_rt.ended, m);
	}
	grt_spin_unlock(&grt_rt.lock);
	return grt_load(&grt_rt.ended);
}

void grt_m_join_all(void)
{
	struct m *m;

	/* nobody starts another: the monitor is gone, and no goroutine runs; but they may end by themselves */
	for (;;) {
		grt_spin_lock(&grt_rt.lock);
		m = take(&grt_rt.allm);
		if (!m) {
			m = grt_load(&grt_rt.ended);
			if (m)
				grt_store(&grt_rt.ended, m->alllink);
		}
		grt_spin_unlock(&grt_rt.lock);
		if (!m)
			break;
		grt_os_thread_join(m->thread);
		m_free(m); /* all the others have halted: none that searches looks at it */
	}
}
