/* dog.c - checks builds: work that waits beside an idle P, with nobody on his way to it, is fatal. */
/* SPDX-License-Identifier: MIT */
/*
 * A lost wake-up looks so: a goroutine is queued, a P is idle, nobody looks for work and nobody will. The clock alone
 * cannot tell it from an operating system that does not run a thread. So a look counts only if nobody is on his way:
 * no M spins (one that was woken does, long before it runs), starts, or is between two steps inside goru, where it may
 * have queued something and not woken anyone yet; no plain thread is inside, and the number of Ps is not being changed.
 * An M inside goru is one with in_rt set that does not sleep on its note. As long as one is, whatever the reason, looks
 * do not count. Twenty that do, with the same goroutine the oldest in the same place all the while, and 20 ms, are fatal:
 * everybody involved has long done what he had to do.
 */
#include "engine/dog.h"

#include "base/fatal.h"
#include "rt/plain.h"
#include "rt/rt.h"

enum { LOOKS = 20, LONG = 20 * 1000 * 1000 };

enum place { RING, SPAWNED, WOKEN, RUNNEXT, PLACES };
static const char *const names[PLACES] = {
	[RING] = "the ring",
	[SPAWNED] = "the spawned",
	[WOKEN] = "the woken",
	[RUNNEXT] = "runnext",
};

/* The oldest in one place: what names it, since when it has been so, and how many looks counted since. */
struct oldest {
	uint64_t what;
	int64_t since;
	uint32_t looks;
};

static struct {
	struct oldest injq, at[GRT_MAX_PROCS][PLACES];
} D;

static bool on_its_way(struct m *m)
{
	return grt_load(&m->in_rt) && grt_load(&m->note) != 2;
}

/* NULL, or a P that is idle while nobody is on his way. */
static struct p *idle_p(void)
{
	struct p *p = NULL;

	grt_spin_lock(&grt_rt.lock);
	if (grt_load(&grt_rt.phase) == RT_ON && !grt_load(&grt_rt.nmspinning) &&
	    !grt_load(&grt_rt.want_m) && !grt_rt.nm_starting && !grt_load(&grt_rt.moving))
		p = grt_rt.pidle;
	for (struct m *m = grt_rt.allm; m && p; m = m->alllink)
		if (on_its_way(m))
			p = NULL;
	grt_spin_unlock(&grt_rt.lock);
	return p && !grt_plain_inside() ? p : NULL;
}

/* n: how many are there, the oldest named by what. True: long enough. */
static bool see(struct oldest *o, uint32_t n, uint64_t what, bool counts, int64_t now)
{
	if (!n || o->what != what || !o->since) {
		*o = (struct oldest){ .what = what, .since = n ? now : 0 };
		return false;
	}
	o->looks += counts;
	return o->looks >= LOOKS && now - o->since >= LONG;
}

static int ms(const struct oldest *o, int64_t now)
{
	return (int)((now - o->since) / (1000 * 1000));
}

/* True: somebody waits there. */
static bool look_at(struct p *p, struct p *idle, int64_t now)
{
	struct oldest *o = D.at[p->id];
	uint32_t n[PLACES] = { grt_runq_len(&p->runq), grt_lane_len(&p->spawned),
			       grt_lane_len(&p->woken), grt_load(&p->runnext) != NULL };
	uint64_t what[PLACES] = { grt_load(&p->runq.head), grt_load(&p->spawned.head),
				  grt_load(&p->woken.head), grt_load(&p->schedtick) };
	bool some = false;

	for (int i = 0; i < PLACES; i++) {
		some |= n[i] != 0;
		if (see(&o[i], n[i], what[i], idle, now))
			grt_fatal("P %u is idle, but %s of P %u holds %u, the oldest for %d ms, "
				  "and nobody is on his way",
				  idle->id, names[i], p->id, n[i], ms(&o[i], now));
	}
	return some;
}

bool grt_dog_look(int64_t now)
{
	struct p *idle = idle_p();
	uint32_t queued = grt_injq_len(&grt_rt.injq);
	bool some = queued;

	if (see(&D.injq, queued, grt_load(&grt_rt.injq.taken), idle, now))
		grt_fatal("P %u is idle, but the shared queue holds %u, the oldest for %d ms, "
			  "and nobody is on his way",
			  idle->id, queued, ms(&D.injq, now));
	for (uint32_t i = 0; i < grt_load(&grt_rt.nallp); i++)
		some |= look_at(grt_load(&grt_rt.allp[i]), idle, now);
	return some && idle;
}

void grt_dog_reset(void)
{
	D.injq.since = 0;
	for (int i = 0; i < GRT_MAX_PROCS; i++)
		for (int k = 0; k < PLACES; k++)
			D.at[i][k].since = 0;
}
