/* backtrace.c - where a goroutine stands: its stack is copied, and the copy walked. */
/* SPDX-License-Identifier: MIT */
/*
 * Nobody can be kept from waking the goroutine meanwhile, and an unwinder believes what it reads. So the stack is copied
 * first, and used only if the goroutine was parked all the time: its claim word says that the same wait is open, before
 * and after. A wake changes that word before the goroutine runs; on x86-64 stores are seen in order, on AArch64 a mix of
 * old and new may remain, and there the walk looks only at frame records within the copy.
 */
#include "debug/backtrace.h"

#include <string.h>

#include "os/os.h"
#include "part/stack.h"
#include "part/waiter.h"
#include "walk.h"

enum { LARGE = 64 << 20 }; /* no stack deeper than this is copied */

/* What a parked goroutine's stack is, as long as it is parked. */
struct still {
	uint64_t claim;
	char *sp;
};

/* Of a parked one. */
static struct gobuf *saved(struct g *g)
{
	return g->flags & G_LOCKED ? &g->lock_at : &g->sched;
}

static bool still(struct g *g, struct still *s)
{
	s->claim = grt_load(&g->claim);
	if (!grt_claim_is_open(s->claim) || grt_load(&g->state) != G_WAITING)
		return false;
	s->sp = atomic_load_explicit(&saved(g)->sp, memory_order_acquire); /* gobuf.B */
	/* also a record that is being given away and filled anew */
	return s->sp > g->stack_lo && s->sp < (char *)g &&
	       (uintptr_t)s->sp % sizeof(uintptr_t) == 0;
}

static bool unchanged(struct g *g, const struct still *s)
{
	atomic_thread_fence(memory_order_acquire); /* gobuf.B */
	return grt_load(&g->claim) == s->claim && grt_load(&saved(g)->sp) == s->sp;
}

/* Pointers into the stack become pointers into the copy; so does what only looks like one. */
static uintptr_t moved(uintptr_t word, uintptr_t lo, uintptr_t hi, uintptr_t to)
{
	return word >= lo && word <= hi ? word - lo + to : word;
}

GRT_NO_SANITIZE static void copy_words(uintptr_t *to, const uintptr_t *from, size_t n)
{
	uintptr_t lo = (uintptr_t)from, hi = (uintptr_t)(from + n);

	for (size_t i = 0; i < n; i++)
		to[i] = moved(((const volatile uintptr_t *)from)[i], lo, hi, (uintptr_t)to);
}

GRT_NO_SANITIZE static uintptr_t word_at(const char *p)
{
	return *(const volatile uintptr_t *)p;
}

/* Where in the copy each return address stands: the first such word above the one before. */
static void find_words(struct backtrace *b, const uintptr_t *copy, size_t n)
{
	size_t at = 0;

	b->known = true;
	for (uint32_t i = 1; i < b->n; i++, at++) {
		while (at < n && copy[at] != b->pc[i])
			at++;
		if (at == n) { /* a signed one */
			b->known = false;
			return;
		}
		b->offset[i] = (uint32_t)(at * sizeof(uintptr_t));
	}
}

bool grt_backtrace(struct g *g, struct backtrace *b, char *copy, size_t size)
{
	struct still s;
	struct gobuf at, *from;
	void *more = NULL;

	*b = (struct backtrace){ 0 };
	if (!still(g, &s))
		return false;

	size_t used = (size_t)((char *)g - s.sp) & ~(sizeof(uintptr_t) - 1);
	uintptr_t lo = (uintptr_t)s.sp, hi = lo + used;

	if (used > size) {
		if (used > LARGE || grt_os_map(used, &more) < 0)
			return false;
		copy = more;
	}
	copy_words((uintptr_t *)(void *)copy, (uintptr_t *)(void *)s.sp, used / sizeof(uintptr_t));
	from = saved(g);
	at.pc = from->pc;
	at.bp = (void *)moved((uintptr_t)from->bp, lo, hi, (uintptr_t)copy);
	at.bx = (void *)moved((uintptr_t)from->bx, lo, hi, (uintptr_t)copy);
	grt_store(&at.sp, copy);

	bool ok = unchanged(g, &s);

	if (ok) {
		b->n = grt_arch_walk(&at, (uintptr_t)copy, (uintptr_t)copy + used, b->pc,
				     BT_FRAMES);
		b->cut = b->n == BT_FRAMES;
		find_words(b, (uintptr_t *)(void *)copy, used / sizeof(uintptr_t));
	}
	if (more)
		grt_os_unmap(more, used);
	return ok;
}

void grt_backtrace_self(struct backtrace *b)
{
	*b = (struct backtrace){ 0 };
	b->n = grt_arch_walk_self(b->pc, BT_FRAMES);
	b->cut = b->n == BT_FRAMES;
}

bool grt_backtrace_same(struct g *g, const struct backtrace *b)
{
	struct still s;

	if (!b->known || !b->n || !still(g, &s) || (uintptr_t)saved(g)->pc != b->pc[0])
		return false;

	size_t used = (size_t)((char *)g - s.sp);

	for (uint32_t i = 1; i < b->n; i++)
		if (b->offset[i] + sizeof(uintptr_t) > used ||
		    word_at(s.sp + b->offset[i]) != b->pc[i])
			return false;
	return unchanged(g, &s);
}
