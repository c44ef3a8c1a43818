/* stats.c - goru_stats_get, and the line of GORU_DEBUG=schedtrace. */
/* SPDX-License-Identifier: MIT */
/* Each P counts for itself, in words that only its holder writes; here they are added up. */
#include "engine/stats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fatal.h"
#include "goru.h"
#include "rt/idle.h"
#include "rt/self.h"

static uint32_t queued(struct p *p)
{
	return grt_runq_len(&p->runq) + grt_lane_len(&p->spawned) + grt_lane_len(&p->woken) +
	       (grt_load(&p->runnext) != NULL);
}

static void add_p(goru_stats *st, struct p *p)
{
	st->runnable += queued(p);
	st->spawned += grt_peek(&p->nspawned);
	st->ended += grt_peek(&p->nended);
	st->switches += grt_load(&p->schedtick) - GRT_START64;
	st->parks += grt_peek(&p->nparks);
	st->steals += grt_peek(&p->nsteals);
	st->stolen += grt_peek(&p->nstolen);
	st->handoffs += grt_load(&p->syscalltick) - GRT_START;
	st->timer_fires += grt_peek(&p->ntimer_fires);
	st->timer_late += grt_peek(&p->ntimer_late);
}

/* With its P still. */
static bool in_brackets(struct p *p)
{
	return p && grt_load(&p->bracket) == grt_bracket(grt_load(&p->schedtick));
}

static void add_ms(goru_stats *st)
{
	grt_spin_lock(&grt_rt.lock);
	for (struct m *m = grt_rt.allm; m; m = m->alllink) {
		if (!grt_peek(&m->curg))
			continue;
		if (grt_peek(&m->blocked) || in_brackets(grt_load(&m->p)))
			st->blocked++;
		else
			st->running++;
	}
	st->threads = grt_rt.nm;
	st->threads_idle = grt_rt.nmidle + grt_rt.nm_lock_waits;
	st->retakes = grt_rt.nretakes;
	grt_spin_unlock(&grt_rt.lock);
}

/* All but the stacks. */
static void count(goru_stats *st)
{
	uint32_t n = atomic_load_explicit(&grt_rt.nallp, memory_order_acquire); /* allp.B */
	uint64_t busy;

	st->procs = grt_load(&grt_rt.procs);
	/* those that end while we count were started before */
	st->ended = grt_load(&grt_rt.nended);
	st->spawned = grt_load(&grt_rt.nspawned);
	st->spawn_failed = grt_load(&grt_rt.nspawn_failed);
	st->runnable = grt_injq_len(&grt_rt.injq);
	for (uint32_t i = 0; i < n; i++)
		add_p(st, grt_load(&grt_rt.allp[i]));
	add_ms(st);
	st->goroutines = st->spawned > st->ended ? st->spawned - st->ended : 0;
	busy = st->runnable + st->running + st->blocked;
	st->waiting = st->goroutines > busy ? st->goroutines - busy : 0;
}

static void get(goru_stats *st)
{
	count(st);
	st->stack_reserved = grt_stacks_reserved();
	st->stack_resident = grt_stacks_resident();
}

GRT_PUBLIC int goru_stats_get(goru_stats *st)
{
	if (!st)
		return -EINVAL;
	memset(st, 0, sizeof(*st));
	if (grt_on_goroutine()) {
		get(st);
		return 0;
	}
	grt_plain_enter();
	atomic_thread_fence(memory_order_seq_cst);				/* plain.F */
	if (atomic_load_explicit(&grt_rt.phase, memory_order_acquire) == RT_ON) /* phase.B */
		get(st);
	grt_plain_leave();
	return 0;
}

void grt_sched_trace(int64_t since)
{
	uint32_t n = grt_load(&grt_rt.procs), at = 0;
	goru_stats st = { 0 };
	char lens[256];

	count(&st);
	for (uint32_t i = 0; i < n && i < grt_load(&grt_rt.nallp) && at < sizeof(lens) - 24; i++)
		at += (uint32_t)snprintf(lens + at, sizeof(lens) - at, "%s%u", i ? " " : "",
					 queued(grt_load(&grt_rt.allp[i])));
	grt_line(STDERR_FILENO,
		 "SCHED %lldms: procs=%u idleprocs=%u threads=%u spinningthreads=%u idlethreads=%u "
		 "goroutines=%llu blocked=%llu switches=%llu runqueue=%u [%.*s%s]",
		 (long long)(since / 1000000), n, grt_load(&grt_rt.npidle), (unsigned)st.threads,
		 grt_load(&grt_rt.nmspinning), (unsigned)st.threads_idle,
		 (unsigned long long)st.goroutines, (unsigned long long)st.blocked,
		 (unsigned long long)st.switches, grt_injq_len(&grt_rt.injq), (int)at, lens,
		 at >= sizeof(lens) - 24 ? " ..." : "");
}
