/* timers.c - one P's deadlines: a 4-ary heap of waits and alarms, cancelled lazily. */
/* SPDX-License-Identifier: MIT */
#include "part/timers.h"

#include <errno.h>
#include <stdlib.h>

#include "part/waiter.h"

enum {
	ARITY = 4, /* children lie in two cache lines: half the levels of a binary heap for the same lines */
	FIRST_CAP = 64,
	BATCH = 32,  /* records prefetched together */
	CHUNK = 101, /* alarms made at once: a page */
	ENTRY_ALARM = 1,
};

struct alarm_chunk {
	struct alarm_chunk *next;
	struct alarm alarm[CHUNK];
};
_Static_assert(sizeof(struct alarm_chunk) <= 4096 - 16, "a page with what malloc adds");

static _Atomic uint64_t *word_of(const struct timer_entry *e)
{
	return (_Atomic uint64_t *)(e->word & ~(uintptr_t)ENTRY_ALARM);
}

/* NULL: a goroutine's wait. */
static struct alarm *alarm_of(const struct timer_entry *e)
{
	return e->word & ENTRY_ALARM ? grt_container_of(word_of(e), struct alarm, claim) : NULL;
}

static bool is_over(const struct timer_entry *e)
{
	return grt_load(word_of(e)) != e->open;
}

void grt_timers_init(struct timers *t)
{
	*t = (struct timers){ .lock = GRT_SPIN(LOCK_TIMERS) };
	grt_store(&t->first, GRT_NEVER);
}

