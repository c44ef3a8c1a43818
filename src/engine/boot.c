/* boot.c - the runtime's life: start, run, procs, shutdown. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/fatal.h"
#include "engine/boot.h"
#include "engine/config.h"
#include "engine/fork.h"
#include "engine/loop.h"
#include "engine/monitor.h"
#include "engine/overflow.h"
#include "engine/procs.h"
#include "goru.h"
#include "os/os.h"
#include "part/scope.h"
#include "rt/gpool.h"
#include "rt/idle.h"
#include "rt/self.h"
#include "sched/big.h"
#include "sched/local.h"
#include "sched/locked.h"
#include "sched/spawn.h"
#include "sync/chan.h"
#include "sync/mutex.h"
#include "sync/queue.h"
#include "sync/rwlock.h"
#include "sync/signal.h"
#include "sync/task.h"
#include "sync/waitgroup.h"

/*
 * PROTOCOL phase
 *   Words    rt.phase: RT_OFF, RT_STARTING, RT_ON, RT_STOPPING.
 *   Owners   whoever holds life.
 *   Pairs    A start: phase release -> B spawn: phase acquire   all of rt is set up before anyone spawns
 *   Relaxed  goroutines and workers look for RT_STOPPING only: who misses it meets its P's attention, or the lock.
 *   Reuse    rt is cleared in RT_OFF, when no M, no monitor and no plain thread is inside.
 *   Checked  tests/stress/shutdown.c
 */
static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER;

static int phase(void)
{
	return (int)atomic_load_explicit(&grt_rt.phase, memory_order_acquire); /* phase.B */
}

static void set_phase(enum rt_phase p)
{
	atomic_store_explicit(&grt_rt.phase, p, memory_order_release); /* phase.A */
}

void grt_boot_forked(void)
{
	life = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

/* A goroutine that waited here for a shutdown, which waits for the goroutine, would wait for ever. */
static int lock_life(void)
{
	while (pthread_mutex_trylock(&life)) {
		if (grt_on_goroutine() && phase() == RT_STOPPING)
			return -ESHUTDOWN;
		sched_yield();
	}
	return 0;
}

static void unlock_life(void)
{
	pthread_mutex_unlock(&life);
}

/* RT_STOPPING: every M ends as soon as its goroutine parks, yields or ends. */
static void stop_workers(void)
{
	for (uint32_t i = 0; i < grt_load(&grt_rt.nallp); i++)
		atomic_fetch_or_explicit(&grt_load(&grt_rt.allp[i])->attention, ATT_STOP,
					 memory_order_relaxed);
	for (;;) {
		grt_spin_lock(&grt_rt.lock);

		struct m *m = grt_midle_pop();

		grt_spin_unlock(&grt_rt.lock);
		if (!m)
			break;
		grt_note_wake(m);
	}
	grt_locked_wake_all();
	grt_m_join_all();
}

static void free_all(void)
{
	grt_p_free_all();
	grt_gpool_fini();
	grt_stacks_fini();
	grt_rt_reset();
}

static void apply(const struct settings *s)
{
	grt_rt.default_cls = (uint8_t)s->cls;
	grt_rt.spawn_fatal = s->flags & GORU_CONFIG_SPAWN_FATAL;
	grt_rt.spawn_log = s->spawn_log;
	grt_rt.migrate = s->migrate;
	grt_rt.max_threads = s->max_threads;
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
	set_phase(RT_STARTING);
	apply(s);
	rc = grt_procs_start(s->procs);
	if (rc == 0)
		rc = grt_monitor_start();
	if (rc < 0) {
		set_phase(RT_STOPPING);
		stop_workers();
		free_all();
		return rc;
	}
	grt_procs_more(s->procs);
	if (!(s->flags & GORU_CONFIG_NO_SEGV))
		grt_overflow_install();
	atomic_fetch_add_explicit(&grt_rt.epoch, 1, memory_order_relaxed);
	grt_forked = false;
	set_phase(RT_ON);
	return 0;
}

static int start_with(const goru_config *cfg)
{
	struct settings s;
	int saved = errno; /* whoever first calls anything did not ask for a start */
	int rc = lock_life();

	if (rc < 0)
		return rc;
	rc = phase() != RT_OFF ? -EALREADY : grt_settings(&s, cfg);
	if (rc == 0)
		rc = start(&s);
	unlock_life();
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
		rc = lock_life(); /* a shutdown comes before all of this, or after and sees it */
		if (rc < 0)
			return rc;
		if (phase() == RT_ON)
			break;
		unlock_life(); /* shut down in between */
	}
	if (!atomic_compare_exchange_strong_explicit(&grt_rt.run_state, &none, 1,
						     memory_order_relaxed, memory_order_relaxed)) {
		unlock_life();
		return -EBUSY;
	}
	rc = grt_spawn(&s);
	if (rc < 0)
		grt_store(&grt_rt.run_state, 0);
	unlock_life();
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

int grt_boot_spare(void)
{
	int rc = lock_life();
	bool wanted;

	if (rc < 0)
		return rc;
	grt_spin_lock(&grt_rt.lock);
	wanted = grt_rt.nm < grt_rt.nm_locked + 2 && grt_rt.nm < grt_rt.max_threads;
	grt_spin_unlock(&grt_rt.lock);
	if (wanted)
		rc = grt_m_start(NULL);
	unlock_life();
	return rc;
}

GRT_PUBLIC unsigned goru_procs(void)
{
	struct settings s;

	grt_not_forked();
	if (phase() == RT_ON)
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
		rc = lock_life();
		if (rc < 0)
			return rc;
		if (phase() == RT_ON)
			break;
		unlock_life(); /* shut down in between */
	}

	while (!grt_procs_try())
		sched_yield();
	rc = grt_procs_change(n);
	if (rc == 0)
		grt_store(&grt_rt.by_hand, true);
	grt_procs_end();
	unlock_life();
	return rc;
}

