/* rt.h - P, M and the runtime: the words the scheduler is made of. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_RT_H
#define GRT_RT_RT_H

#include <pthread.h>

#include "base/list.h"
#include "base/spin.h"
#include "part/injq.h"
#include "part/lane.h"
#include "part/runq.h"
#include "part/stack.h"
#include "part/timers.h"

enum { GRT_CLOCK_SHIFT = 23 }; /* of rt.clock */
enum {
	GRT_MAX_PROCS = 1024,
	GRT_GFREE_MAX = 1024, /* dead goroutines a P keeps while it works: 4 MiB of pages */
};

enum p_status { P_IDLE, P_RUNNING, P_DEAD };

/* Bits of p.attention: the next pick goes to the loop instead of straight to the next goroutine. */
enum p_attention {
	ATT_TIMERS = 1,	  /* a timer of this P is overdue, says the monitor */
	ATT_RETIRE = 2,	  /* the P is above procs now */
	ATT_STOP = 4,	  /* shutdown */
	ATT_OLDEST = 16,  /* the oldest of the spawned has waited for long, says the monitor */
	ATT_MIGRATE = 32, /* always, under GORU_DEBUG=migrate=1: engine/migrate.h */
	ATT_FORKED = 64,  /* a child of fork: the thread ends with its goroutine */
	ATT_SHARE = 8, /* somebody looks for work, and some waits here: PROTOCOL own in rt/own.h */
};

/*
 * P - the right to run goroutines. Who holds it (p.m, or the holder of rt.lock while it is idle) owns the first group.
 */
struct p {
	/* the owner's; runnext and schedtick are also looked at by others (relaxed) */
	GRT_ALIGNED(GRT_CACHELINE)
	_Atomic(struct g *) runnext; /* the newest: PROTOCOL own in rt/own.h */
	_Atomic uint64_t schedtick;  /* rises with each goroutine run */
	uint32_t to_loop;	     /* picks left until the next goes over the loop */
	uint32_t to_fair;	     /* then left until one who waits elsewhere goes first */
	uint32_t left_then;	     /* of both, after the last pick that went over the loop */
	uint32_t pace;		     /* picks from one that goes over the loop to the next */
	int64_t looked_at;	     /* when the clock was last read for timers */
	uint32_t due_end;	     /* the last woken that was due lies before this index */
	uint8_t turn;		     /* who that is who waits elsewhere */
	bool oldest_due;	     /* the oldest spawned goes first at the next pick */
	bool jumped; /* at the last look at timers somebody due went before the others */
	_Atomic bool ring_trees;      /* all in the ring were spawned, none woken: PROTOCOL own */
	_Atomic uint32_t syscalltick; /* rises with each hand-off */
	_Atomic uint64_t bracket;     /* grt_bracket, of one in brackets that keeps the P; a hint */
	uint64_t id_next, id_end;     /* goroutine ids taken in advance */
	uint64_t nspawned, nended, nparks, ntimer_fires, ntimer_late; /* for reports */
	_Atomic uint32_t ngfree; /* in gfree: PROTOCOL gpool in rt/gpool.c */

	/* written by others, rarely; and the owner's that it seldom writes */
	GRT_ALIGNED(GRT_CACHELINE) _Atomic uint32_t attention;
	_Atomic uint8_t status; /* under rt.lock */
	uint32_t id;
	struct m *_Atomic m;	   /* the holder; under rt.lock */
	struct p *link;		   /* idle list; under rt.lock */
	uint64_t nsteals, nstolen; /* for reports */
	uint64_t rand;
	uint32_t rounds; /* of its loop, in checks builds */

	struct lane spawned, woken;
	struct runq runq; /* what was shared */
	struct timers timers;
	struct g *gfree[GRT_GFREE_MAX]; /* the owner's: dead, of the default class, hottest last */
};

