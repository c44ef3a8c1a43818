/* gpool.c - dead goroutines kept hot: per P first, a shared list behind, the kernel last. */
/* SPDX-License-Identifier: MIT */
/*
 * A dead goroutine's page has long left the cache when its turn comes to be moved, and a chain through the records would
 * be a cache and a TLB miss each. So they move as arrays of pointers: a P's is in the P, the shared ones stand on the
 * stacks of dead goroutines, one leader a block, which nobody needs and which are there in any case.
 *
 * PROTOCOL gpool
 *   Words    p.gfree[0..p.ngfree): dead goroutines, hottest last. F: the shared ones, under its lock.
 *   Owners   p.gfree and p.ngfree: the M that holds the P. While the P is idle the holder of rt.lock: the monitor trims
 *            it, and a spawn that finds no memory collects from it. Not who takes a P by PROTOCOL handshake: its holder
 *            may be on the stack that it has just put there. A P that retires: who empties it (engine/boot.c).
 *   Steps    put: slot, then ngfree + 1. get: ngfree - 1, then the slot. To and from the shared list: whole blocks.
 *   Pairs    rt.lock's, by which a P becomes idle and ceases to be.
 *   Relaxed  ngfree as read by the monitor: whether a look under the lock is worth it.
 *   Reuse    the stack that an ending goroutine stands on is in gfree before it is left; nobody but its own M takes it
 *            from there, and that M becomes idle only on its own stack.
 *   Checked  tests/unit/gpool.c, tests/stress/spawn.c
 */
#include "rt/gpool.h"

enum {
	BLOCK = GRT_GFREE_BLOCK - 1, /* the leader's slots; it counts too */
	TRIM_MAX = 16384, /* stacks given back in one go: some 3 ms of the monitor's time */
};

/* The leader's page holds its record, its colour and the block. */
_Static_assert(sizeof(struct g) + 64 + STACK_COLORS * 64 + BLOCK * sizeof(struct g *) <= 4096,
	       "a block must not need a page of its own");

static inline struct g **slots(struct g *leader)
{
	return (struct g **)leader - BLOCK;
}

/* In a dead leader schedlink is the next leader, and word[0] says how many slots are filled. */
struct blocks {
	struct g *top;
	uint32_t n; /* stacks, not blocks */
};

/* low is the fewest the list held in this period: so many were not needed, and may go in the next one (budget). */
static struct shared {
	struct spin lock;
	struct blocks free[STACK_CLASSES];
	uint32_t low[STACK_CLASSES], budget[STACK_CLASSES];
} F = { .lock = GRT_SPIN(LOCK_GPOOL) };

static void block_push(struct blocks *b, struct g *leader)
{
	leader->schedlink = b->top;
	b->top = leader;
	b->n += 1 + (uint32_t)leader->word[0];
}

static struct g *block_pop(struct blocks *b)
{
	struct g *leader = b->top;

	if (leader) {
		b->top = leader->schedlink;
		b->n -= 1 + (uint32_t)leader->word[0];
	}
	return leader;
}

static void push(struct blocks *b, struct g *g)
{
	struct g *top = b->top;

	if (top && top->word[0] < BLOCK) {
		slots(top)[top->word[0]++] = g;
		b->n++;
		return;
	}
	g->word[0] = 0;
	block_push(b, g);
}

static struct g *pop(struct blocks *b)
{
	struct g *top = b->top;

	if (!top || !top->word[0])
		return block_pop(b);
	b->n--;
	return slots(top)[--top->word[0]];
}

static void note_low(unsigned cls)
{
	if (F.free[cls].n < F.low[cls])
		F.low[cls] = F.free[cls].n;
}

/* Not memcpy, nor what the compiler would make one of there: TSan watches it, and does not know of the lists' locks. */
static void copy(struct g **to, struct g *const *from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		to[i] = from[i];
		if (GRT_TSAN_ON)
			grt_compiler_barrier();
	}
}

/* Makes n dead ones a block, the last one the hottest. */
static struct g *block_make(struct g *const *v, uint32_t n)
{
	struct g *leader = v[0];

	copy(slots(leader), v + 1, n - 1);
	leader->word[0] = n - 1;
	return leader;
}

/* A block's stacks onto v, coldest first; how many. */
static uint32_t block_open(struct g *leader, struct g **v)
{
	uint32_t n = (uint32_t)leader->word[0];

	v[0] = leader;
	copy(v + 1, slots(leader), n);
	return n + 1;
}

/* What spawn is about to write: the record's first and third line, the first frame. All at once they take the time of a
 * few. */
static void warm(struct g *const *v, uint32_t n)
{
	while (n-- > 0) {
		char *at = (char *)v[n];

		__builtin_prefetch(at - 64, 1);
		__builtin_prefetch(at, 1);
		__builtin_prefetch(at + 128, 1);
	}
}

/* The n coldest of a P's, at most a block, to the shared list. */
static void give(struct p *p, uint32_t n)
{
	struct g *leader = block_make(p->gfree, n);
	uint32_t left = grt_load(&p->ngfree) - n;

	copy(p->gfree, p->gfree + n, left);
	grt_store(&p->ngfree, left);
	grt_spin_lock(&F.lock);
	block_push(&F.free[grt_rt.default_cls], leader);
	grt_spin_unlock(&F.lock);
}

/* All but keep, coldest first. */
static void give_all_but(struct p *p, uint32_t keep)
{
	uint32_t n;

	while ((n = grt_load(&p->ngfree)) > keep)
		give(p, n - keep < GRT_GFREE_BLOCK ? n - keep : GRT_GFREE_BLOCK);
}

