/* audit.c - checks builds: what a P has queued is counted and compared, now and then. */
/* SPDX-License-Identifier: MIT */
/*
 * The holder of a P on its loop is alone with runnext, the lanes and the dead; from the ring others take meanwhile, and
 * only what is still there at the end of the look counts. The shared queue and the timers are looked at under their
 * locks. A goroutine may have gone from the ring to the shared queue in between: so these two are not compared.
 */
#include "engine/audit.h"

#include "base/fatal.h"

enum { SLOTS = 8192, DEAD_SEEN = 64, INJQ_SEEN = 1024 };

/* Where each goroutine was seen in this look; one look at a time, others go without. */
static struct {
	_Atomic bool busy;
	uint32_t look;
	struct {
		const struct g *g;
		const char *place;
		uint32_t look;
	} at[SLOTS];
} T;

static bool begin(void)
{
	if (atomic_exchange_explicit(&T.busy, true, memory_order_acquire)) /* audit.B */
		return false;
	T.look++;
	return true;
}

static void end(void)
{
	atomic_store_explicit(&T.busy, false, memory_order_release); /* audit.A */
}

/*
 * PROTOCOL audit
 *   Words    T.busy: somebody looks.
 *   Owners   the rest of T: who turned it from false to true.
 *   Pairs    A end: busy release -> B begin: busy acquire   the table as the last one left it
 *   Checked  tests/unit/audit.c
 */

static void see(struct p *p, const struct g *g, const char *place, enum g_state want)
{
	uint32_t i = (uint32_t)((uintptr_t)g >> 6) * 2654435761u % SLOTS;
	unsigned is;

	if (!g)
		grt_fatal("audit: P %u has an empty place in %s", p->id, place);
	is = grt_load(&g->state);
	if (is != want)
		grt_fatal("audit: %s is in %s of P %u, but it is %s", grt_g_label(g).text, place,
			  p->id, is < G_STATES ? grt_g_states[is] : "in no state");
	for (; T.at[i].look == T.look; i = (i + 1) % SLOTS)
		if (T.at[i].g == g)
			grt_fatal("audit: %s is twice with P %u: in %s and in %s",
				  grt_g_label(g).text, p->id, T.at[i].place, place);
	T.at[i].g = g;
	T.at[i].place = place;
	T.at[i].look = T.look;
}

static void length(struct p *p, const char *place, uint32_t n, uint32_t max)
{
	if (n > max)
		grt_fatal("audit: %s of P %u holds %u, and has room for %u", place, p->id, n, max);
}

static void lane(struct p *p, struct lane *l, const char *place)
{
	uint32_t h = grt_load(&l->head), t = grt_load(&l->tail);

	length(p, place, t - h, GRT_LANE_LEN);
	for (; h != t; h++)
		see(p, l->slot[h % GRT_LANE_LEN], place, G_RUNNABLE);
}

/* State first, then whether it was still there. */
static void ring(struct p *p)
{
	struct runq *q = &p->runq;
	struct g *v[GRT_RUNQ_LEN];
	uint32_t h = grt_load(&q->head), t = grt_load(&q->tail), n = t - h, left;
	uint8_t state[GRT_RUNQ_LEN];

	length(p, "the ring", n, GRT_RUNQ_LEN);
	for (uint32_t i = 0; i < n; i++) {
		v[i] = grt_load(&q->slot[(h + i) % GRT_RUNQ_LEN]);
		state[i] = v[i] ? grt_load(&v[i]->state) : G_DEAD;
	}
	atomic_thread_fence(memory_order_acquire); /* runq.E */
	left = grt_load(&q->head) - h;
	length(p, "what was taken from the ring", left, n);
	for (uint32_t i = left; i < n; i++)
		if (state[i] != G_RUNNABLE || !v[i])
			grt_fatal("audit: %s is in the ring of P %u, but it was %s",
				  v[i] ? grt_g_label(v[i]).text : "nobody", p->id,
				  grt_g_states[state[i] % G_STATES]);
}

/* Under its lock; a long one as far as INJQ_SEEN. */
static void shared(struct p *p, struct injq *q)
{
	uint32_t n = 0, all = grt_load(&q->n);

	for (uint8_t i = q->at; i < q->end; i++, n++)
		see(p, q->front[i], "the shared queue", G_RUNNABLE);
	for (struct g *g = q->first; g && n < INJQ_SEEN; g = g->schedlink) {
		bool last = g == q->last;

		if (last != !g->schedlink)
			grt_fatal("audit: the shared queue's last is not at its end");
		see(p, g, "the shared queue", G_RUNNABLE);
		n++;
		for (int i = 0; i < (last ? G_GROUP - q->room : G_GROUP) && g->group[i]; i++, n++)
			see(p, g->group[i], "the shared queue", G_RUNNABLE);
	}
	if (n < INJQ_SEEN && n != all)
		grt_fatal("audit: the shared queue counts %u, and holds %u", all, n);
}

static void dead(struct p *p)
{
	uint32_t n = grt_load(&p->ngfree);

	length(p, "the pool of the dead", n, GRT_GFREE_MAX);
	for (uint32_t i = n > DEAD_SEEN ? n - DEAD_SEEN : 0; i < n; i++)
		see(p, p->gfree[i], "the pool of the dead", G_DEAD);
}

void grt_audit(struct p *p)
{
	struct g *next = grt_load(&p->runnext);

	if (!begin())
		return;
	if (next)
		see(p, next, "runnext", G_RUNNABLE);
	lane(p, &p->spawned, "the spawned");
	lane(p, &p->woken, "the woken");
	dead(p);
	grt_spin_lock(&grt_rt.injq.lock);
	shared(p, &grt_rt.injq);
	grt_spin_unlock(&grt_rt.injq.lock);
	end();
	ring(p);
	if (!grt_timers_sound(&p->timers))
		grt_fatal("audit: the timers of P %u are out of order", p->id);
}
