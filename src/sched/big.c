/* big.c - a call on a stack of its own, on the same goroutine or thread. */
/* SPDX-License-Identifier: MIT */
#include "sched/big.h"

#include <errno.h>
#include <pthread.h>

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

static int map(struct big **out, unsigned cls)
{
	size_t size = grt_stack_size(cls), guard = grt_stack_guard_size(cls);
	struct big *b;
	void *at;
	char *lo;
	int rc = grt_os_reserve(guard + size, grt_os_page_size(), &at);

	if (rc < 0)
		return rc;
	lo = at;
	rc = grt_os_commit(lo + guard, size);
	if (rc < 0) {
		grt_os_unmap(lo, guard + size);
		return rc;
	}
	grt_san_root(lo + guard, size);
	b = (struct big *)(void *)(lo + guard + size) - 1;
	b->lo = lo;
	b->guard = guard;
	b->size = size;
	b->top = (void *)(((uintptr_t)b - 16) & ~(uintptr_t)15);
	b->on.lo = lo + guard;
	b->on.size = size;
	*out = b;
	return 0;
}

static void unmap(struct big *b)
{
	grt_san_unroot(b->lo + b->guard, b->size);
	grt_san_fresh(b->lo + b->guard, b->size);
	grt_os_unmap(b->lo, b->guard + b->size);
}

/*
 * pthread_exit and cancellation unwind with an unwinder that glibc loads only then: no clean-up is called of ours if the
 * program was not linked with it (arch entry.S). So what a plain thread leaves is given back when it has ended. musl's
 * pthread_exit unwinds nothing and ends up here on that very stack, which then stays: nobody learns when it is left.
 */
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static bool thread_key_made;

static void thread_ended(void *big)
{
	struct big *b = *(struct big **)big;

	while (b) {
		struct big *outer = b->outer;

		if ((uintptr_t)__builtin_frame_address(0) - (uintptr_t)b->on.lo >= b->on.size)
			unmap(b);
		b = outer;
	}
	*(struct big **)big = NULL;
}

static void make_thread_key(void)
{
	grt_os_stay_loaded();
	thread_key_made = pthread_key_create(&thread_key, thread_ended) == 0;
}

static void watch_thread(void)
{
	pthread_once(&thread_once, make_thread_key);
	if (thread_key_made)
		pthread_setspecific(thread_key, &thread_big);
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
	if (!g) {
		if (!b->outer)
			watch_thread();
		return;
	}
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
	int cls = grt_stack_class(size), rc;
	struct big *b;

	if (!m)
		grt_not_forked();
	if (!fn || cls < 0)
		return -EINVAL;
	rc = map(&b, (unsigned)cls);
	if (rc < 0)
		return rc;
	b->g = m ? m->curg : NULL;
	b->fn = fn;
	b->arg = arg;
	b->outer = grt_big_of(b->g);
	begin(b);
	grt_san_leave(&b->from, &b->on, false);
	grt_arch_call_on(b->top, run, b, unwound);
	grt_san_arrive(&b->from);
	end(b);
	unmap(b);
	return 0;
}

/* The one it was called from. */
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