/* From the shared list, into the P as many as it gives at once. */
static struct g *take(struct p *p, unsigned cls)
{
	struct g *g;
	uint32_t n;

	grt_spin_lock(&F.lock);
	g = p ? block_pop(&F.free[cls]) : pop(&F.free[cls]);
	note_low(cls);
	grt_spin_unlock(&F.lock);
	if (!g || !p)
		return g;
	n = block_open(g, p->gfree) - 1;
	warm(p->gfree, n + 1);
	grt_store(&p->ngfree, n);
	return p->gfree[n];
}

/* No memory, no guards: what idle Ps keep, which is their lock's holder's. */
static GRT_COLD void collect(void)
{
	grt_spin_lock(&grt_rt.lock);
	for (uint32_t i = 0; i < grt_load(&grt_rt.nallp); i++) {
		struct p *p = grt_load(&grt_rt.allp[i]);

		if (grt_load(&p->status) == P_IDLE)
			give_all_but(p, 0);
	}
	grt_spin_unlock(&grt_rt.lock);
}

int grt_gpool_get_slow(struct p *p, unsigned cls, struct g **out)
{
	struct p *into = cls == grt_rt.default_cls ? p : NULL;
	int rc;

	*out = take(into, cls);
	if (*out)
		return 0;
	rc = grt_stack_get(cls, out);
	if (rc < 0 && cls == grt_rt.default_cls) {
		collect();
		*out = take(into, cls);
		return *out ? 0 : rc;
	}
	if (!rc && (*out)->limit)
		atomic_fetch_or_explicit(&grt_rt.enter_flags, ENTER_CHECK, memory_order_relaxed);
	return rc;
}

/* Asked at each GRT_GFREE_IDLE-th. True: a part went to the shared list. */
static GRT_NOINLINE bool full(struct p *p, uint32_t n)
{
	if (grt_stacks_scarce())
		give_all_but(p, GRT_GFREE_IDLE / 2);
	else if (n == GRT_GFREE_MAX)
		give(p, GRT_GFREE_BLOCK);
	else
		return false;
	return true;
}

void grt_gpool_put(struct p *p, struct g *g)
{
	if (GRT_LIKELY(p && g->cls == grt_rt.default_cls)) {
		uint32_t n = grt_load(&p->ngfree);

		if (GRT_UNLIKELY(n >= GRT_GFREE_IDLE && !(n % GRT_GFREE_IDLE)) && full(p, n))
			n = grt_load(&p->ngfree);
		p->gfree[n] = g;
		grt_store(&p->ngfree, n + 1);
		return;
	}
	grt_spin_lock(&F.lock);
	push(&F.free[g->cls], g);
	grt_spin_unlock(&F.lock);
}

void grt_gpool_drain(struct p *p)
{
	give_all_but(p, 0);
}

/* Does a P hold more than it may while it is idle? */
static bool surplus(struct p *p)
{
	return grt_load(&p->ngfree) > GRT_GFREE_IDLE;
}

/* An idle P is its lock's holder's. True: some are busy, and their surplus has yet to be looked at. */
static bool trim_ps(bool period)
{
	uint32_t n = atomic_load_explicit(&grt_rt.nallp, memory_order_acquire); /* allp.B */
	bool left = false;

	for (uint32_t i = 0; i < n; i++) {
		struct p *p = grt_load(&grt_rt.allp[i]);

		if (!surplus(p))
			continue;
		if (period) {
			grt_spin_lock(&grt_rt.lock);
			if (grt_load(&p->status) == P_IDLE)
				give_all_but(p, GRT_GFREE_IDLE);
			grt_spin_unlock(&grt_rt.lock);
		}
		left |= surplus(p);
	}
	return left;
}

static void discard_block(struct g *leader)
{
	struct g *v[GRT_GFREE_BLOCK]; /* the block goes with the leader's page */

	grt_stack_discard(v, block_open(leader, v));
}

static uint32_t trim_class(unsigned cls, bool period)
{
	struct blocks *all = &F.free[cls], dead = { 0 };
	struct g *rest[GRT_GFREE_BLOCK];
	uint32_t n, nrest = 0, left;

	grt_spin_lock(&F.lock);
	if (period) {
		F.budget[cls] = F.low[cls];
		F.low[cls] = all->n;
	}
	n = F.budget[cls] < TRIM_MAX ? F.budget[cls] : TRIM_MAX;
	F.budget[cls] -= n;
	/* none of these was needed for a whole period: which of them go makes no difference any more */
	while (all->top && n > all->top->word[0]) {
		n -= 1 + (uint32_t)all->top->word[0];
		block_push(&dead, block_pop(all));
	}
	while (n-- > 0 && all->n)
		rest[nrest++] = pop(all);
	note_low(cls);
	left = all->n;
	grt_spin_unlock(&F.lock);

	while (dead.top)
		discard_block(block_pop(&dead));
	grt_stack_discard(rest, nrest);
	return left;
}

bool grt_gpool_trim(bool period)
{
	bool left = trim_ps(period);

	for (unsigned c = 0; c < STACK_CLASSES; c++)
		left |= trim_class(c, period);
	return left;
}

/* The stacks themselves go with their arenas. */
void grt_gpool_fini(void)
{
	for (unsigned c = 0; c < STACK_CLASSES; c++) {
		F.free[c] = (struct blocks){ 0 };
		F.low[c] = F.budget[c] = 0;
	}
}

void grt_gpool_forget(void)
{
	F.lock = (struct spin)GRT_SPIN(LOCK_GPOOL);
	grt_gpool_fini();
}
