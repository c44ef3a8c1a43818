/* stack.c - stacks: reserved arenas, committed in chunks, guarded, coloured, given back in batches. */
/* SPDX-License-Identifier: MIT */
/*
 * One list of arenas a size class. An arena is one reservation without access; chunks of it become readable and
 * writable from the bottom up, which merges into two mappings however many stacks there are. Arenas begin small and
 * double: a program with ten goroutines reserves 64 MiB, a million of 256 KiB lie in a dozen arenas, and neither a limit
 * on address space nor a small one (39 bits) has to be known beforehand.
 *
 * Slots leave an arena twice: fresh (never used) or cold (used, its pages given back). Hot ones, dead but with their
 * page, are rt/gpool's. The list of cold slots cannot live in the slots, whose pages are gone: it is an array beside.
 */
#include "part/stack.h"

#include <errno.h>

#include "base/fatal.h"
#include "os/os.h"

enum {
	FIRST_SHIFT = GRT_ASAN_ON ? 22 : 26, /* 64 MiB */
	LAST_SHIFT = GRT_ASAN_ON ? 34 : 40,  /* 1 TiB */
	CHUNK_MAX = 256,		     /* slots */
	DISCARD_BATCH = 512,
	AHEAD_MAX = 64,	  /* first pages made at once, */
	AHEAD_SHARE = 16, /* but only a sixteenth of those in use */
};

struct arena {
	struct arena *_Atomic next; /* newest first; read without the lock by find and each */
	char *base;
	size_t nslots;
	uint32_t *cold;
	uint32_t ncold;
	_Atomic uint32_t used; /* slots ever handed out */
	uint32_t committed;    /* slots readable and writable */
	uint32_t guarded;      /* slots [0, guarded) have a guard */
	uint32_t ahead;	       /* slots [used, ahead) have their first page */
	unsigned cls;
	size_t meta_size; /* of this record and the cold array, one mapping */
};

static struct {
	struct spin lock; /* all but what is atomic */
	struct arena *_Atomic arenas[STACK_CLASSES];
	size_t ncold[STACK_CLASSES]; /* of all arenas of the class */
	size_t reserved;
	enum guard_kind { GUARD_CHEAP, GUARD_MPROTECT } guard;
	size_t mprotect_left; /* guards that may still be made the expensive way */
	bool guards_only, warned;
	_Atomic bool locked; /* the last stacks were made in locked memory */
	bool told_locked;
	uint64_t incarnation; /* claim ranges handed out */
} S = { .lock = GRT_SPIN(LOCK_STACKS) };

int grt_stack_class(size_t size)
{
	if (size <= grt_stack_size(0) / 2) /* rounds up to less than the least */
		return -EINVAL;
	for (unsigned c = 0; c < STACK_CLASSES; c++)
		if (size <= grt_stack_size(c))
			return (int)c;
	return -EINVAL;
}

/* 1/8 of the stack, 64 KiB at most: a big frame must not step over it. Address space only. */
size_t grt_stack_guard_size(unsigned cls)
{
	size_t page = grt_os_page_size(), n = grt_stack_size(cls) / 8;

	n = n > 65536 ? 65536 : n;
	return n < page ? page : n & ~(page - 1);
}

size_t grt_stack_guard(const struct g *g)
{
	return grt_stack_guard_size(g->cls);
}

void grt_stacks_init(bool guards_only)
{
	S.guards_only = guards_only;
	S.warned = S.told_locked = false;
	grt_store(&S.locked, false);
	/* LeakSanitizer walks the stacks as roots and dies on a cheap guard page */
	S.guard = !GRT_ASAN_ON && grt_os_guard_supported() ? GUARD_CHEAP : GUARD_MPROTECT;
	/* a quarter of the mappings for guards; each splits one into three, so two of them a guard */
	S.mprotect_left = grt_os_max_map_count() / 4 / 2;
}

void grt_stacks_fini(void)
{
	for (unsigned c = 0; c < STACK_CLASSES; c++) {
		struct arena *a = grt_load(&S.arenas[c]);

		grt_store(&S.arenas[c], NULL);
		S.ncold[c] = 0;
		while (a) {
			struct arena *next = grt_load(&a->next);
			size_t size = a->nslots * grt_stack_size(c);

			if (a->committed)
				grt_san_unroot(a->base, size);
			grt_san_fresh(a->base, a->committed * grt_stack_size(c));
			grt_os_unmap(a->base, size);
			grt_os_unmap(a, a->meta_size);
			a = next;
		}
	}
	S.reserved = 0;
}