/* With a third line of the owner's a buffered send took 6.3 ns, and not 5.8, and a yield 8.2, and not 7.7 (Zen 4). */
_Static_assert(offsetof(struct p, attention) == 2 * GRT_CACHELINE, "what is hot stays together");

/* What p.bracket is while the goroutine that runs with that tick is in brackets; never 0, which is nobody. */
GRT_INLINE uint64_t grt_bracket(uint64_t tick)
{
	return tick << 1 | 1;
}

/* M - a worker thread. in_rt and p are PROTOCOL handshake in rt/self.h. */
struct m {
	_Atomic uint32_t in_rt;
	struct p *_Atomic p;
	struct p *held;	  /* m.p as this M knows it while it is inside: see PROTOCOL handshake */
	struct g *curg;	  /* the goroutine running, NULL on the loop */
	struct g *dead;	  /* left by exit for whoever runs next on this M */
	int *errno_at;	  /* this thread's errno: looked up once, valid here only */
	void **eh_at;	  /* this thread's C++ exception state, NULL in programs without */
	struct gobuf g0;  /* the loop's own stack, the thread's */
	bool spinning;	  /* looks for work and is counted in rt.nmspinning */
	bool blocked;	  /* its goroutine has no P: it blocks, or did when the P was taken */
	bool starting;	  /* under rt.lock: counted in rt.nm_starting */
	bool ends;	  /* under rt.lock: off the idle list for good */
	bool keeper;	  /* under rt.lock: sleeps until the earliest timer */
	bool useful;	  /* not woken for nothing, or for a moment only */
	bool lock_waits;  /* under rt.lock: asleep until it is given a P for lockg */
	bool lock_ended;  /* lockg has ended, and so does the thread */
	bool halted;	  /* under rt.lock: PROTOCOL halt in rt/halt.c */
	struct g *lockg;  /* the only goroutine that runs here: sched/locked.h */
	int64_t found_at; /* when that was; 0: nothing since */
	struct g *given;  /* to be run first: engine/migrate.h */
	struct p *oldp;	  /* the P its goroutine lost: tried first on the way back */
	struct san_stack san;

	_Atomic uint32_t note; /* futex word: PROTOCOL note in rt/idle.c */
	struct m *link;	       /* idle list; under rt.lock */
	struct m *alllink;     /* all Ms; under rt.lock */
	uint32_t id;
	bool started;	      /* under rt.lock: in allm, with a thread to join */
	_Atomic bool fences;  /* it executes the fence of ENTER_FENCE: PROTOCOL handshake */
	_Atomic uint32_t tid; /* as the kernel calls it; 0: not yet known */
	pthread_t thread;
};

enum enter_flags {
	ENTER_FENCE =
		1, /* no membarrier here: each entering executes the fence (PROTOCOL handshake) */
	ENTER_CHECK =
		2, /* there are stacks without a guard page: each entering looks at the stack pointer */
};

enum rt_phase { RT_OFF, RT_STARTING, RT_ON, RT_STOPPING };

struct rt {
	/* read by all, written rarely */
	GRT_ALIGNED(GRT_CACHELINE) _Atomic uint32_t phase;
	_Atomic uint32_t procs; /* Ps meant to run */
	_Atomic uint32_t nallp; /* allp[0..nallp) exist; never shrinks while on */
	_Atomic uint32_t
		enter_flags; /* what entering goru costs more than usual; enum enter_flags */
	/* grt_os_now() / 2^23, 8 ms: written by the monitor's tick and by an M that has slept, in no order. So that no park
	 * reads the clock. */
	_Atomic uint32_t clock;
	uint8_t default_cls;
	_Atomic uint32_t cpus; /* that the process may use, as last looked at */
	_Atomic bool by_hand;  /* procs do not follow them: PROTOCOL procs in engine/procs.c */
	bool spawn_fatal, spawn_log;
	bool migrate;	 /* GORU_DEBUG=migrate=1: engine/migrate.h */
	bool no_handoff; /* GORU_DEBUG=handoff=0: only brackets part a goroutine from its P */
	_Atomic uint32_t max_threads; /* at least procs: PROTOCOL procs */
	uint32_t hang_seconds;	      /* GORU_DEBUG=hang=S; 0: off */
	uint32_t trace_ms;	      /* GORU_DEBUG=schedtrace=MS; 0: off */
	uint32_t spare_ms;	      /* a thread not needed for so long may end */
	uint32_t follow_ms;	      /* between two looks at the CPUs */
	void (*on_deadlock)(void *);  /* by goru_run's caller; NULL: the process ends */
	void *on_deadlock_arg;
	_Atomic uint64_t epoch; /* tells one start of the runtime from the next; also between two */
	struct p *_Atomic allp[GRT_MAX_PROCS];

