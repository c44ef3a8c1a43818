/* monitor.c - sysmon: has waiting goroutines shared, takes Ps from those that are stuck, watches timers, sleeps while all is idle. */
/* SPDX-License-Identifier: MIT */
#include "engine/monitor.h"

#include "base/chaos.h"
#include "base/fatal.h"
#include "engine/deadlock.h"
#include "engine/dog.h"
#include "engine/follow.h"
#include "engine/loop.h"
#include "engine/spare.h"
#include "engine/stats.h"
#include "engine/stuck.h"
#include "engine/watch.h"
#include "os/os.h"
#include "rt/gpool.h"
#include "rt/handoff.h"
#include "rt/idle.h"
#include "rt/own.h"
#include "sched/ready.h"

enum {
	US = 1000,
	TICK = 1000 * US,	/* somebody is busy */
	TICK_RESCUE = 500 * US, /* somebody waits in private and could run elsewhere */
	TICK_WAITS = 500 * US,	/* somebody waits, no P is idle, and one may be stuck */
	TICK_STUCK = 120 * US,	/* its thread sleeps: to be seen once more */
	TICK_FRESH = 120 * US,	/* FRESH looks after all was idle, or a P changed hands */
	TICK_QUIET = 2000 * US, /* QUIET looks long nobody waited, and each P ran the same one */
	TICK_IDLE = 10 * 1000 * US, /* only trimming is left */
	TRIM_EVERY = 500 * 1000 * US,
	OLDEST = 10 * 1000 * US,  /* so long may newer ones go before the oldest of the spawned */
	CONFIRM = 10 * 1000 * US, /* so long after it looked like a deadlock it is one */
	FEW = 8,		  /* goroutines run since the last look: one may be stuck by now */
	FRESH = 6,
	QUIET = 16,
	UNUSED = 20, /* looks after which a blocked goroutine's P that nobody wants goes idle */
	IN_TIME = 100 * 1000 * US, /* further apart are ticks only if we were stopped */
};

enum order { GO_ON, REST, END };

/* What was seen of each P at the last tick. */
static struct {
	pthread_t thread;
	_Atomic uint32_t order; /* enum order; futex word */
	_Atomic uint32_t rests; /* futex word */
	struct seen seen[GRT_MAX_PROCS];
	int64_t oldest_since[GRT_MAX_PROCS]; /* the oldest of the spawned has been so since */
	struct stuck stuck[GRT_MAX_PROCS];
	int64_t looked_at, trim_at;
	uint32_t quiet; /* looks at which nothing had changed */
	uint32_t fresh; /* looks soon to come, while no P is idle */
	bool cold;	/* nothing left to trim */
	bool ending;	/* threads are about to end */
	uint64_t ticks; /* sum of schedticks, for the hang watch */
	int64_t ticked_at;
	int64_t still; /* so long has none been run */
	uint64_t dead_ticks;
	int64_t dead_since; /* it looks like a deadlock; 0: no */
	int64_t start, trace_at;
} Mon;

/* Some CPU is free, and p has had goroutines waiting in private since the last tick: whoever holds it shares them at its
 * next pick, and if it does not pick we do. */
static void help(struct p *p, const struct seen *s, int64_t since)
{
	bool stuck = grt_seen_stuck(p, s);

	if (!grt_seen_worth(p, s, since) &&
	    !(stuck && s->runnext && s->runnext == grt_load(&p->runnext)))
		return;
	if (!stuck)
		atomic_fetch_or_explicit(&p->attention, ATT_SHARE, memory_order_relaxed);
	else if (grt_own_rescue(p))
		grt_wake_if_idle();
}

/* Newest first is for the spawned only as long as it keeps nobody waiting that one would notice. */
static void watch_oldest(struct p *p, const struct seen *s, int64_t *since, int64_t now)
{
	bool lane = grt_lane_len(&p->spawned) && grt_load(&p->spawned.head) == s->spawned;
	bool ring = grt_load(&p->ring_trees) && grt_runq_len(&p->runq) &&
		    grt_load(&p->runq.head) == s->ring;

	if (!lane && !ring) {
		*since = now;
	} else if (now - *since >= OLDEST) {
		atomic_fetch_or_explicit(&p->attention, ATT_OLDEST, memory_order_relaxed);
		*since = now;
	}
}

/* So few that the last one may have run for long, and may be stuck. */
static bool ran_few(struct p *p, const struct seen *s)
{
	return grt_load(&p->schedtick) - s->tick < FEW;
}

/* Has anything of p's waited since the last look? Where many goroutines took turns it may be that they just talk. */
static bool waits_at(struct p *p, const struct seen *s, int64_t now)
{
	if (grt_runq_len(&p->runq) || grt_timers_first(&p->timers) <= now)
		return true;
	return ran_few(p, s) ? grt_own_any(p) : grt_seen_worth(p, s, now - Mon.looked_at);
}

