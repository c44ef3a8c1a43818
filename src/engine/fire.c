/* fire.c - what alarms do when their time has come: start a goroutine, send the time, or end a scope. */
/* SPDX-License-Identifier: MIT */
#include "engine/fire.h"

#include "part/scope.h"
#include "rt/gpool.h"
#include "sched/spawn.h"
#include "sync/chan.h"

enum { RETRY = 10 * 1000 * 1000 }; /* ns, when no goroutine could be made */

/* What was missed is skipped. */
static int64_t next_time(const struct due_alarm *d, int64_t now)
{
	int64_t period = d->alarm->period, next;

	if (__builtin_mul_overflow((now - d->when) / period + 1, period, &next) ||
	    __builtin_add_overflow(next, d->when, &next))
		return GRT_NEVER;
	return next;
}

static struct g *start(struct p *p, struct due_alarm *d, int64_t now)
{
	struct alarm *a = d->alarm;
	uintptr_t word = (uintptr_t)a->arg;
	struct spawn s = {
		.fn = (void (*)(void))a->fn, .word = &word, .nwords = 1, .from = a->from
	};
	struct g *g = grt_spawn_get(p); /* first: until there is one, it can be stopped */

	if (!g) {
		d->again = now + RETRY;
		return NULL;
	}
	if (!(a->period ? grt_alarm_armed(a, d->open) : grt_alarm_claim(a, d->open, ALARM_FIRED))) {
		grt_gpool_put(p, g);
		return NULL;
	}
	if (a->period)
		d->again = next_time(d, now);
	grt_tsan_acquire(a);
	grt_spawn_begin(p, g, &s);
	return g;
}

/* A goroutine that received it, if one waited. */
static struct g *send_time(struct due_alarm *d, int64_t now)
{
	struct alarm *a = d->alarm;
	goru_chan *c = a->arg;
	struct chan_op op = grt_chan_offer(c, &now);
	struct g *g = op.wake ? op.wake->g : NULL;

	if (op.wake && !g)
		grt_plain_ready(op.wake);
	if (a->period && op.rc != -EPIPE)
		d->again = next_time(d, now);
	if (!grt_alarm_sent(a, d->open, d->again != GRT_NOT_AGAIN)) {
		d->again = GRT_NOT_AGAIN;
		grt_chan_free(c);
	}
	return g;
}

static void end_scope(struct scope *s, struct glist *ready)
{
	struct scope_walk k;

	if (!grt_scope_expire(&k, s, ready))
		return;
	while (grt_scope_walk(&k, ready))
		;
}

uint32_t grt_fire(struct p *p, struct due_alarms *due, int64_t now, struct glist *ready)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < due->n; i++) {
		struct due_alarm *d = &due->v[i];
		bool late = d->when <= now - GRT_TIMER_LATE;
		struct g *g = NULL;

		if (d->alarm->fn) {
			g = start(p, d, now);
			if (!g)
				continue;
		} else if (d->alarm->period == ALARM_OF_SCOPE) {
			if (!grt_alarm_claim(d->alarm, d->open, ALARM_FIRED))
				continue;
			end_scope(d->alarm->arg, ready);
		} else if (grt_alarm_claim(d->alarm, d->open, ALARM_SENDING)) {
			g = send_time(d, now);
		} else {
			continue;
		}
		n++;
		p->ntimer_late += late;
		if (g)
			grt_glist_push(ready, g);
	}
	return n;
}