	/* written whenever an M goes idle or wakes: PROTOCOL wake in rt/idle.c */
	GRT_ALIGNED(GRT_CACHELINE) _Atomic uint32_t npidle;
	_Atomic uint32_t nmspinning;
	/* a hint: a P is idle, and waking an M for surplus has been worth it lately; read at each surplus, so not beside
	 * what changes with each search */
	GRT_ALIGNED(GRT_CACHELINE) _Atomic uint32_t wakeable;

	/* the lists, under lock */
	GRT_ALIGNED(GRT_CACHELINE) struct spin lock;
	struct p *pidle;
	struct m *midle;
	uint32_t nmidle, midle_low; /* the least there were since the monitor set it */
	struct m *allm;
	uint32_t nm;	      /* Ms with a thread */
	uint32_t nm_starting; /* of these, not yet idle for the first time, and made without a P */
	uint32_t nm_locked;   /* Ms that goroutines are locked to, or were to their end */
	uint32_t nm_lock_waits; /* of these, asleep */
	uint32_t nm_halted;	/* Ms that a shutdown has stopped: PROTOCOL halt in rt/halt.c */
	uint32_t nm_making;	/* Ms that goroutines just make: engine/boot.c */
	bool halt_ends;
	_Atomic uint32_t halt_beat;
	struct m *_Atomic
		ended; /* Ms whose threads end, by alllink; the monitor looks without the lock first */
	struct m *keeper;
	int64_t keeper_when;	 /* when it wakes */
	_Atomic uint32_t want_m; /* Ms asked of the monitor, which looks without the lock first */
	bool monitor_sleeps;	 /* on monitor_note, without a tick */
	_Atomic uint32_t monitor_note;
	_Atomic bool moving; /* procs are being changed: PROTOCOL procs in engine/procs.c */
	uint32_t m_id;	     /* the next M's */
	uint64_t nretakes;   /* Ps taken from goroutines, for a moment or for good, under lock */

	GRT_ALIGNED(GRT_CACHELINE)
	_Atomic uint64_t id_next; /* goroutine ids handed to Ps in batches */
	_Atomic uint64_t nspawned, nended,
		nspawn_failed; /* by those without a P; Ps count their own */

	/* goru_run */
	_Atomic uint32_t
		run_state; /* 0 none, 1 main goroutine runs, 2 it has ended, 3 deadlock; futex word */
	_Atomic bool
		run_sleeps; /* its caller has queued the main goroutine, and does nothing but wait for it */

	struct injq injq;
};

extern struct rt grt_rt;

void grt_rt_reset(void);

GRT_INLINE void grt_clock_set(int64_t now)
{
	uint32_t t = (uint32_t)(now >> GRT_CLOCK_SHIFT);

	if (grt_load(&grt_rt.clock) != t) /* its line is everybody's */
		grt_store(&grt_rt.clock, t);
}

/* A new P in state P_DEAD at allp[id]; -ENOMEM. Before anyone else runs, or while moving is ours. */
int grt_p_new(uint32_t id);
void grt_p_free_all(void);

#endif