/* What one look at all Ps found. */
struct found {
	bool idle;     /* a P is idle */
	bool waits;    /* somebody waits, and none is */
	bool few;      /* a P has run few goroutines since the last look */
	bool changed;  /* a P has run another one */
	bool soon;     /* somebody waits in private, and a P is idle */
	int64_t first; /* the earliest timer that is not due yet and that we see to */
};

static void look_at(struct p *p, struct seen *s, int64_t now, struct found *f)
{
	struct seen before = *s;
	int64_t first = grt_timers_first(&p->timers);

	watch_oldest(p, s, &Mon.oldest_since[p->id], now);
	f->waits |= !f->idle && waits_at(p, s, now);
	f->few |= !f->idle && ran_few(p, s) && grt_load(&p->status) == P_RUNNING;
	*s = grt_seen(p);
	f->changed |= s->tick != before.tick;
	if (first > now) {
		/* one that gets on looks at its timers itself, while it does (engine/pick.c) */
		int64_t t = s->tick != before.tick && first < now + TICK_WAITS ? now + TICK_WAITS :
										 first;

		f->first = t < f->first ? t : f->first;
	}
	if (first != GRT_NEVER && first <= now) {
		if (f->idle)
			grt_wake_one();
		else
			atomic_fetch_or_explicit(&p->attention, ATT_TIMERS, memory_order_relaxed);
	}
	if (!f->idle)
		return;
	grt_store(&grt_rt.wakeable, 1);
	/* a wake that was not due when the ring was filled (yield puts its caller there and wakes nobody) */
	if (grt_runq_len(&p->runq))
		grt_wake_if_idle();
	help(p, &before, now - Mon.looked_at);
	f->soon |= s->runnext || grt_lane_len(&p->spawned) || grt_lane_len(&p->woken);
}

/* True: it could not be taken this time, but soon perhaps. */
static bool hand_over(struct p *p, struct stuck *s, enum verdict v, int64_t now)
{
	enum g_state as = v == STUCK_COMPUTES ? G_NO_P : G_BLOCKED;
	enum retake rc = grt_retake(s->m, p, s->tick, true, as);

	if (rc == RETAKE_DONE)
		Mon.fresh = FRESH;
	if (rc == RETAKE_NO_M)
		grt_spare_make(now);
	return rc != RETAKE_DONE;
}

/*
 * Takes Ps from goroutines that are stuck, while all Ps are held and somebody waits: each P that keeps others waiting
 * itself, and one more for those who wait elsewhere. While a P is idle, sharing serves them (help). A blocked goroutine's
 * P that nobody needs goes idle after a while: then whoever comes next finds it at once. waits: somebody does, and no P
 * is idle. True: look again soon.
 */
static bool look_at_stuck(uint32_t n, int64_t now, bool waits)
{
	bool elsewhere = waits, soon = false;

	for (uint32_t i = 0; i < n; i++) {
		struct p *p = grt_load(&grt_rt.allp[i]);
		struct stuck *s = &Mon.stuck[i];
		enum verdict v = grt_stuck(s, p, now, waits);

		if (v > STUCK_BRACKETS && grt_rt.no_handoff)
			continue;
		if (v <= STUCK_PERHAPS) {
			soon |= waits && v == STUCK_PERHAPS;
		} else if (waits && (elsewhere || grt_own_any(p))) {
			soon |= hand_over(p, s, v, now);
			elsewhere = false;
		} else if (!waits && v != STUCK_COMPUTES && s->still >= UNUSED) {
			grt_retake(s->m, p, s->tick, false, G_BLOCKED);
		}
	}
	return soon;
}

static int64_t look_at_all(int64_t now)
{
	uint32_t n = atomic_load_explicit(&grt_rt.nallp, memory_order_acquire); /* allp.B */
	struct found f = { .idle = grt_load(&grt_rt.npidle), .first = GRT_NEVER };
	int64_t tick = TICK;

	f.waits = !f.idle && grt_injq_len(&grt_rt.injq);
	for (uint32_t i = 0; i < n; i++)
		look_at(grt_load(&grt_rt.allp[i]), &Mon.seen[i], now, &f);
	Mon.looked_at = now;
	Mon.quiet = f.changed || f.waits ? 0 : Mon.quiet + 1;
	if (look_at_stuck(n, now, f.waits))
		tick = TICK_STUCK;
	else if (f.soon)
		tick = TICK_RESCUE;
	else if (f.waits && f.few)
		tick = TICK_WAITS;
	else if (Mon.quiet >= QUIET)
		tick = TICK_QUIET;
	return f.first - now < tick ? f.first - now : tick;
}

