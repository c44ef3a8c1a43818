/* g.h - the goroutine's record: two hot lines for the switch and the wake, the rest for spawn, exit and reports. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_G_H
#define GRT_PART_G_H

#include "arch.h"
#include "base/fatal.h"
#include "base/list.h"
#include "base/sanitizer.h"
#include "base/tls.h"

struct m;
struct waiter;
struct locals;
struct big;
struct scope;

/* For reports, shutdown and checks; scheduling itself never asks (relaxed stores by whoever holds the goroutine). What may
 * follow what stands in part/g.c. */
enum g_state {
	G_DEAD = 0, /* free; all-zero memory of a slot never used says the same */
	G_RUNNABLE,
	G_RUNNING,
	G_WAITING,
	G_BLOCKED, /* between block_enter and block_exit, or its P was taken while it was in the kernel */
	G_NO_P, /* its P was taken while it computed */
	G_STATES,
};

enum wait_reason {
	WAIT_NONE,
	WAIT_SEND,
	WAIT_RECV,
	WAIT_SELECT,
	WAIT_FOREVER,
	WAIT_WAITGROUP,
	WAIT_SLEEP,
	WAIT_P,
	WAIT_MUTEX,
	WAIT_RDLOCK,
	WAIT_WRLOCK,
	WAIT_COND,
	WAIT_SEM,
	WAIT_ONCE,
	WAIT_JOIN,
	WAIT_SCOPE,
};

enum { G_NAME = 32, G_WORDS = GRT_WORDS, G_GROUP = 7 };
enum g_flags {
	G_MAIN = 1,
	G_UNGUARDED = 2,
	G_WIDE = 4 /* more than one argument word */,
	G_AGAIN = 8, /* got a P inside its brackets */
	G_NAMED = 16,
	G_LOCALS = 32,	/* locals is set: they have to be destroyed at its end */
	G_TASK = 64,	/* word[0] is its task, which has not ended */
	G_LOCKED = 128, /* to its thread: sched/locked.h */
	G_SCOPED = 256, /* has had to do with scopes: its end looks at them */
};

_Static_assert(sizeof(struct gobuf) == 32,
	       "four words, for the line below and for debugger scripts");

/*
 * It stands at the top of its own stack's first page, at an offset that depends on the slot (the colour), so that the
 * records and top frames of many goroutines do not fight for one cache set: 43 against 10 ns a switch at 1000.
 */
struct g {
	/* one cache line: what every switch and wake touches */
	GRT_ALIGNED(GRT_CACHELINE) struct gobuf sched;
	_Atomic uint64_t claim;		/* PROTOCOL claim in part/waiter.h */
	struct waiter *_Atomic waiting; /* what it waits on, for shutdown and reports; else NULL */
	uint32_t flags;
	_Atomic uint32_t since; /* rt.clock when it last parked; for reports */
	int saved_errno;
	_Atomic uint8_t state, reason;
	bool scoped; /* it has a scope, and no shield: its waits ask part/scope.h first */
	uint8_t cls; /* stack class, fixed for the slot's life */

	/* a line that only lists touch */
	struct g *schedlink;	  /* next in the one list that holds it: injq, gpool, a batch */
	struct g *group[G_GROUP]; /* those behind it that injq finds by it */

	/* C++, blocking */
	void *saved_eh[2]; /* C++ exceptions being handled, while not running */
	uint32_t block_depth;
	uint32_t nopen; /* scopes that it has opened and not closed */

	/* spawn, exit, reports */
	uint64_t id;
	const void *from; /* the call that started it returns there */
	void (*fn)(void);
	uintptr_t word[G_WORDS];

	/* PROTOCOL scope in part/scope.h; as a goroutine begins with them it ends */
	struct scope *scope; /* the innermost */
	struct list sibling; /* among the scope's children: under its lock */
	uint32_t shield;     /* how often it has entered one */

	uintptr_t limit; /* lowest address a call into goru may still run at; 0 with a guard below */
	char *stack_lo;	 /* the slot's first byte, guard included */
	size_t stack_size;
	char name[G_NAME];
	uint32_t ran_on;       /* the M's id + 1, under GORU_DEBUG=migrate=1 only */
	struct locals *locals; /* sched/local.h */
	struct big *big;       /* sched/big.h: the stack it runs on, if not its own */
	struct m *lockm;       /* the M it is locked to: sched/locked.h */
	struct gobuf
		lock_at; /* while locked, instead of sched, which then says that nobody may run it */
	uint32_t lock_depth;
	struct san_stack san;
};

/* For messages; by enum g_state. */
extern const char *const grt_g_states[G_STATES];

/* "goroutine 17 (worker)", for messages. */
struct g_label {
	char text[48 + G_NAME];
};
struct g_label grt_g_label(const struct g *g);

/* First in, first out; passive, for whoever holds it. */
struct glist {
	struct g *head, *tail;
	uint32_t n;
};

_Static_assert(offsetof(struct g, schedlink) == GRT_CACHELINE,
	       "the hot line of struct g has grown");

static inline void grt_glist_push(struct glist *l, struct g *g)
{
	g->schedlink = NULL;
	if (l->tail)
		l->tail->schedlink = g;
	else
		l->head = g;
	l->tail = g;
	l->n++;
}

static inline struct g *grt_glist_pop(struct glist *l)
{
	struct g *g = l->head;

	GRT_ASSERT(!g == !l->n && !g == !l->tail);
	if (!g)
		return NULL;
	l->head = g->schedlink;
	if (!l->head)
		l->tail = NULL;
	l->n--;
	return g;
}

/* All of src behind dst; src is empty after. */
static inline void grt_glist_append(struct glist *dst, struct glist *src)
{
	if (!src->head)
		return;
	if (dst->tail)
		dst->tail->schedlink = src->head;
	else
		dst->head = src->head;
	dst->tail = src->tail;
	dst->n += src->n;
	*src = (struct glist){ 0 };
}

/* Last in, first out: the hottest stack is used next. */
static inline void grt_glist_push_front(struct glist *l, struct g *g)
{
	g->schedlink = l->head;
	l->head = g;
	if (!l->tail)
		l->tail = g;
	l->n++;
}

/* In checks builds: s follows the state g is in, or it is fatal. */
void grt_g_turn(struct g *g, enum g_state s);

static inline void grt_g_set_state(struct g *g, enum g_state s)
{
	if (GRT_CHECKS_ON)
		grt_g_turn(g, s);
	else
		grt_store(&g->state, (uint8_t)s);
}

#endif
