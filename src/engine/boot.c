/* boot.c - the runtime's beginning: start, run, procs. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>

#include "base/fatal.h"
#include "engine/boot.h"
#include "engine/config.h"
#include "engine/fork.h"
#include "engine/loop.h"
#include "engine/monitor.h"
#include "engine/overflow.h"
#include "engine/procs.h"
#include "engine/shutdown.h"
#include "goru.h"
#include "os/os.h"
#include "rt/idle.h"
#include "rt/life.h"
#include "rt/self.h"
#include "sched/spawn.h"

static void apply(const struct settings *s)
{
	grt_rt.default_cls = (uint8_t)s->cls;
	grt_rt.spawn_fatal = s->flags & GORU_CONFIG_SPAWN_FATAL;
	grt_rt.spawn_log = s->spawn_log;
	grt_rt.migrate = s->migrate;
	grt_store(&grt_rt.max_threads, s->max_threads);
	grt_rt.hang_seconds = s->hang_seconds;
	grt_rt.trace_ms = s->trace_ms;
	grt_rt.spare_ms = s->spare_ms;
	grt_rt.no_handoff = s->no_handoff;
	grt_rt.on_deadlock = s->on_deadlock;
	grt_rt.on_deadlock_arg = s->on_deadlock_arg;
	grt_store(&grt_rt.cpus, s->cpus ? s->cpus : grt_os_cpus());
	grt_store(&grt_rt.by_hand, s->by_hand);
	grt_rt.follow_ms = s->follow_ms;
	grt_store(&grt_rt.procs, s->procs);
	grt_store(&grt_rt.enter_flags,
		  s->no_membarrier || grt_os_membarrier_init() < 0 ? ENTER_FENCE : 0u);
	grt_stacks_init(s->flags & GORU_CONFIG_GUARDS_ONLY);
}

/* Under life, RT_OFF. */
static int start(const struct settings *s)
{
	int rc;

	grt_os_stay_loaded();
	rc = grt_fork_watch();
	if (rc < 0)
		return rc;
	grt_os_mask_keep();
	if (grt_forked)
		grt_fork_forget();
	grt_rt_reset();
	grt_phase_set(RT_STARTING);
	apply(s);
	rc = grt_procs_start(s->procs);
	if (rc == 0)
		rc = grt_monitor_start();
	if (rc < 0) {
		grt_phase_set(RT_STOPPING);
		grt_workers_end();
		grt_free_all();
		return rc;
	}
	grt_procs_more(s->procs);
	if (!(s->flags & GORU_CONFIG_NO_SEGV))
		grt_overflow_install();
	atomic_fetch_add_explicit(&grt_rt.epoch, 1, memory_order_relaxed);
	grt_forked = false;
	grt_phase_set(RT_ON);
	return 0;
}

static int start_with(const goru_config *cfg)
{
	struct settings s;
	int saved = errno; /* whoever first calls anything did not ask for a start */
	int rc = grt_life_lock(GORU_FOREVER);

	if (rc < 0)
		return rc;
	rc = grt_phase() != RT_OFF ? -EALREADY : grt_settings(&s, cfg);
	if (rc == 0)
		rc = start(&s);
	grt_life_unlock();
	errno = saved;
	return rc;
}

int grt_boot_start(void)
{
	grt_not_forked();
	return start_with(NULL);
}

GRT_PUBLIC int goru_init(const goru_config *cfg)
{
	return start_with(cfg);
}

/* It does not run, and if it is woken one day it ends as any other. */
static void no_longer_main(struct g *g, void *arg)
{
	(void)arg;
	if (grt_load(&g->state) != G_DEAD)
		g->flags &= ~(uint32_t)G_MAIN;
}

static void deadlocked(void)
{
	grt_stack_each(no_longer_main, NULL);
	grt_rt.on_deadlock(grt_rt.on_deadlock_arg);
}