static void drop_node(struct waiter *w, struct wnode *n)
{
	if (w->kind == KIND_MUTEX) {
		grt_mutex_drop(n);
		return;
	}
	if (w->kind == KIND_RWLOCK) {
		grt_rwlock_drop(n);
		return;
	}
	/* served there: the object may be gone by now */
	if (grt_waiter_ending(w) == END_READY && n->index == w->won)
		return;
	if (w->kind == KIND_CHAN)
		grt_chan_remove(n);
	else if (w->kind == KIND_WAITGROUP)
		grt_waitgroup_remove(n);
	else
		grt_queue_remove(n);
}

/* A goroutine that will not run again: nobody may find it on a list of an object that lives on. */
static void drop(struct g *g, void *arg)
{
	struct waiter *w = grt_load(&g->waiting);
	bool *more = arg;

	grt_tsan_acquire(g); /* of those that have ended */
	if (grt_load(&g->state) == G_DEAD)
		return;
	for (int i = 0; w && i < w->nnodes; i++)
		drop_node(w, &w->nodes[i]);
	*more |= g->locals || g->big;
	grt_tsan_drop(g->san.fiber);
	grt_task_drop(g);
	grt_scope_drop(g);
}

/* What a dropped goroutine had beside its stack, when nobody touches its waiter any more. */
static void drop_rest(struct g *g, void *arg)
{
	(void)arg;
	grt_locals_drop(g);
	grt_big_drop(g);
}

GRT_PUBLIC int goru_shutdown(void)
{
	bool more = false;
	int rc;

	if (grt_on_goroutine())
		return -EPERM;
	rc = lock_life();
	if (rc < 0)
		return rc;
	if (phase() != RT_ON)
		goto out;
	if (grt_load(&grt_rt.run_state)) {
		rc = -EBUSY;
		goto out;
	}
	set_phase(RT_STOPPING); /* no spawn succeeds from here on */
	grt_monitor_stop();	/* nor does anyone make a thread */
	stop_workers();
	grt_plain_settle(); /* whoever was about to start a goroutine or a timer has done it: none is missed */
	/* those that name an alarm see by this that it is no more, or are inside and the drain waits for them */
	atomic_fetch_add_explicit(&grt_rt.epoch, 1, memory_order_relaxed);
	grt_stack_each(drop, &more);
	grt_plain_drain();
	if (more)
		grt_stack_each(drop_rest, NULL);
	grt_signals_end();
	grt_overflow_uninstall();
	free_all();
out:
	unlock_life();
	return rc;
}
