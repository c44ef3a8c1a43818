/* procs.c - how many Ps there are: at the start, and changed while everything runs. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL procs
 *   Words    rt.moving: true while somebody changes procs. rt.by_hand: the program or its user chose the number.
 *            rt.max_threads: rises with procs, and never falls.
 *   Owners   moving: whoever made it true. procs, nallp, by_hand and max_threads while the runtime is on: the holder of
 *            moving.
 *   Steps    begin: moving false -> true by CAS. goru_set_procs tries until it can; the monitor, who follows the CPUs
 *            (engine/follow.c), once: shutdown waits for its end, and it has other work.
 *   Pairs    A end: moving release -> B begin: moving acquire   all the last one did
 *   Relaxed  procs and by_hand by others. moving by the watchdog of checks builds. max_threads: who sees the old one
 *            makes no thread now, and tries again (engine/spare.c), or refuses as a moment before (engine/lock_thread.c).
 *   Reuse    cleared with all of rt at the start.
 *   Rejected a mutex: the child of a fork would find it locked by a monitor that it does not have.
 *   Checked  tests/stress/follow.c
 */
#include "engine/procs.h"

#include "engine/loop.h"
#include "rt/idle.h"

bool grt_procs_try(void)
{
	bool no = false;

	return atomic_compare_exchange_strong_explicit(&grt_rt.moving, &no, true,
						       memory_order_acquire, /* procs.B */
						       memory_order_relaxed);
}

void grt_procs_end(void)
{
	atomic_store_explicit(&grt_rt.moving, false, memory_order_release); /* procs.A */
}

/* P number id joins those that may run. */
static int p_join(uint32_t id)
{
	int rc = id < grt_load(&grt_rt.nallp) ? 0 : grt_p_new(id);

	if (rc < 0)
		return rc;

	struct p *p = grt_load(&grt_rt.allp[id]);

	grt_spin_lock(&grt_rt.lock);
	if (grt_load(&p->status) == P_DEAD) {
		p->to_loop = 1;
		grt_pidle_put(p);
		grt_store(&grt_rt.wakeable, 1);
	}
	grt_unlock_busy();
	return 0;
}

static uint32_t nm(void)
{
	grt_spin_lock(&grt_rt.lock);

	uint32_t n = grt_rt.nm;

	grt_spin_unlock(&grt_rt.lock);
	return n;
}

/* Ms for n Ps. One is enough to go on with: the monitor makes the rest when they are wanted. */
static int m_join(uint32_t n)
{
	int rc = 0;

	if (grt_rt.migrate && n < grt_load(&grt_rt.max_threads))
		n++; /* one to go to */
	while (nm() < n && rc == 0)
		rc = grt_m_start(NULL);
	return nm() ? 0 : rc;
}

int grt_procs_start(uint32_t n)
{
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = p_join(i);
	return rc < 0 ? rc : grt_m_start(NULL);
}

void grt_procs_more(uint32_t n)
{
	(void)m_join(n);
}

/* Ps above n: idle ones now, busy ones at their next pick. */
static void p_leave(uint32_t n)
{
	struct p *gone = NULL;

	grt_spin_lock(&grt_rt.lock);
	for (uint32_t i = n; i < grt_load(&grt_rt.nallp); i++) {
		struct p *p = grt_load(&grt_rt.allp[i]);

		atomic_fetch_or_explicit(&p->attention, ATT_RETIRE, memory_order_relaxed);
		if (grt_load(&p->status) != P_IDLE)
			continue;
		grt_pidle_take(p);
		grt_store(&p->status, P_DEAD);
		p->link = gone;
		gone = p;
	}
	grt_spin_unlock(&grt_rt.lock);
	for (; gone; gone = gone->link)
		grt_p_empty(gone);
}

int grt_procs_change(uint32_t n)
{
	uint32_t old = grt_load(&grt_rt.procs);
	int rc = 0;

	grt_store(&grt_rt.procs, n);
	for (uint32_t i = old; i < n && rc == 0; i++)
		rc = p_join(i);
	if (rc < 0)
		grt_store(&grt_rt.procs, n = old);
	p_leave(n);
	if (rc == 0 && grt_load(&grt_rt.max_threads) < n) /* each P may have one that runs it */
		grt_store(&grt_rt.max_threads, n);
	if (rc == 0)
		rc = m_join(n);
	/* Ps became idle without one who looks: whoever submitted before may have found none */
	atomic_thread_fence(memory_order_seq_cst); /* wake.F */
	if (grt_work_visible())
		grt_wake_if_idle();
	return rc;
}