/*
 * PROTOCOL run
 *   Words    rt.run_state: 0 nobody is in goru_run, 1 the main goroutine runs, 2 it has ended, 3 deadlock.
 *   Owners   0 -> 1, 2 or 3 -> 0: goru_run. 1 -> 2: the main goroutine, once. 1 -> 3: the monitor, while it is parked.
 *   Pairs    A end: run_state release -> B run: run_state acquire   what the main goroutine did
 *   Relaxed  0 -> 1: only keeps a second goru_run out.
 */
GRT_PUBLIC int goru_run(void (*fn)(void *), void *arg)
{
	uintptr_t word = (uintptr_t)arg;
	struct spawn s = { .fn = (void (*)(void))fn,
			   .word = &word,
			   .nwords = 1,
			   .cls = CLS_DEFAULT,
			   .flags = G_MAIN,
			   .from = __builtin_return_address(0) };
	uint32_t none = 0, seen;
	int rc;

	if (!fn)
		return -EINVAL;
	if (grt_on_goroutine())
		return -EPERM;
	for (;;) {
		rc = start_with(NULL);
		if (rc < 0 && rc != -EALREADY)
			return rc;
		/* a shutdown comes before all of this, or after and sees it */
		rc = grt_life_lock(GORU_FOREVER);
		if (rc < 0)
			return rc;
		if (grt_phase() == RT_ON)
			break;
		grt_life_unlock(); /* shut down in between */
	}
	if (!atomic_compare_exchange_strong_explicit(&grt_rt.run_state, &none, 1,
						     memory_order_relaxed, memory_order_relaxed)) {
		grt_life_unlock();
		return -EBUSY;
	}
	rc = grt_spawn(&s);
	if (rc < 0)
		grt_store(&grt_rt.run_state, 0);
	grt_life_unlock();
	if (rc < 0)
		return rc;
	grt_store(&grt_rt.run_sleeps, true);
	grt_monitor_kick(); /* all others may be asleep already, and the monitor, which took us for awake */
	while ((seen = atomic_load_explicit(&grt_rt.run_state, memory_order_acquire)) <
	       2) /* run.B */
		grt_os_futex_wait(&grt_rt.run_state, seen, INT64_MAX);
	grt_tsan_acquire(&grt_rt.run_state);
	grt_store(&grt_rt.run_sleeps, false);
	if (seen == 3)
		deadlocked();
	grt_store(&grt_rt.run_state, 0);
	return seen == 3 ? -EDEADLK : 0;
}

/* The caller's goroutine runs, so that no shutdown gets as far as to take anything apart. */
int grt_boot_spare(void)
{
	uint32_t nm;
	bool wanted;
	int rc;

	grt_spin_lock(&grt_rt.lock);
	nm = grt_rt.nm + grt_rt.nm_making;
	wanted = nm < grt_rt.nm_locked + 2 && nm < grt_load(&grt_rt.max_threads);
	grt_rt.nm_making += wanted;
	grt_spin_unlock(&grt_rt.lock);
	if (!wanted) {
		sched_yield(); /* another one is being made */
		return 0;
	}
	rc = grt_m_start(NULL);
	grt_spin_lock(&grt_rt.lock);
	grt_rt.nm_making--;
	grt_spin_unlock(&grt_rt.lock);
	return rc;
}

GRT_PUBLIC unsigned goru_procs(void)
{
	struct settings s;

	grt_not_forked();
	if (grt_phase() == RT_ON)
		return grt_load(&grt_rt.procs);
	return grt_settings(&s, NULL) < 0 ? 1 : s.procs;
}

GRT_PUBLIC int goru_set_procs(unsigned n)
{
	int rc;

	if (n < 1 || n > GRT_MAX_PROCS)
		return -EINVAL;
	grt_not_forked();
	for (;;) {
		rc = start_with(NULL);
		if (rc < 0 && rc != -EALREADY)
			return rc;
		rc = grt_life_lock(GORU_FOREVER);
		if (rc < 0)
			return rc;
		if (grt_phase() == RT_ON)
			break;
		grt_life_unlock(); /* shut down in between */
	}

	while (!grt_procs_try())
		sched_yield();
	rc = grt_procs_change(n);
	if (rc == 0)
		grt_store(&grt_rt.by_hand, true);
	grt_procs_end();
	grt_life_unlock();
	return rc;
}