static void trim(int64_t now)
{
	bool period = now >= Mon.trim_at;

	if (period)
		Mon.trim_at = now + TRIM_EVERY;
	Mon.cold = !grt_gpool_trim(period);
}

/* GORU_DEBUG=hang=S: goroutines exist under goru_run, and none has been run for S seconds. */
static void watch_hang(int64_t now)
{
	int64_t passed = now - Mon.ticked_at;
	uint64_t ticks = 1;

	Mon.ticked_at = now;
	if (!grt_rt.hang_seconds)
		return;
	for (uint32_t i = 0; i < grt_load(&grt_rt.nallp); i++)
		ticks += grt_load(&grt_load(&grt_rt.allp[i])->schedtick);
	Mon.still += passed < IN_TIME ? passed : IN_TIME;
	if (ticks != Mon.ticks || grt_load(&grt_rt.run_state) != 1) {
		Mon.ticks = ticks;
		Mon.still = 0;
	} else if (Mon.still > (int64_t)grt_rt.hang_seconds * 1000 * 1000 * US) {
		grt_fatal("hang: no goroutine has been run for %u s", grt_rt.hang_seconds);
	}
}

static void watch_deadlock(int64_t now)
{
	uint64_t ticks;

	if (!grt_deadlock(&ticks)) {
		Mon.dead_since = 0;
	} else if (!Mon.dead_since || ticks != Mon.dead_ticks) {
		Mon.dead_since = now;
		Mon.dead_ticks = ticks;
	} else if (now - Mon.dead_since >= CONFIRM) {
		grt_deadlock_report();
		Mon.dead_since = 0;
	}
}

static void trace(int64_t now)
{
	if (!grt_rt.trace_ms || now < Mon.trace_at)
		return;
	grt_sched_trace(now - Mon.start);
	Mon.trace_at = now + (int64_t)grt_rt.trace_ms * 1000 * US;
}

/* No P runs: neither one of procs nor one above that has yet to go away. */
static bool all_idle(void)
{
	uint32_t procs = grt_load(&grt_rt.procs);

	if (grt_load(&grt_rt.npidle) < procs)
		return false;
	for (uint32_t i = procs; i < grt_load(&grt_rt.nallp); i++)
		if (grt_load(&grt_load(&grt_rt.allp[i])->status) == P_RUNNING)
			return false;
	return true;
}

/* What is left to see to while all is idle. Under rt.lock. */
static bool unfinished(void)
{
	return !Mon.cold || Mon.ending || Mon.dead_since || grt_rt.hang_seconds ||
	       grt_load(&grt_rt.want_m) || !grt_spare_due();
}

/* While all is idle, until when: a timer that no M sleeps for, or TICK_IDLE if anything is left to do. Under rt.lock. */
static int64_t idle_until(int64_t now)
{
	int64_t first = grt_timers_earliest();
	int64_t due = unfinished() ? now + TICK_IDLE : grt_spare_due();

	if (grt_rt.keeper && grt_rt.keeper_when <= first)
		first = GRT_NEVER;
	return due < first ? due : first;
}

/* Until when to sleep: tick from now, longer while all is idle. That is asked, and told to whoever takes a P out of
 * idleness and kicks us then (grt_unlock_busy), in one section, whatever is left to do: we may be away for long. */
static int64_t sleep_until(int64_t now, int64_t tick)
{
	int64_t until = now + tick;
	bool idle;

	grt_spin_lock(&grt_rt.lock);
	idle = all_idle() && !(GRT_CHECKS_ON && grt_work_visible());
	if (idle) {
		int64_t t = idle_until(now);

		Mon.fresh = FRESH;
		until = t > now ? t : until; /* due already: somebody is being woken for it */
	}
	grt_rt.monitor_sleeps = idle;
	grt_spin_unlock(&grt_rt.lock);
	if (Mon.fresh && !grt_load(&grt_rt.npidle)) {
		Mon.fresh--;
		until = tick < TICK_FRESH ? until : now + TICK_FRESH;
	}
	if (GRT_CHECKS_ON && until > now + GRT_DOG_SLEEP)
		return now + GRT_DOG_SLEEP; /* a wake-up that is lost now does not kick us */
	return until;
}

int64_t grt_monitor_tick(int64_t now)
{
	int64_t tick, until;

	grt_clock_set(now);
	grt_spare_start(now);
	tick = look_at_all(now);
	if (GRT_CHECKS_ON && grt_dog_look(now))
		tick = tick < GRT_DOG_TICK ? tick : GRT_DOG_TICK;
	grt_spare_retire(now);
	grt_follow(now);
	trim(now);
	Mon.ending = grt_m_join_ended();
	watch_hang(now);
	trace(now);
	until = sleep_until(now, tick);
	watch_deadlock(now); /* after it: what happens from here on wakes us */
	if (Mon.dead_since && until > now + TICK_IDLE)
		until = now + TICK_IDLE;
	if (grt_rt.trace_ms && Mon.trace_at < until)
		until = Mon.trace_at;
	return until;
}