void grt_stacks_forget(void)
{
	S.lock = (struct spin)GRT_SPIN(LOCK_STACKS);
	for (unsigned c = 0; c < STACK_CLASSES; c++) {
		grt_store(&S.arenas[c], NULL);
		S.ncold[c] = 0;
	}
	S.reserved = 0;
}

bool grt_stacks_scarce(void)
{
	return S.guard == GUARD_MPROTECT || grt_load(&S.locked);
}

size_t grt_stacks_reserved(void)
{
	grt_spin_lock(&S.lock);

	size_t n = S.reserved;

	grt_spin_unlock(&S.lock);
	return n;
}

/* Twice the last one; smaller where the address space does not hold that. */
static int arena_new(unsigned cls)
{
	struct arena *last = grt_load(&S.arenas[cls]);
	size_t slot = grt_stack_size(cls);
	size_t size = last ? last->nslots * slot * 2 : (size_t)1 << FIRST_SHIFT;
	void *base;

	if (size > (size_t)1 << LAST_SHIFT)
		size = (size_t)1 << LAST_SHIFT;
	while (size < slot)
		size *= 2;
	/* aligned to the slot, so that a 2 MiB page table serves whole slots */
	while (grt_os_reserve(size, slot, &base) < 0) {
		size /= 2;
		if (size < slot)
			return -ENOMEM;
	}

	size_t meta = sizeof(struct arena) + size / slot * sizeof(uint32_t);
	void *rec;

	if (grt_os_map(meta, &rec) < 0) {
		grt_os_unmap(base, size);
		return -ENOMEM;
	}

	struct arena *a = rec;

	a->base = base;
	a->nslots = size / slot;
	a->cold = (uint32_t *)(a + 1);
	a->cls = cls;
	a->meta_size = meta;
	grt_store(&a->next, last);
	atomic_store_explicit(&S.arenas[cls], a, memory_order_release); /* arena.A */
	S.reserved += size;
	return 0;
}

/* Guards for slots [from, to): as many as can be had. Where the kernel has cheap ones it may still refuse them: by a seccomp
 * filter, or in locked memory. */
static void guard_slots(struct arena *a, uint32_t from, uint32_t to)
{
	size_t slot = grt_stack_size(a->cls), len = grt_stack_guard_size(a->cls);

	if (a->guarded != from)
		return; /* there is a gap already: unguarded from there on */
	if (S.guard == GUARD_CHEAP)
		a->guarded = from + grt_os_guard(a->base + from * slot, slot, len, to - from);
	while (a->guarded < to && S.mprotect_left > 0) {
		if (grt_os_protect(a->base + a->guarded * slot, len) < 0)
			return;
		a->guarded++;
		S.mprotect_left--;
	}
}

static void committed(struct arena *a, uint32_t n)
{
	if (!a->committed)
		grt_san_root(a->base, a->nslots * grt_stack_size(a->cls));
	a->committed += n;
}

/*
 * The program has locked all memory that is to come: what is committed is there at once, a stack with every page. So no
 * more than is needed, and the guard is what stays without access.
 */
static int commit_locked(struct arena *a)
{
	size_t slot = grt_stack_size(a->cls);
	bool guard = a->guarded == a->committed && S.mprotect_left > 0;
	size_t down = guard ? grt_stack_guard_size(a->cls) : 0;

	if (grt_os_commit(a->base + a->committed * slot + down, slot - down) < 0)
		return -ENOMEM;
	committed(a, 1);
	a->guarded += guard;
	S.mprotect_left -= guard;
	if (!S.told_locked)
		grt_warn("memory is locked (mlockall): each further stack takes all its bytes of "
			 "it, not a page");
	S.told_locked = true;
	return 0;
}

static int commit(struct arena *a)
{
	size_t slot = grt_stack_size(a->cls);
	size_t n = a->committed / 4;
	size_t left = a->nslots - a->committed;

	grt_store(&S.locked, grt_os_locked(a->base + a->committed * slot));
	if (grt_load(&S.locked))
		return commit_locked(a);
	n = n < 16 ? 16 : n > CHUNK_MAX ? CHUNK_MAX : n;
	n = n > left ? left : n;
	while (n && grt_os_commit(a->base + a->committed * slot, n * slot) < 0)
		n /= 2;
	if (!n)
		return -ENOMEM;

	uint32_t from = a->committed;

	committed(a, (uint32_t)n);
	guard_slots(a, from, a->committed);
	return 0;
}

