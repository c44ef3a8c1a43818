/* lock_thread.c - goru_lock_thread and goru_unlock_thread, and the thread that stays for the others. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "engine/boot.h"
#include "goru.h"
#include "rt/self.h"

/*
 * One M more than goroutines are locked to: a locked one's M runs nobody else, and what it hands its P to must exist. That
 * M may be blocked in the kernel, as always when max_threads are; but it is not locked for good.
 */
static int reserve(void)
{
	for (;;) {
		bool enough, full;
		int rc;

		grt_spin_lock(&grt_rt.lock);
		enough = grt_rt.nm >= grt_rt.nm_locked + 2;
		full = grt_rt.nm >= grt_load(&grt_rt.max_threads);
		grt_rt.nm_locked += enough;
		grt_spin_unlock(&grt_rt.lock);
		if (enough)
			return 0;
		rc = full ? -EAGAIN : grt_boot_spare();
		if (rc < 0)
			return rc;
	}
}

/* The caller's goroutine, with room for its thread to be its own, is locked to it. */
static void lock(void)
{
	struct m *m = grt_enter();
	struct p *p = grt_p_settled(m);
	struct g *g = m->curg;

	g->flags |= G_LOCKED;
	g->lockm = m;
	g->lock_depth = 1;
	m->lockg = g;
	if (p)
		p->to_loop = 0; /* PROTOCOL locked in sched/locked.h */
	grt_tsan_acquire(m);
	grt_leave(m);
}

GRT_PUBLIC int goru_lock_thread(void)
{
	struct m *m = grt_arch_self();
	int saved = errno, rc;

	if (!m) {
		grt_not_forked();
		return -EPERM;
	}
	if (m->curg->flags & G_LOCKED) {
		m->curg->lock_depth++;
		return 0;
	}
	/* outside: a thread may have to be made */
	rc = reserve();
	errno = saved;
	if (rc == 0)
		lock();
	return rc;
}

GRT_PUBLIC int goru_unlock_thread(void)
{
	struct m *m = grt_arch_self();
	struct g *g;

	if (!m)
		grt_not_forked();
	if (!m || !(m->curg->flags & G_LOCKED))
		return -EPERM;
	g = m->curg;
	if (--g->lock_depth)
		return 0;
	m = grt_enter();
	grt_tsan_release(m);
	g->flags &= ~(uint32_t)G_LOCKED;
	g->lockm = NULL;
	m->lockg = NULL;
	grt_spin_lock(&grt_rt.lock);
	grt_rt.nm_locked--;
	grt_spin_unlock(&grt_rt.lock);
	grt_leave(m);
	return 0;
}