static void set_rests(uint32_t rests)
{
	atomic_store_explicit(&Mon.rests, rests, memory_order_release); /* monitor.E */
	grt_os_futex_wake(&Mon.rests, 1);
}

static void await_rests(uint32_t rests)
{
	while (atomic_load_explicit(&Mon.rests, memory_order_acquire) != rests) /* monitor.F */
		grt_os_futex_wait(&Mon.rests, !rests, INT64_MAX);
}

/* False: it is to end. */
static bool rest(void)
{
	uint32_t order;

	set_rests(1);
	while ((order = atomic_load_explicit(&Mon.order, memory_order_acquire)) ==
	       REST) /* monitor.B */
		grt_os_futex_wait(&Mon.order, REST, INT64_MAX);
	set_rests(0);
	return order == GO_ON;
}

static void *monitor(void *arg)
{
	(void)arg;
	while (GRT_LIKELY(!grt_load(&Mon.order)) || rest()) {
		int64_t until;

		atomic_exchange_explicit(&grt_rt.monitor_note, 0,
					 memory_order_acquire); /* monitor.D */
		until = grt_monitor_tick(grt_os_now());
		grt_chaos();
		if (!grt_load(&grt_rt.monitor_note) && !grt_load(&Mon.order))
			grt_os_futex_wait(&grt_rt.monitor_note, 0, until);
	}
	return NULL;
}

/* As if it had looked at everything just now. */
static void begin(int64_t now)
{
	Mon.quiet = 0;
	Mon.fresh = FRESH;
	Mon.cold = false;
	grt_spare_init(now);
	grt_follow_init(now);
	Mon.trim_at = now + TRIM_EVERY;
	Mon.ticked_at = now;
	Mon.still = 0;
	Mon.looked_at = now;
	Mon.dead_since = 0;
	if (GRT_CHECKS_ON)
		grt_dog_reset();
	for (uint32_t i = 0; i < GRT_MAX_PROCS; i++) {
		Mon.seen[i] = (struct seen){ 0 };
		Mon.stuck[i] = (struct stuck){ 0 };
		Mon.oldest_since[i] = now;
	}
}

int grt_monitor_start(void)
{
	int64_t now = grt_os_now();

	grt_store(&Mon.order, GO_ON);
	grt_store(&Mon.rests, 0); /* a child of fork: its parent's may have rested */
	Mon.start = now;
	Mon.trace_at = now + (int64_t)grt_rt.trace_ms * 1000 * US;
	begin(now);
	return grt_os_thread_start(&Mon.thread, monitor, NULL, "goru-sysmon");
}

static void give_order(enum order o)
{
	atomic_store_explicit(&Mon.order, o, memory_order_release); /* monitor.A */
	grt_os_futex_wake(&Mon.order, 1);
	grt_monitor_kick();
}

void grt_monitor_pause(void)
{
	give_order(REST);
	await_rests(1);
}

static void let_go(void)
{
	give_order(GO_ON);
	await_rests(0); /* else the next pause might take the end of this one for its own */
}

void grt_monitor_resume(void)
{
	begin(grt_os_now());
	let_go();
}

void grt_monitor_stop(void)
{
	give_order(END);
	grt_os_thread_join(Mon.thread);
}

/*
 * PROTOCOL monitor
 *   Words    Mon.order, Mon.rests; rt.monitor_note: 1 when the monitor has something to look at before its next tick.
 *   Owners   order: whoever starts and stops the runtime. rests: the monitor.
 *   Steps    kick: note = 1, futex wake. monitor: note = 0, look at everything, sleep while note is 0.
 *            pause: order = REST, kick, wait for rests. resume: order = GO_ON, wait for no rests. stop: order.
 *   Pairs    A order: order release -> B monitor: order acquire   what resume set of its own words
 *            E rest: rests release -> F pause: rests acquire   what it did before is over, and those words are the other's
 *            C kick: note release -> D monitor: note acquire   an exchange: it reads the 1, and then sees what the kick
 *            is for, or it comes before the 1, which then stays
 *   Relaxed  note as looked at before sleeping: the futex looks again. order where it may only send the monitor to rest():
 *            whoever has taken a kick for his own sees what was ordered before it, and does not sleep.
 *   Checked  tests/model/publish.c, tests/unit/monitor.c, tests/stress/rescue.c, tests/stress/handoff.c
 */