static struct g *slot_g(const struct arena *a, uint32_t i)
{
	size_t slot = grt_stack_size(a->cls);
	size_t down = ((sizeof(struct g) + 63) & ~(size_t)63) + (i % STACK_COLORS) * 64;

	return (struct g *)(a->base + (i + 1) * slot - down);
}

/*
 * A program that starts goroutines by the thousand goes on doing so: pages in batches cost a sixth less than a fault each.
 * Arenas double, so the ones before this one hold about as many slots as it has.
 */
static void populate(struct arena *a, uint32_t used)
{
	size_t slot = grt_stack_size(a->cls), page = grt_os_page_size();
	size_t n = ((grt_load(&a->next) ? a->nslots : 0) + used) / AHEAD_SHARE;

	n = n > AHEAD_MAX ? AHEAD_MAX : n;
	n = n > a->committed - used ? a->committed - used : n;
	if (n < 2 || grt_stacks_scarce()) /* an old kernel cannot, or not in batches */
		return;
	grt_os_populate(a->base + (used + 1) * slot - page, slot, (uint32_t)n);
	a->ahead = used + (uint32_t)n;
}

static int take_cold(struct arena *a, uint32_t *out)
{
	if (!a->ncold)
		return -ENOSPC;
	*out = a->cold[--a->ncold];
	S.ncold[a->cls]--;
	return 0;
}

static int take_fresh(struct arena *a, uint32_t *out)
{
	uint32_t used = grt_load(&a->used);

	if (used == a->committed) {
		int rc = used < a->nslots ? commit(a) : -ENOSPC;

		if (rc < 0)
			return rc;
	}
	if (used >= a->ahead)
		populate(a, used);
	*out = used;
	return 0;
}

static void no_guard(struct g *g)
{
	g->flags = G_UNGUARDED;
	/* what a call into goru, and the signal frame it might meet, may still use */
	g->limit = (uintptr_t)g->stack_lo + 2048;
	if (S.warned)
		return;
	S.warned = true;
	grt_warn(
		"no guard page for further stacks on this kernel; an overflow there is noticed at the next call "
		"into goru, when memory may be damaged already");
}

static int get(unsigned cls, struct g **out)
{
	uint32_t i = 0;
	int rc = -ENOSPC, no_memory = 0;
	/* one that is committed and guarded already, in whichever arena, before a fresh one */
	int (*take)(struct arena * a, uint32_t * out) = S.ncold[cls] ? take_cold : take_fresh;
	struct arena *a = grt_load(&S.arenas[cls]);

	for (; a; a = grt_load(&a->next)) {
		rc = take(a, &i);
		if (!rc)
			break;
		no_memory |= rc == -ENOMEM;
	}
	if (rc && no_memory)
		return -ENOMEM; /* another arena could not be filled either */
	if (rc) {
		rc = arena_new(cls);
		a = grt_load(&S.arenas[cls]);
		if (!rc)
			rc = take_fresh(a, &i);
	}
	if (rc)
		return rc;

	bool guarded = i < a->guarded;

	if (!guarded && S.guards_only) {
		/* nobody has any of these yet: a guard that could not be had may be had now */
		guard_slots(a, a->guarded, a->committed);
		guarded = i < a->guarded;
		if (!guarded)
			return -EAGAIN;
	}

	struct g *g = slot_g(a, i);

	g->stack_lo = a->base + i * grt_stack_size(cls);
	g->stack_size = grt_stack_size(cls);
	g->cls = (uint8_t)cls;
	g->flags = 0;
	g->limit = 0;
	grt_store(&g->claim, ++S.incarnation << 40);
	if (!guarded)
		no_guard(g);
	if (i == grt_load(&a->used))
		atomic_store_explicit(&a->used, i + 1, memory_order_release); /* arena.C */
	*out = g;
	return 0;
}

int grt_stack_get(unsigned cls, struct g **out)
{
	grt_spin_lock(&S.lock);

	int rc = get(cls, out);

	grt_spin_unlock(&S.lock);
	return rc;
}