void grt_timers_fini(struct timers *t)
{
	grt_tsan_heap_begin();
	free(t->heap);
	for (struct alarm_chunk *c = t->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	grt_tsan_heap_end();
	grt_timers_init(t);
}

/* Where it came to stand. */
static uint32_t sift_up(struct timer_entry *h, uint32_t i, struct timer_entry e)
{
	while (i > 0) {
		uint32_t up = (i - 1) / ARITY;

		if (h[up].when <= e.when)
			break;
		h[i] = h[up];
		i = up;
	}
	h[i] = e;
	return i;
}

/* The earliest of the children that begin at c; in arithmetic, since no branch predictor knows which it is. */
GRT_INLINE uint32_t earliest_child(const struct timer_entry *h, uint32_t n, uint32_t c)
{
	if (GRT_LIKELY(c + ARITY <= n)) {
		uint32_t a = c + (h[c + 1].when < h[c].when);
		uint32_t b = c + 2 + (h[c + 3].when < h[c + 2].when);

		return a + (b - a) * (h[b].when < h[a].when);
	}

	uint32_t least = c;

	for (uint32_t k = c + 1; k < n; k++)
		if (h[k].when < h[least].when)
			least = k;
	return least;
}

static void sift_down(struct timer_entry *h, uint32_t n, uint32_t i, struct timer_entry e)
{
	for (uint32_t c; (c = i * ARITY + 1) < n;) {
		c = earliest_child(h, n, c);
		if (h[c].when >= e.when)
			break;
		h[i] = h[c];
		i = c;
	}
	h[i] = e;
}

static void note_first(struct timers *t)
{
	grt_store(&t->first, t->n ? t->heap[0].when : GRT_NEVER);
}

static void alarm_free(struct timers *t, struct alarm *a)
{
	a->arg = t->free;
	t->free = a;
}

/* Moves entries [from, to) that are not over down to at; returns where they end. */
GRT_INLINE uint32_t squeeze(struct timers *t, uint32_t at, uint32_t from, uint32_t to, bool more)
{
	for (struct timer_entry *e = t->heap + from, *end = t->heap + to; e < end; e++) {
		if (more)
			__builtin_prefetch((void *)e[BATCH].word);
		if (!is_over(e))
			t->heap[at++] = *e;
		else if (GRT_UNLIKELY(e->word & ENTRY_ALARM))
			alarm_free(t, alarm_of(e));
	}
	return at;
}

/* Drops entries that are over; called before the heap grows, so they are at most half of it. The words are all over the
 * memory: those of the next ones are asked for ahead. */
static void sweep(struct timers *t)
{
	uint32_t far = t->n > BATCH ? t->n - BATCH : 0, n = squeeze(t, 0, 0, far, true);

	n = squeeze(t, n, far, t->n, false);
	t->n = n;
	for (uint32_t i = n; i-- > 0;) /* leaves are heaps already; ARITY-ary Floyd */
		if (i * ARITY + 1 < n)
			sift_down(t->heap, n, i, t->heap[i]);
}

/* The heap is swept whenever it may be half over: what was used once by very many is not wandered through by few. */
static int make_room(struct timers *t)
{
	uint32_t cap = t->cap ? t->cap : FIRST_CAP, want;
	struct timer_entry *h = NULL;

	if (GRT_LIKELY(t->n + t->out < t->sweep_at))
		return 0;
	if (t->n)
		sweep(t);
	want = t->n + t->out < FIRST_CAP / 2 ? FIRST_CAP : 2 * (t->n + t->out);
	if (want > t->cap) {
		while (cap && cap < want)
			cap *= 2;
		grt_tsan_heap_begin();
		if (cap)
			h = realloc(t->heap, cap * sizeof(*h));
		grt_tsan_heap_end();
		if (h) {
			t->heap = h;
			t->cap = cap;
		}
	}
	t->sweep_at = want < t->cap ? want : t->cap;
	return t->n + t->out < t->cap ? 0 : -ENOMEM;
}

/* There is room. 1: it is the earliest. */
static int put(struct timers *t, struct timer_entry e)
{
	uint32_t at = sift_up(t->heap, t->n++, e);

	note_first(t);
	return at == 0;
}

static int add(struct timers *t, struct timer_entry e)
{
	int rc = make_room(t);

	if (rc < 0) {
		note_first(t); /* what was first may have been swept */
		return rc;
	}
	return put(t, e);
}

int grt_timers_add(struct timers *t, int64_t when, struct g *g, uint64_t open)
{
	grt_spin_lock(&t->lock);

	int rc = add(t, (struct timer_entry){ when, (uintptr_t)&g->claim, open });

	grt_spin_unlock(&t->lock);
	return rc;
}

static int more_alarms(struct timers *t)
{
	struct alarm_chunk *c;

	grt_tsan_heap_begin();
	c = malloc(sizeof(*c));
	grt_tsan_heap_end();
	if (!c)
		return -ENOMEM;
	c->next = t->chunks;
	t->chunks = c;
	for (int i = CHUNK; i-- > 0;) {
		grt_store(&c->alarm[i].claim, ALARM_STOPPED);
		alarm_free(t, &c->alarm[i]);
	}
	return 0;
}

int grt_timers_alarm(struct timers *t, struct alarm **out)
{
	int rc;

	grt_spin_lock(&t->lock);
	rc = make_room(t); /* which may free alarms, too */
	if (rc == 0 && !t->free)
		rc = more_alarms(t);
	if (rc < 0) {
		grt_spin_unlock(&t->lock);
		return rc;
	}

	struct alarm *a = t->free;

	t->free = a->arg;
	grt_store(&a->claim, (grt_load(&a->claim) & ~(uint64_t)ALARM_MASK) + ALARM_STEP);
	*out = a;
	return 0;
}

/* Others may have stopped it already, but for them it keeps its number. */
static int put_alarm(struct timers *t, struct alarm *a, int64_t when)
{
	uint64_t open = grt_load(&a->claim) & ~(uint64_t)ALARM_MASK;

	return put(t, (struct timer_entry){ when, (uintptr_t)&a->claim | ENTRY_ALARM, open });
}

int grt_timers_arm(struct timers *t, struct alarm *a, int64_t when)
{
	int rc = put_alarm(t, a, when);

	grt_spin_unlock(&t->lock);
	return rc;
}

static struct timer_entry pop(struct timers *t)
{
	struct timer_entry e = t->heap[0];

	if (--t->n)
		sift_down(t->heap, t->n, 0, t->heap[t->n]);
	return e;
}

void grt_timers_prune(struct timers *t)
{
	grt_spin_lock(&t->lock);
	while (t->n && is_over(&t->heap[0])) {
		struct timer_entry e = pop(t);

		if (e.word & ENTRY_ALARM)
			alarm_free(t, alarm_of(&e));
	}
	note_first(t);
	grt_spin_unlock(&t->lock);
}

/* Up to max that are due into due[]. The records of long sleepers are in no cache, and their pages in no TLB: asked for
 * together, not one after the other at each claim. */
static uint32_t pop_due(struct timers *t, int64_t now, struct timer_entry *due, uint32_t max)
{
	uint32_t n = 0;

	while (n < max && t->n && t->heap[0].when <= now)
		due[n++] = pop(t);
	for (uint32_t i = 0; i < n; i++)
		__builtin_prefetch(word_of(&due[i]), 1);
	return n;
}

static void take_alarm(struct timers *t, const struct timer_entry *e, struct due_alarms *alarms)
{
	if (is_over(e)) {
		alarm_free(t, alarm_of(e));
		return;
	}
	alarms->v[alarms->n++] = (struct due_alarm){ alarm_of(e), e->open, e->when, GRT_NOT_AGAIN };
	t->out++;
}

static void take_wait(const struct timer_entry *e, struct glist *waits)
{
	if (grt_claim_word(word_of(e), e->open, END_TIMEDOUT))
		grt_glist_push(waits, grt_container_of(word_of(e), struct g, claim));
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void grt_timers_expire(struct timers *t, int64_t now, uint32_t max, struct glist *waits,
		       struct due_alarms *alarms)
{
	struct timer_entry due[BATCH];
	uint32_t end = waits->n + alarms->n + max, want, n;

	grt_spin_lock(&t->lock);
	do {
		want = least(least(end - waits->n - alarms->n, BATCH), GRT_DUE_MAX - alarms->n);
		n = pop_due(t, now, due, want);
		for (uint32_t i = 0; i < n; i++) {
			if (due[i].word & ENTRY_ALARM)
				take_alarm(t, &due[i], alarms);
			else
				take_wait(&due[i], waits);
		}
	} while (n && n == want);
	note_first(t);
	grt_spin_unlock(&t->lock);
}

void grt_timers_return(struct timers *t, const struct due_alarms *alarms)
{
	grt_spin_lock(&t->lock);
	t->out -= alarms->n;
	for (uint32_t i = 0; i < alarms->n; i++) {
		const struct due_alarm *d = &alarms->v[i];

		if (d->again == GRT_NOT_AGAIN)
			alarm_free(t, d->alarm);
		else
			put_alarm(t, d->alarm, d->again);
	}
	grt_spin_unlock(&t->lock);
}

int grt_timers_move(struct timers *to, struct timers *from)
{
	int rc = 0;

	grt_spin_lock(&from->lock);
	grt_spin_lock(&to->lock);
	while (from->n && rc >= 0) {
		rc = add(to, from->heap[from->n - 1]);
		if (rc >= 0)
			from->n--;
	}
	note_first(from);
	grt_spin_unlock(&to->lock);
	grt_spin_unlock(&from->lock);
	return rc < 0 ? rc : 0;
}

/* Of a big heap the upper part, where an entry out of order does harm first. */
bool grt_timers_sound(struct timers *t)
{
	enum { SEEN = 4096 };
	bool yes;

	grt_spin_lock(&t->lock);
	yes = t->n <= t->cap && grt_load(&t->first) == (t->n ? t->heap[0].when : GRT_NEVER);
	for (uint32_t i = 1; i < t->n && i < SEEN; i++)
		yes = yes && t->heap[(i - 1) / ARITY].when <= t->heap[i].when;
	grt_spin_unlock(&t->lock);
	return yes;
}
