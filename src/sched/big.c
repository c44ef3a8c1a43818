/* big.c - a call on a stack of its own, on the same goroutine or thread. */
/* SPDX-License-Identifier: MIT */
#include "sched/big.h"

#include <errno.h>

#include "goru.h"
#include "os/os.h"
#include "part/stack.h"
#include "rt/self.h"

/* A plain thread's innermost; a goroutine's stands in its record. */
static __thread struct big *thread_big;

struct big *grt_big_of(struct g *g)
{
	return g ? g->big : thread_big;
}

static int map(struct big *b, unsigned cls)
{
	void *lo;
	int rc;

	b->size = grt_stack_size(cls);
	b->guard = grt_stack_guard_size(cls);
	rc = grt_os_reserve(b->guard + b->size, grt_os_page_size(), &lo);
	if (rc < 0)
		return rc;
	b->lo = lo;
	rc = grt_os_commit(b->lo + b->guard, b->size);
	if (rc < 0) {
		grt_os_unmap(b->lo, b->guard + b->size);
		return rc;
	}
	grt_san_root(b->lo + b->guard, b->size);
	b->on = (struct san_stack){ .lo = b->lo + b->guard, .size = b->size };
	b->top = b->lo + b->guard + b->size - 16;
	return 0;
}

static void unmap(struct big *b)
{
	grt_san_unroot(b->lo + b->guard, b->size);
	grt_san_fresh(b->lo + b->guard, b->size);
	grt_os_unmap(b->lo, b->guard + b->size);
}

static void set_current(struct g *g, struct big *b)
{
	if (g)
		g->big = b;
	else
		thread_big = b;
}

/* For the calls into goru, and for switches, that b's function makes. It has a guard, whatever the goroutine's has. */
static void begin(struct big *b)
{
	struct g *g = b->g;

	set_current(g, b);
	if (!g)
		return;
	b->limit = g->limit;
	g->limit = 0;
	if (GRT_ASAN_ON) {
		g->san.lo = b->on.lo;
		g->san.size = b->on.size;
	}
}

static void end(struct big *b)
{
	struct g *g = b->g;

	set_current(g, b->outer);
	if (!g)
		return;
	g->limit = b->limit;
	if (GRT_ASAN_ON) {
		g->san.lo = b->from.lo;
		g->san.size = b->from.size;
	}
}

/* The first function on it. */
static void run(void *arg)
{
	struct big *b = arg;

	grt_san_arrive_from(&b->on, &b->from);
	b->fn(b->arg);
	grt_san_leave(&b->on, &b->from, true);
}

/* On the stack it was called from, with an exception on its way. */
static void unwound(void *arg)
{
	struct big *b = arg;

	grt_san_leave(&b->on, &b->from, true);
	grt_san_arrive(&b->from);
	grt_san_unwound();
	end(b);
	unmap(b);
}

GRT_PUBLIC int goru_call_on_big_stack(size_t size, void (*fn)(void *), void *arg)
{
	struct m *m = grt_arch_self();
	struct big b = { .g = m ? m->curg : NULL, .fn = fn, .arg = arg };
	int cls = grt_stack_class(size), rc;

	if (!fn || cls < 0)
		return -EINVAL;
	rc = map(&b, (unsigned)cls);
	if (rc < 0)
		return rc;
	b.outer = grt_big_of(b.g);
	begin(&b);
	grt_san_leave(&b.from, &b.on, false);
	grt_arch_call_on(b.top, run, &b, unwound);
	grt_san_arrive(&b.from);
	end(&b);
	unmap(&b);
	return 0;
}

/* Its record may lie on the stack of the next outer one. */
static struct big *give_back(struct big *b)
{
	struct big *outer = b->outer;

	end(b);
	unmap(b);
	return outer;
}

static void left(void *arg)
{
	struct big *b = arg;
	struct g *g = b->g;
	void (*fn)(void *) = g->big->fn;
	void *fn_arg = g->big->arg;

	grt_san_arrive(&b->from);
	for (b = g->big; b;)
		b = give_back(b);
	fn(fn_arg);
	__builtin_unreachable();
}

_Noreturn void grt_big_leave(struct g *g, void (*fn)(void *), void *arg)
{
	struct big *b = g->big;

	/* its own function does not go on: room for the one that does */
	b->fn = fn;
	b->arg = arg;
	while (b->outer)
		b = b->outer;

	/* a first frame, as if its stack began there: nothing is behind it any more */
	grt_arch_prepare(&b->own, *(void **)b->top, left);
	grt_san_leave(&b->on, &b->from, true);
	grt_arch_leave(&b->own, b);
}

void grt_big_drop(struct g *g)
{
	for (struct big *b = g->big; b;)
		b = give_back(b);
}