/* Every address the program can hand us is below one of these; a handful of arenas, so a walk will do. */
static struct arena *arena_of(uintptr_t addr, uint32_t *slot)
{
	for (unsigned c = 0; c < STACK_CLASSES; c++) {
		struct arena *a =
			atomic_load_explicit(&S.arenas[c], memory_order_acquire); /* arena.B */

		for (; a; a = grt_load(&a->next)) {
			uintptr_t off = addr - (uintptr_t)a->base;

			if (off < a->nslots * grt_stack_size(c)) {
				*slot = (uint32_t)(off / grt_stack_size(c));
				return a;
			}
		}
	}
	return NULL;
}

struct g *grt_stack_find(uintptr_t addr)
{
	uint32_t i = 0;
	struct arena *a = arena_of(addr, &i);

	if (!a || i >= atomic_load_explicit(&a->used, memory_order_acquire)) /* arena.D */
		return NULL;
	return slot_g(a, i);
}

void grt_stack_each(void (*fn)(struct g *g, void *arg), void *arg)
{
	for (unsigned c = 0; c < STACK_CLASSES; c++) {
		struct arena *a =
			atomic_load_explicit(&S.arenas[c], memory_order_acquire); /* arena.B */

		for (; a; a = grt_load(&a->next)) {
			uint32_t n =
				atomic_load_explicit(&a->used, memory_order_acquire); /* arena.D */

			for (uint32_t i = 0; i < n; i++)
				fn(slot_g(a, i), arg);
		}
	}
}

size_t grt_stacks_resident(void)
{
	size_t n = 0;

	for (unsigned c = 0; c < STACK_CLASSES; c++) {
		struct arena *a =
			atomic_load_explicit(&S.arenas[c], memory_order_acquire); /* arena.B */

		for (; a; a = grt_load(&a->next))
			n += grt_os_resident(a->base, grt_load(&a->used) * grt_stack_size(c));
	}
	return n;
}

/*
 * PROTOCOL arena
 *   Words    S.arenas[class] and arena.next: a list that only grows at its head; used: only rises.
 *   Owners   whoever holds S.lock writes; anyone reads without it until grt_stacks_fini, which runs alone.
 *   Pairs    A new: arenas release -> B walk: arenas acquire   the arena's fields are set before it is on the list
 *            C get: used release -> D walk: used acquire   the slot is committed before its record is looked at
 *   Relaxed  next: set before A and never changed. Readers under S.lock.
 *   Reuse    never unmapped while anyone may walk; forgotten, and never unmapped, in the child of a fork.
 *   Checked  tests/unit/stack.c
 */

/* One system call for many slots: 166 ns a page against 1.1 us one by one. Slots side by side become one piece. */
struct batch {
	struct os_range r[DISCARD_BATCH];
	unsigned n;
};

static void batch_flush(struct batch *b)
{
	grt_os_discard(b->r, b->n);
	b->n = 0;
}

static void batch_add(struct batch *b, char *lo, size_t size)
{
	if (b->n && b->r[b->n - 1].base == lo + size) {
		b->r[b->n - 1].base = lo;
		b->r[b->n - 1].size += size;
		return;
	}
	if (b->n && (char *)b->r[b->n - 1].base + b->r[b->n - 1].size == lo) {
		b->r[b->n - 1].size += size;
		return;
	}
	if (b->n == DISCARD_BATCH)
		batch_flush(b);
	b->r[b->n++] = (struct os_range){ lo, size };
}

/* Pages first, slots second: a slot must not be handed out while its pages are about to go. The records, cold by now, are
 * not looked at. */
void grt_stack_discard(struct g *const *dead, size_t n)
{
	struct batch b;
	uint32_t slot[DISCARD_BATCH];
	struct arena *of[DISCARD_BATCH];

	b.n = 0; /* its 8 KiB need no clearing at each of the monitor's looks */
	while (n) {
		unsigned k = n < DISCARD_BATCH ? (unsigned)n : DISCARD_BATCH;

		for (unsigned i = 0; i < k; i++) {
			struct arena *a = arena_of((uintptr_t)dead[i], &slot[i]);
			size_t size = grt_stack_size(a->cls);
			char *lo = a->base + slot[i] * size;

			of[i] = a;
			grt_san_fresh(lo, size);
			batch_add(&b, lo, size);
		}
		batch_flush(&b);
		grt_spin_lock(&S.lock);
		for (unsigned i = 0; i < k; i++) {
			of[i]->cold[of[i]->ncold++] = slot[i];
			S.ncold[of[i]->cls]++;
		}
		grt_spin_unlock(&S.lock);
		dead += k;
		n -= k;
	}
}
