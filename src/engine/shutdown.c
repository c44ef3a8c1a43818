/* shutdown.c - the runtime's end: nobody runs any more, and then all that is left is taken apart; or it goes on. */
/* SPDX-License-Identifier: MIT */
#include "engine/shutdown.h"

#include <errno.h>

#include "base/fatal.h"
#include "engine/loop.h"
#include "engine/monitor.h"
#include "engine/overflow.h"
#include "goru.h"
#include "part/scope.h"
#include "rt/gpool.h"
#include "rt/halt.h"
#include "rt/idle.h"
#include "rt/life.h"
#include "rt/self.h"
#include "sched/big.h"
#include "sched/local.h"
#include "sched/locked.h"
#include "sync/chan.h"
#include "sync/mutex.h"
#include "sync/queue.h"
#include "sync/rwlock.h"
#include "sync/signal.h"
#include "sync/task.h"
#include "sync/waitgroup.h"

/* RT_STOPPING: every M halts as soon as its goroutine parks, yields or ends. Under the lock, under which the M then asks
 * for the phase: it sees the one that this is for. */
static void attention(void)
{
	grt_spin_lock(&grt_rt.lock);
	for (uint32_t i = 0; i < grt_load(&grt_rt.nallp); i++)
		atomic_fetch_or_explicit(&grt_load(&grt_rt.allp[i])->attention, ATT_STOP,
					 memory_order_relaxed);
	grt_spin_unlock(&grt_rt.lock);
}

void grt_workers_end(void)
{
	attention();
	grt_halt_end();
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

void grt_free_all(void)
{
	grt_p_free_all();
	grt_gpool_fini();
	grt_stacks_fini();
	grt_rt_reset();
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

static void name(const struct halt_left *left)
{
	grt_warn("shutdown given up: %u goroutine%s not stopped", left->n,
		 left->n == 1 ? " has" : "s have");
	for (uint32_t i = 0; i < left->n && i < GRT_HALT_NAMED; i++) {
		struct g *g = left->g[i];

		grt_warn("    %s [%s]", grt_g_label(g).text, grt_g_states[grt_load(&g->state)]);
	}
	if (left->n > GRT_HALT_NAMED)
		grt_warn("    and %u more", left->n - GRT_HALT_NAMED);
}

/* As before: Ms and monitor were only held up. What a P was asked its M forgets when it sees the phase. */
static void go_on(void)
{
	grt_phase_set(RT_ON);
	grt_halt_over();
	grt_monitor_resume();
	/* what was queued meanwhile may have met nobody who could be woken */
	atomic_thread_fence(memory_order_seq_cst); /* wake.F */
	if (grt_work_visible())
		grt_wake_if_idle();
}

/* No M runs a goroutine, no thread makes one. */
static int stop(int64_t deadline)
{
	struct halt_left left;

	grt_phase_set(RT_STOPPING); /* no spawn succeeds from here on */
	grt_monitor_pause();	    /* nor does the monitor make a thread */
	attention();
	if (!grt_halt_wait(deadline, &left)) {
		name(&left);
	} else if (!grt_plain_settle(deadline)) {
		grt_warn("shutdown given up: a thread of the program is inside goru");
	} else {
		return 0;
	}
	go_on();
	return -ETIMEDOUT;
}

/* Nobody runs: all that waits is taken off what it waits on, and all memory goes back. */
static void take_apart(void)
{
	bool more = false;

	grt_monitor_stop();
	grt_workers_end();
	/* those that name an alarm see by this that it is no more, or are inside and the drain waits for them */
	atomic_fetch_add_explicit(&grt_rt.epoch, 1, memory_order_relaxed);
	grt_stack_each(drop, &more);
	grt_plain_drain();
	if (more)
		grt_stack_each(drop_rest, NULL);
	grt_signals_end();
	grt_overflow_uninstall();
	grt_free_all();
}

GRT_PUBLIC int goru_shutdown_until(int64_t deadline)
{
	int rc;

	if (grt_on_goroutine())
		return -EPERM;
	rc = grt_life_lock(deadline);
	if (rc < 0) {
		grt_warn("shutdown given up: another thread starts or stops the runtime");
		return rc;
	}
	if (grt_phase() != RT_ON)
		goto out;
	if (grt_load(&grt_rt.run_state)) {
		rc = -EBUSY;
		goto out;
	}
	rc = stop(deadline);
	if (rc == 0)
		take_apart();
out:
	grt_life_unlock();
	return rc;
}

GRT_PUBLIC int goru_shutdown(void)
{
	return goru_shutdown_until(GORU_FOREVER);
}
