/* explore.c - runs small bodies over goru's own sources in every order, with every value a weak memory may give them. */
/* SPDX-License-Identifier: MIT */
/*
 * The sources are compiled with -fsanitize=thread and linked with this file in place of the sanitizer's library: every
 * atomic operation, with its ordering, and every plain access comes here as a call. Nothing in them is replaced.
 *
 * The machine: each atomic word keeps the values stored to it, in their order. Each thread has a view: for each word,
 * the oldest value it may still read. A load reads any value from there on; each is tried. A release store attaches its
 * thread's view to the value, an acquire load takes it over; a read-modify-write reads the newest value and passes on
 * what was attached to it. A sequentially consistent fence joins the thread's view with one that all such fences share.
 * Acquire and release fences are as in C11. Plain memory must be ordered by release and acquire: a vector clock a
 * thread, and for each byte who wrote and read it last; a race fails.
 *
 * What the machine has not:
 * - a load that is satisfied after a later store of its own thread (load buffering); model_guard stands in for it where
 *   a protocol depends on it;
 * - a store that goes before one already made by another thread: stores to one word by two threads fail unless one
 *   happens before the other, or the model says that the order does not matter (model_unordered);
 * - a read-modify-write that goes before such a store: it reads the newest value there is;
 * - the compiler: it sees to it that C means what the program says, here as elsewhere.
 *
 * Orders are tried depth first by running again with the choices of the last run but the last. The state of memory,
 * stacks and machine is hashed wherever somebody else could go on; a state that was there before ends the run. Others
 * may go on before an operation on a word that somebody stores to and several use (which is found out as we go: a new
 * such word means to begin again), unless all their own thread did since they last could was to load: whatever they do
 * between two loads they can do before both, since a load may read an old value. A membarrier spoils that; models with
 * one do without.
 */
#define _GNU_SOURCE
#include "explore.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch.h" /* the real one */

enum {
	THREADS = MODEL_THREADS,
	WORDS = 192,
	VALUES = 56,
	CELLS = 4096,
	STACKS = THREADS + 4,
	STACK = 32768,
	STEPS = 4000,
	HEAP = 131072,
	NOBODY = -1,
	GUARDS = 4,
};
enum { RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };
enum status { READY, PAUSED, ASLEEP, DONE };

struct view {
	uint8_t at[WORDS]; /* for each word, the number of the oldest value that may be read */
	uint8_t clock[8];  /* for each thread, how much of it happened before */
};

struct value {
	uint64_t v;
	bool rmw;	 /* nothing can come between the value before and this one */
	struct view rel; /* what who acquires it joins */
};

struct word {
	uint64_t addr;
	uint8_t size, n;
	uint8_t users, stored, shared, unordered; /* stay from run to run */
	uint8_t touched[8];			  /* each thread's clock at its last access */
	uint8_t guarded[8];			  /* at its last guarded load that counted */
	struct value value[VALUES];
};

/* Eight bytes of memory: who accessed them plainly. */
struct cell {
	uint64_t addr;
	uint8_t writer[8], wclock[8]; /* thread + 1; its clock then */
	uint8_t rclock[THREADS][8];
	uint8_t dead[8];
	uint8_t word[8]; /* atomic word that begins here, + 1; stays from run to run */
};

struct stack {
	uintptr_t lo, hi, live; /* frames below live are gone */
	uintptr_t end;		/* what lies above hi is a goroutine's record */
	void *sp;		/* of the suspended */
};

struct context {
	struct gobuf *of;
	struct gobuf real;
	int stack;
	bool inside;
};

struct thread {
	/* of the state as it is */
	enum status status;
	uint32_t impatient, dirty; /* dirty: others have not had the chance to see its last store */
	uint64_t wait_word;	   /* ASLEEP: the futex */
	uint64_t timed, timed_out;
	uint64_t pending[2];	 /* guarded loads not confirmed yet: bit mask of words */
	struct gobuf *from, *to; /* a switch being made */
	struct m *m;
	uint64_t stack;
	/* by its meaning */
	struct gobuf real;
	struct view now, acq, rel;
	int last, last_at; /* word loaded last, and which value */
	uint8_t pend_clock;
};

struct step {
	uint8_t thread, nth, of;
	const char *what;
	uint64_t addr, v, v2;
	void *pc;
};

/* All that is not the program's: outside of .data and .bss, which are put back before each run. */
static struct explorer {
	const struct model *model;
	struct gobuf root;
	struct thread t[THREADS];
	struct view sc, low;
	struct stack stack[STACKS];
	struct context context[2 * STACKS];
	struct {
		uint64_t lo, hi, word;
	} guard[GUARDS];
	int nthreads, cur, nstacks, ncontexts, nguards, switches, old, late;
	size_t heap_used;
	struct {
		char *p;
		size_t n;
	} alloc[32];
	int nallocs;
	int ncells_touched;

	struct word word[WORDS];
	struct cell cell[CELLS], *last_cell;
	uint16_t hash[2 * CELLS];
	int nwords, ncells; /* known; they keep their numbers from run to run */
	bool again, barrier;
	bool alone; /* the thread that came to the root goes on, whoever else could */

	struct {
		uint8_t nth, of;
	} path[STEPS];
	int depth, replay, deepest;
	struct step step[STEPS];
	int nsteps;
	struct set {
		uint64_t *h, n, cap;
	} seen, ends; /* states; memory at the end */
	long runs, known, ended;
	char *image;
	char heap[HEAP] __attribute__((aligned(64)));
	char stacks[STACKS][STACK] __attribute__((aligned(4096)));
} * X;

int64_t model_now = 1000;
__attribute__((weak)) __thread uintptr_t grt_tls_words[6];

extern char __data_start[], _end[];

#define ME (&X->t[X->cur])

/* ---- reports ---- */

static void where(char *out, size_t n, void *pc)
{
	char cmd[256];
	FILE *f;

	snprintf(out, n, "%p", pc);
	snprintf(cmd, sizeof(cmd), "addr2line -s -e /proc/%d/exe %p 2>/dev/null", getpid(),
		 (void *)((char *)pc - 1));
	f = popen(cmd, "r");
	if (!f)
		return;
	if (fgets(out, (int)n, f))
		out[strcspn(out, "\n ")] = '\0';
	pclose(f);
}

_Noreturn void model_fail(const char *fmt, ...)
{
	va_list ap;
	char at[128];

	printf("%s: FAIL after %ld schedules: ", X->model->name, X->runs + 1);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("%s\n", X->cur == NOBODY ? "" : ", by the last one below");
	for (int i = 0; i < X->nsteps; i++) {
		struct step *s = &X->step[i];

		where(at, sizeof(at), s->pc);
		printf("  T%d %-8s %#10llx %llx", s->thread, s->what, (unsigned long long)s->addr,
		       (unsigned long long)s->v);
		if (!strcmp(s->what, "cas") || !strcmp(s->what, "rmw"))
			printf(" -> %llx", (unsigned long long)s->v2);
		if (s->nth)
			printf(" (%d newer)", s->nth);
		printf("  %s\n", at);
	}
	fflush(stdout);
	_exit(1);
}

static void record(const char *what, uint64_t addr, uint64_t v, uint64_t v2, int newer, void *pc)
{
	if (X->nsteps == STEPS)
		model_fail("does not end");
	X->step[X->nsteps++] = (struct step){ .thread = (uint8_t)X->cur,
					      .nth = (uint8_t)newer,
					      .what = what,
					      .addr = addr,
					      .v = v,
					      .v2 = v2,
					      .pc = pc };
}

/* ---- choices ---- */

int model_choose(int n)
{
	if (n <= 1)
		return 0;
	if (X->depth == STEPS)
		model_fail("too many choices");
	if (X->depth >= X->replay) {
		X->path[X->depth].nth = 0;
		X->path[X->depth].of = (uint8_t)n;
	} else if (X->path[X->depth].of != n) {
		model_fail("another run of the same choices was not the same");
	}
	return X->path[X->depth++].nth;
}

/* The rest of the tree: false when there is none. */
static bool next_path(void)
{
	if (X->depth > X->deepest)
		X->deepest = X->depth;
	while (X->depth > 0 && X->path[X->depth - 1].nth + 1 >= X->path[X->depth - 1].of)
		X->depth--;
	if (!X->depth)
		return false;
	X->path[X->depth - 1].nth++;
	X->replay = X->depth;
	return true;
}

/* ---- views and words ---- */

static void join(struct view *to, const struct view *from)
{
	for (int i = 0; i < X->nwords; i++)
		to->at[i] = to->at[i] > from->at[i] ? to->at[i] : from->at[i];
	for (int i = 0; i < 8; i++)
		to->clock[i] = to->clock[i] > from->clock[i] ? to->clock[i] : from->clock[i];
}

static void tick(struct thread *t)
{
	if (++t->now.clock[t - X->t] == 255)
		model_fail("too many releases");
}

static struct cell *cell_of(uint64_t addr)
{
	uint64_t a = addr & ~7ull;
	unsigned h = (unsigned)((a * 0x9e3779b97f4a7c15ull) >> 51) % (2 * CELLS);

	if (X->last_cell && X->last_cell->addr == a)
		return X->last_cell;
	for (; X->hash[h]; h = (h + 1) % (2 * CELLS))
		if (X->cell[X->hash[h] - 1].addr == a)
			return X->last_cell = &X->cell[X->hash[h] - 1];
	if (X->ncells == CELLS)
		model_fail("too much memory");
	X->cell[X->ncells].addr = a;
	X->hash[h] = (uint16_t)++X->ncells;
	return &X->cell[X->ncells - 1];
}

static uint64_t peek(uint64_t addr, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, (void *)addr, n);
	return v;
}

/* On somebody's stack, below his frames? */
static void check_live(uint64_t addr)
{
	for (int i = 0; i < X->nstacks; i++) {
		struct stack *s = &X->stack[i];

		if (addr >= s->lo && addr < s->hi && i != (int)ME->stack && addr < s->live)
			model_fail("touches %#llx, in a frame that is gone",
				   (unsigned long long)addr);
	}
}

static bool before(uint8_t thread, uint8_t clock)
{
	return clock <= ME->now.clock[thread];
}

static struct word *find_word(uint64_t addr)
{
	struct cell *c = cell_of(addr);

	if (!c->word[addr & 7]) {
		if (X->nwords == WORDS)
			model_fail("too many atomic words");
		c->word[addr & 7] = (uint8_t)++X->nwords;
		X->word[X->nwords - 1].addr = addr;
	}
	return &X->word[c->word[addr & 7] - 1];
}

/* The word, about to be accessed. */
static struct word *word_of(uint64_t addr, unsigned size)
{
	struct word *w = find_word(addr);
	struct cell *c = cell_of(addr);
	unsigned b = addr & 7;

	check_live(addr);
	for (unsigned i = b; i < b + size; i++) {
		if (c->dead[i])
			model_fail("touches %#llx, which was given back", (unsigned long long)addr);
		if (c->writer[i] && !before((uint8_t)(c->writer[i] - 1), c->wclock[i]))
			model_fail("atomic access to %#llx races with a plain store",
				   (unsigned long long)addr);
	}
	if (!w->n) {
		w->n = 1;
		w->size = (uint8_t)size;
		memset(&w->value[0], 0, sizeof(w->value[0]));
		w->value[0].v = peek(addr, size);
		memset(w->touched, 0, sizeof(w->touched));
		memset(w->guarded, 0, sizeof(w->guarded));
	}
	if (w->size != size)
		model_fail("%#llx is accessed in two sizes", (unsigned long long)addr);
	w->touched[X->cur] = ME->now.clock[X->cur];
	return w;
}

static int number(struct word *w)
{
	return (int)(w - X->word);
}

/* The memory of an atomic word is written plainly: it begins anew. */
static void forget(struct word *w)
{
	int n = number(w);

	w->n = 0;
	for (int i = 0; i < X->nthreads; i++)
		X->t[i].now.at[n] = X->t[i].acq.at[n] = X->t[i].rel.at[n] = 0;
	X->sc.at[n] = 0;
	for (int i = 0; i < X->nwords; i++)
		for (int k = 0; k < X->word[i].n; k++)
			X->word[i].value[k].rel.at[n] = 0;
}

static int guard_of(uint64_t addr)
{
	for (int i = 0; i < X->nguards; i++)
		if (addr >= X->guard[i].lo && addr < X->guard[i].hi)
			return i;
	return NOBODY;
}

static void read_value(struct word *w, int at, int mo)
{
	struct thread *t = ME;
	int n = number(w);

	if (t->now.at[n] < at)
		t->now.at[n] = (uint8_t)at;
	join(&t->acq, &w->value[at].rel);
	if (mo == ACQUIRE || mo == ACQ_REL || mo == SEQ_CST || mo == CONSUME)
		join(&t->now, &w->value[at].rel);
	t->last = n;
	t->last_at = at;
}

static void append(struct word *w, uint64_t v, int mo, const struct view *pass_on)
{
	struct thread *t = ME;
	int n = number(w);

	if (w->n == VALUES)
		model_fail("too many stores to one word");

	struct value *to = &w->value[w->n];
	bool release = mo == RELEASE || mo == ACQ_REL || mo == SEQ_CST;

	t->now.at[n] = w->n++;
	to->v = v;
	to->rmw = pass_on;
	to->rel = release ? t->now : t->rel;
	to->rel.at[n] = t->now.at[n];
	if (pass_on)
		join(&to->rel, pass_on);
	if (release)
		tick(t);
	memcpy((void *)w->addr, &v, w->size);
}

/* The first value after the one t loaded last that differs from it; 0: none yet. */
static int changed(struct thread *t)
{
	struct word *w = &X->word[t->last];

	for (int i = t->last_at + 1; i < w->n; i++)
		if (w->value[i].v != w->value[t->last_at].v)
			return i;
	return 0;
}

/* ---- who runs ---- */

static GRT_NOINLINE void to_root(void)
{
	int me = X->cur;

	grt_arch_switch(&X->t[me].real, &X->root, NULL);
}

/* Others may go on. frame: the caller's frames end there. */
static GRT_NOINLINE void point(void *frame)
{
	X->stack[ME->stack].live = (uintptr_t)frame;
	ME->status = READY;
	ME->impatient = false;
	to_root();
	ME->dirty = false;
}

/* Several values to go on with: was all this so before? */
static void known_here(void *frame)
{
	if (X->depth < X->replay)
		return;
	X->stack[ME->stack].live = (uintptr_t)frame;
	X->alone = true;
	to_root();
}

/* Before an operation on w, or one without a word: others may go on if that can make a difference. */
static void others_first(struct word *w, bool store, void *frame)
{
	struct thread *t = ME;

	X->stack[t->stack].live = (uintptr_t)frame;
	t->impatient = false;
	if (w) {
		w->users |= (uint8_t)(1 << X->cur);
		w->stored |= store;
		if (!w->shared && w->stored && w->users & (w->users - 1)) {
			w->shared = true;
			X->again = true;
		}
		if (!w->shared)
			return;
	}
	if (t->dirty || X->barrier)
		point(frame);
	ME->dirty = store;
}

#define POINT() point(__builtin_frame_address(0))

void model_step(void)
{
	POINT();
}

static void pause_at(void *frame)
{
	struct thread *t = ME;

	X->stack[t->stack].live = (uintptr_t)frame;
	t->status = PAUSED;
	to_root();
	if (t->now.at[t->last] < changed(t))
		t->now.at[t->last] = (uint8_t)changed(t);
}

void model_pause(void)
{
	if (X->cur == NOBODY)
		return;
	pause_at(__builtin_frame_address(0));
}

int sched_yield(void)
{
	model_pause();
	return 0;
}

void model_relax(void)
{
	struct thread *t = ME;

	if (t->impatient)
		return;
	if (model_choose(2))
		t->impatient = true;
	else
		pause_at(__builtin_frame_address(0));
}

static bool can_go(struct thread *t)
{
	if (t->status == ASLEEP)
		return t->timed && (!X->model->late || X->late < X->model->late);
	return t->status == READY || (t->status == PAUSED && changed(t));
}

/* ---- the operations ---- */

static void fence_of(struct thread *t, int mo)
{
	if (mo != RELEASE && mo != RELAXED)
		join(&t->now, &t->acq);
	if (mo == SEQ_CST) {
		for (int i = 0; i < X->nwords; i++) {
			if (X->sc.at[i] < t->now.at[i])
				X->sc.at[i] = t->now.at[i];
			t->now.at[i] = X->sc.at[i];
		}
	}
	if (mo == RELEASE || mo == ACQ_REL || mo == SEQ_CST) {
		t->rel = t->now;
		tick(t);
	}
}

static uint64_t op_load(uint64_t addr, unsigned size, int mo, void *frame, void *pc)
{
	if (X->cur == NOBODY)
		return peek(addr, size);
	if (ME->impatient && X->word[ME->last].addr == addr)
		return X->word[ME->last].value[ME->last_at].v;
	others_first(find_word(addr), false, frame);

	struct thread *t = ME;
	struct word *w = word_of(addr, size);
	int n = number(w), newer, guard = guard_of(addr);

	if (mo == SEQ_CST)
		fence_of(t, mo);

	newer = w->n - t->now.at[n];
	if (X->model->old && X->old >= X->model->old)
		newer = 1;
	if (newer > 1)
		known_here(frame);
	newer = model_choose(newer);
	X->old += newer > 0;
	read_value(w, w->n - 1 - newer, mo);
	if (guard != NOBODY) {
		t->pending[n / 64 % 2] |= 1ull << (n % 64);
		if (n >= 128)
			model_fail("guarded word number %d", n);
		t->pend_clock = t->now.clock[X->cur];
	}
	record("load", addr, w->value[w->n - 1 - newer].v, 0, newer, pc);
	return w->value[w->n - 1 - newer].v;
}

static void op_store(uint64_t addr, unsigned size, uint64_t v, int mo, void *frame, void *pc)
{
	if (X->cur == NOBODY) {
		memcpy((void *)addr, &v, size);
		return;
	}
	others_first(find_word(addr), true, frame);

	struct word *w = word_of(addr, size);

	record("store", addr, v, 0, 0, pc);
	for (int i = ME->now.at[number(w)] + 1; i < w->n; i++)
		if (!w->value[i].rmw && !w->unordered)
			model_fail("two stores to %#llx without order", (unsigned long long)addr);
	for (int i = 0; i < X->nthreads; i++)
		if (i != X->cur && w->guarded[i] && !before((uint8_t)i, w->guarded[i]))
			model_fail("%#llx is stored before thread %d has read it",
				   (unsigned long long)addr, i);
	append(w, v, mo, NULL);
	if (mo == SEQ_CST)
		fence_of(ME, mo);
}

/* Guarded loads count if the word they were read for was still the same. */
static void settle(uint64_t addr, bool won)
{
	struct thread *t = ME;

	for (int i = 0; i < X->nguards; i++) {
		if (X->guard[i].word != addr)
			continue;
		for (int n = 0; won && n < 128; n++)
			if (t->pending[n / 64] >> (n % 64) & 1)
				X->word[n].guarded[X->cur] = t->pend_clock;
		t->pending[0] = t->pending[1] = 0;
	}
}

enum rmw { XCHG, ADD, SUB, AND, OR, XOR, NAND };

static uint64_t op_rmw(uint64_t addr, unsigned size, enum rmw op, uint64_t arg, int mo, void *frame,
		       void *pc)
{
	bool alone = X->cur == NOBODY;
	struct word *w = NULL;

	if (!alone) {
		others_first(find_word(addr), true, frame);
		w = word_of(addr, size);
	}

	uint64_t old = alone ? peek(addr, size) : w->value[w->n - 1].v;
	uint64_t v = op == XCHG ? arg :
		     op == ADD	? old + arg :
		     op == SUB	? old - arg :
		     op == AND	? (old & arg) :
		     op == OR	? (old | arg) :
		     op == XOR	? (old ^ arg) :
				  ~(old & arg);

	if (size < 8)
		v &= (1ull << (8 * size)) - 1;
	if (alone) {
		memcpy((void *)addr, &v, size);
		return old;
	}
	record("rmw", addr, old, v, 0, pc);
	read_value(w, w->n - 1, mo);
	append(w, v, mo, &w->value[w->n - 1].rel);
	return old;
}

static bool op_cas(uint64_t addr, unsigned size, uint64_t *expect, uint64_t v, int mo, int fail_mo,
		   void *frame, void *pc)
{
	if (X->cur == NOBODY) {
		uint64_t old = peek(addr, size);

		if (old == *expect)
			memcpy((void *)addr, &v, size);
		else
			*expect = old;
		return old == *expect;
	}
	bool dirty = ME->dirty;

	others_first(find_word(addr), true, frame);

	struct word *w = word_of(addr, size);
	int option[VALUES], n = 0, at;

	/* it fails as a load may; it succeeds on the newest value only */
	for (int i = w->n - 1; i >= ME->now.at[number(w)]; i--)
		if (i == w->n - 1 || w->value[i].v != *expect)
			option[n++] = i;
	if (X->model->old && X->old >= X->model->old)
		n = 1;
	if (n > 1)
		known_here(frame);
	at = option[model_choose(n)];
	X->old += at != w->n - 1;

	uint64_t old = w->value[at].v;
	bool won = old == *expect;

	settle(addr, won);
	if (!won) {
		ME->dirty = dirty && !w->shared; /* no more than a load */
		record("cas lost", addr, old, 0, w->n - 1 - at, pc);
		read_value(w, at, fail_mo);
		*expect = old;
		return false;
	}
	record("cas", addr, old, v, 0, pc);
	read_value(w, at, mo);
	append(w, v, mo, &w->value[at].rel);
	return true;
}

static void op_fence(int mo, void *frame, void *pc)
{
	if (X->cur == NOBODY)
		return;
	if (mo == SEQ_CST)
		others_first(NULL, true, frame);
	record("fence", 0, (uint64_t)mo, 0, 0, pc);
	fence_of(ME, mo);
}

/* A race is between two accesses that nothing orders, one of them a store. */
static void op_plain(uint64_t addr, size_t n, bool store, void *pc)
{
	if (X->cur == NOBODY)
		return;
	struct cell *c = NULL;

	for (uint64_t a = addr; a < addr + n; a++) {
		unsigned b = a & 7;

		if (!c || !b)
			c = cell_of(a);
		if (c->word[b] && store) {
			struct word *w = &X->word[c->word[b] - 1];

			for (int i = 0; w->n && i < X->nthreads; i++) {
				if (w->touched[i] && !before((uint8_t)i, w->touched[i])) {
					record("write", addr, n, 0, 0, pc);
					model_fail(
						"plain store races with an atomic access of thread %d",
						i);
				}
			}
			if (w->n)
				forget(w);
		}

		bool race = c->writer[b] && !before((uint8_t)(c->writer[b] - 1), c->wclock[b]);

		for (int i = 0; store && i < X->nthreads; i++)
			race |= c->rclock[i][b] && !before((uint8_t)i, c->rclock[i][b]);
		if (race || c->dead[b])
			record(store ? "write" : "read", addr, n, 0, 0, pc);
		if (c->dead[b])
			model_fail("touches %#llx, which was given back", (unsigned long long)a);
		if (race)
			model_fail("data race on %#llx", (unsigned long long)a);
		if (store) {
			c->writer[b] = (uint8_t)(X->cur + 1);
			c->wclock[b] = ME->now.clock[X->cur];
			for (int i = 0; i < X->nthreads; i++)
				c->rclock[i][b] = 0;
		} else {
			c->rclock[X->cur][b] = ME->now.clock[X->cur];
		}
	}
	check_live(addr);
}

void model_dead(const void *p, size_t n)
{
	op_plain((uintptr_t)p, n, true, __builtin_return_address(0));
	for (uint64_t a = (uintptr_t)p; a < (uintptr_t)p + n; a++)
		cell_of(a)->dead[a & 7] = 1;
}

void model_guard(const void *p, size_t n, const void *word)
{
	X->guard[X->nguards].lo = (uintptr_t)p;
	X->guard[X->nguards].hi = (uintptr_t)p + n;
	X->guard[X->nguards++].word = (uintptr_t)word;
}

void model_unordered(const void *word)
{
	find_word((uintptr_t)word)->unordered = true;
}

/* ---- what the kernel does ---- */

int grt_os_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline)
{
	struct thread *t = ME;

	others_first(NULL, true, __builtin_frame_address(0));
	record("sleep?", (uintptr_t)word, seen, 0, 0, __builtin_return_address(0));
	if (*(uint32_t *)(void *)word != seen)
		return 0;
	t->status = ASLEEP;
	t->wait_word = (uintptr_t)word;
	t->timed = deadline != INT64_MAX;
	t->timed_out = false;
	to_root();
	t->dirty = false;
	record(t->timed_out ? "timeout" : "woken", (uintptr_t)word, 0, 0, 0,
	       __builtin_return_address(0));
	return t->timed_out ? -ETIMEDOUT : 0;
}

void grt_os_futex_wake(_Atomic uint32_t *word, int n)
{
	if (X->cur == NOBODY)
		return;
	others_first(NULL, true, __builtin_frame_address(0));
	record("wake", (uintptr_t)word, (uint64_t)n, 0, 0, __builtin_return_address(0));
	for (; n > 0; n--) {
		int sleeper[THREADS], k = 0;

		for (int i = 0; i < X->nthreads; i++)
			if (X->t[i].status == ASLEEP && X->t[i].wait_word == (uintptr_t)word)
				sleeper[k++] = i;
		if (!k)
			return;
		X->t[sleeper[model_choose(k)]].status = READY;
	}
}

void model_membarrier(void)
{
	X->again |= !X->barrier;
	X->barrier = true;
	others_first(NULL, true, __builtin_frame_address(0));
	record("membarrier", 0, 0, 0, 0, __builtin_return_address(0));
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < X->nthreads; i++)
			fence_of(&X->t[i], SEQ_CST);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	size_t at = (X->heap_used + align - 1) & ~(align - 1);

	if (at + n > HEAP)
		return NULL;
	if (X->nallocs == 32)
		return NULL;
	X->heap_used = at + n;
	X->alloc[X->nallocs].p = X->heap + at;
	X->alloc[X->nallocs++].n = n;
	return memset(X->heap + at, 0x5a, n);
}

void *__wrap_malloc(size_t n)
{
	return __wrap_aligned_alloc(64, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	return p ? NULL : __wrap_malloc(n);
}

void __wrap_free(void *p)
{
	for (int i = 0; i < X->nallocs; i++)
		if (X->alloc[i].p == p && X->cur != NOBODY)
			model_dead(p, X->alloc[i].n);
}

/* ---- goroutines' stacks ---- */

static struct context *context_of(struct gobuf *b)
{
	for (int i = 0; i < X->ncontexts; i++)
		if (X->context[i].of == b)
			return &X->context[i];
	X->context[X->ncontexts] =
		(struct context){ .of = b, .stack = X->cur == NOBODY ? 0 : (int)ME->stack };
	return &X->context[X->ncontexts++];
}

/* On the new stack: now the old one's registers are shown. */
static void arrive(void)
{
	struct thread *t = ME;
	void *pc = __builtin_return_address(0), *here = __builtin_frame_address(0);

	op_store((uintptr_t)&t->to->sp, 8, 0, RELAXED, here, pc);
	op_store((uintptr_t)&t->from->sp, 8, (uintptr_t)t->from, RELEASE, here, pc); /* gobuf.A */
}

static void first(void *word)
{
	struct gobuf *b = ME->to;

	arrive();
	((void (*)(void *))b->pc)(word);
	model_fail("a goroutine's function returned");
}

void *model_switch(struct gobuf *from, struct gobuf *to, void *word)
{
	void *pc = __builtin_return_address(0), *here = __builtin_frame_address(0);
	struct context *old = context_of(from), *new = context_of(to);

	op_plain((uintptr_t)&from->pc, 8, true, pc);
	op_plain((uintptr_t)&from->bp, 16, true, pc);
	from->pc = from->pc ? from->pc : pc;
	op_plain((uintptr_t)&to->pc, 8, false, pc);
	op_plain((uintptr_t)&to->bp, 16, false, pc);
	if (!op_load((uintptr_t)&to->sp, 8, RELAXED, here, pc) || new->inside)
		model_fail("runs on a stack whose registers are not saved");
	old->stack = (int)ME->stack;
	ME->from = from;
	ME->to = to;
	ME->stack = (uint64_t) new->stack;
	old->inside = false;
	new->inside = true;
	X->stack[old->stack].live = (uintptr_t)here;
	void *back = grt_arch_switch(&old->real, &new->real, word);
	arrive();
	return back;
}

static int new_stack(void)
{
	if (X->nstacks == STACKS)
		model_fail("too many stacks");

	struct stack *s = &X->stack[X->nstacks];

	s->lo = (uintptr_t)X->stacks[X->nstacks];
	s->hi = s->live = s->end = s->lo + STACK;
	s->sp = NULL;
	return X->nstacks++;
}

void model_prepare(struct gobuf *b, void *top, void (*fn)(void *))
{
	struct context *c = context_of(b);

	(void)fn;
	for (int i = 0; i < X->nstacks; i++)
		if ((uintptr_t)top > X->stack[i].lo && (uintptr_t)top <= X->stack[i].end) {
			c->stack = i;
			X->stack[i].hi = X->stack[i].live = (uintptr_t)top;
		}
	c->inside = false;
	grt_arch_prepare(&c->real, top, first);
}

void *model_stack(size_t *size)
{
	struct stack *s = &X->stack[new_stack()];

	*size = s->hi - s->lo;
	return (void *)s->lo;
}

void model_set_self(struct m *m)
{
	ME->m = m;
}

struct m *model_m(void)
{
	return X->cur == NOBODY ? NULL : ME->m;
}

int model_self(void)
{
	return X->cur;
}

/* ---- the state, hashed ---- */

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const char *c = p;
	uint64_t a = h, b = h * 0xff51afd7ed558ccdull + 1, w[2];

	for (; n >= 16; n -= 16, c += 16) {
		memcpy(w, c, 16);
		a = (a ^ w[0]) * 0x9e3779b97f4a7c15ull;
		b = (b ^ w[1]) * 0xc2b2ae3d27d4eb4full;
		a ^= a >> 29;
		b ^= b >> 31;
	}
	w[0] = w[1] = 0;
	memcpy(w, c, n);
	a = (a ^ w[0]) * 0x9e3779b97f4a7c15ull + b;
	a = (a ^ (a >> 32) ^ w[1]) * 0xc2b2ae3d27d4eb4full;
	return a ^ (a >> 29);
}

static uint8_t beyond(uint8_t n, uint8_t low)
{
	return n > low ? (uint8_t)(n - low) : 0;
}

/* What everybody's view has passed makes no difference any more: all numbers are taken from there. */
static void find_low(void)
{
	memset(&X->low, 255, sizeof(X->low));
	for (int k = 0; k < X->nthreads; k++) {
		struct view *v = &X->t[k].now;

		if (X->t[k].status == DONE)
			continue;
		for (int i = 0; i < X->nwords; i++)
			X->low.at[i] = v->at[i] < X->low.at[i] ? v->at[i] : X->low.at[i];
		for (int i = 0; i < 8; i++)
			X->low.clock[i] = v->clock[i] < X->low.clock[i] ? v->clock[i] :
									  X->low.clock[i];
	}
}

static uint64_t mix_view(uint64_t h, const struct view *v)
{
	struct view r;

	for (int i = 0; i < X->nwords; i++)
		r.at[i] = beyond(v->at[i], X->low.at[i]);
	for (int i = 0; i < 8; i++)
		r.clock[i] = beyond(v->clock[i], X->low.clock[i]);
	return mix(mix(h, r.at, (size_t)X->nwords), r.clock, sizeof(r.clock));
}

static uint64_t mix_word(uint64_t h, const struct word *w, int from)
{
	struct {
		uint8_t size, n, touched[8], guarded[8];
	} r = { w->size, (uint8_t)(w->n - from), { 0 }, { 0 } };

	for (int i = 0; i < 8; i++) {
		r.touched[i] = beyond(w->touched[i], X->low.clock[i]);
		r.guarded[i] = beyond(w->guarded[i], X->low.clock[i]);
	}
	h = mix(h, &r, sizeof(r));
	for (int k = from; k < w->n; k++)
		h = mix_view(mix(h, &w->value[k].v, 8) + w->value[k].rmw, &w->value[k].rel);
	return h;
}

static uint64_t mix_cell(uint64_t h, const struct cell *c, uint64_t number)
{
	struct {
		uint64_t number;
		uint8_t writer[8], wclock[8], rclock[THREADS][8], dead[8];
	} r = { .number = number };
	uint8_t any = 0;

	for (int b = 0; b < 8; b++) {
		if (c->writer[b])
			r.wclock[b] = beyond(c->wclock[b], X->low.clock[c->writer[b] - 1]);
		r.writer[b] = r.wclock[b] ? c->writer[b] : 0;
		r.dead[b] = c->dead[b];
		any |= r.wclock[b] | r.dead[b];
		for (int i = 0; i < X->nthreads; i++)
			any |= r.rclock[i][b] = beyond(c->rclock[i][b], X->low.clock[i]);
	}
	return any ? mix(h, &r, sizeof(r)) : h;
}

static uint64_t state(void)
{
	uint64_t h = mix(1, __data_start, (size_t)(_end - __data_start));

	find_low();
	h = mix(h, X->heap, X->heap_used);
	h = mix_view(h, &X->sc);
	if (X->model->switches)
		h = mix(h, &X->switches, sizeof(int)) + (uint64_t)X->cur;
	if (X->model->late)
		h += 0xc2b2ae3d27d4eb4full * (uint64_t)X->late;
	if (X->model->old)
		h = mix(h, &X->old, sizeof(int));
	if (X->alone)
		h += 0x9e3779b97f4a7c15ull * (uint64_t)(X->cur + 1);
	for (int i = 0; i < X->nthreads; i++) {
		struct thread *t = &X->t[i];

		h = mix(h, &t->status,
			offsetof(struct thread, real) - offsetof(struct thread, status));
		X->stack[t->stack].sp = grt_load(&t->real.sp);
		if (t->status == DONE)
			continue;
		h = mix_view(mix_view(mix_view(h, &t->now), &t->acq), &t->rel);
		if (t->status == PAUSED)
			h = mix(h, &t->last, sizeof(t->last)) +
			    beyond((uint8_t)t->last_at, X->low.at[t->last]);
		h += (uint64_t)beyond(t->pend_clock, X->low.clock[i]) << 8;
	}
	for (int i = 0; i < X->ncontexts; i++)
		if (!X->context[i].inside)
			X->stack[X->context[i].stack].sp = grt_load(&X->context[i].real.sp);
	for (int i = 0; i < X->nstacks; i++)
		if (X->stack[i].sp)
			h = mix(h, X->stack[i].sp, X->stack[i].end - (uintptr_t)X->stack[i].sp);
	for (int i = 0; i < X->nwords; i++)
		if (X->word[i].n)
			h = mix_word(h + (uint64_t)i, &X->word[i], X->low.at[i]);
	for (int i = 0; i < X->ncells; i++)
		h = mix_cell(h, &X->cell[i], (uint64_t)i);
	return h;
}

static bool put(uint64_t *set, uint64_t cap, uint64_t h)
{
	for (uint64_t i = h & (cap - 1);; i = (i + 1) & (cap - 1)) {
		if (set[i] == h)
			return false;
		if (!set[i]) {
			set[i] = h;
			return true;
		}
	}
}

static void *map(size_t n)
{
	void *p = mmap((void *)(X ? 0 : 0x200000000000), n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

/* False: it was there. */
static bool add(struct set *s, uint64_t h)
{
	if (2 * s->n >= s->cap) {
		uint64_t cap = s->cap ? 2 * s->cap : 1 << 12, *bigger = map(cap * 8);

		for (uint64_t i = 0; i < s->cap; i++)
			if (s->h[i])
				put(bigger, cap, s->h[i]);
		if (s->cap)
			munmap(s->h, s->cap * 8);
		s->h = bigger;
		s->cap = cap;
	}
	if (!put(s->h, s->cap, h ? h : 1))
		return false;
	s->n++;
	return true;
}

static void clear(struct set *s)
{
	if (s->cap)
		munmap(s->h, s->cap * 8);
	*s = (struct set){ 0 };
}

/* ---- one run ---- */

static void thread_main(void *word)
{
	(void)word;
	X->model->thread[X->cur]();
	ME->status = DONE;
	X->stack[ME->stack].live = X->stack[ME->stack].hi;
	to_root();
}

static void reset(void)
{
	memcpy(__data_start, X->image, (size_t)(_end - __data_start));
	X->heap_used = 0;
	X->nallocs = 0;
	X->nstacks = X->ncontexts = X->nguards = X->depth = X->nsteps = X->switches = X->old =
		X->late = 0;
	X->cur = NOBODY;
	X->alone = false;
	memset(&X->sc, 0, sizeof(X->sc));
	for (int i = 0; i < X->nwords; i++)
		X->word[i].n = 0;
	for (int i = 0; i < X->ncells; i++)
		memset(X->cell[i].writer, 0,
		       offsetof(struct cell, word) - offsetof(struct cell, writer));
	for (int i = 0; i < X->nthreads; i++) {
		struct thread *t = &X->t[i];

		*t = (struct thread){ .stack = (uint64_t)new_stack() };
		t->now.clock[i] = 1;
		grt_arch_prepare(&t->real, (void *)X->stack[i].hi, thread_main);
	}
}

/* Who may go on; the one who did comes first. */
static int candidates(int *out)
{
	int n = 0;

	if (X->cur != NOBODY && can_go(ME))
		out[n++] = X->cur;
	if (n && ME->status == READY && X->model->switches && X->switches >= X->model->switches)
		return n;
	for (int i = 0; i < X->nthreads; i++)
		if (i != X->cur && can_go(&X->t[i]))
			out[n++] = i;
	return n;
}

static void run(void)
{
	int may[THREADS], n;

	while ((n = candidates(may))) {
		if (X->depth >= X->replay && !add(&X->seen, state())) {
			X->known++;
			return;
		}
		if (X->alone) {
			X->alone = false;
			grt_arch_switch(&X->root, &ME->real, NULL);
			continue;
		}

		int next = may[model_choose(n)];

		if (X->cur != NOBODY && next != X->cur && ME->status == READY)
			X->switches++;
		X->cur = next;
		if (ME->status == ASLEEP) {
			ME->timed_out = true;
			X->late++;
		}
		ME->status = READY;
		grt_arch_switch(&X->root, &ME->real, NULL);
	}
	X->cur = NOBODY;
	for (int i = 0; i < X->nthreads; i++) {
		if (X->t[i].status == DONE ||
		    (X->t[i].status == ASLEEP && X->model->sleepers >> i & 1))
			continue;
		model_fail("thread %d waits for ever", i);
	}
	X->ended++;
	if (X->model->check)
		X->model->check();
	add(&X->ends, mix(1, __data_start, (size_t)(_end - __data_start)));
}

static void begin(void)
{
	X->runs = X->known = X->ended = 0;
	X->replay = X->depth = X->deepest = 0;
	clear(&X->seen);
	clear(&X->ends);
	X->again = false;
}

static void explore(const struct model *m)
{
	X->model = m;
	X->nwords = X->ncells = 0;
	X->barrier = getenv("MODEL_SLOW");
	memset(X->hash, 0, sizeof(X->hash));
	memset(X->cell, 0, sizeof(X->cell));
	X->last_cell = NULL;
	memset(X->word, 0, sizeof(X->word));
	for (X->nthreads = 0; X->nthreads < THREADS && m->thread[X->nthreads];)
		X->nthreads++;
	begin();
	do {
		if (X->again)
			begin();
		reset();
		if (m->init)
			m->init();
		run();
		X->runs++;
	} while (next_path() || X->again);
	if (m->ends && X->ends.n != m->ends)
		model_fail("%llu different ends, not %u", (unsigned long long)X->ends.n, m->ends);
	printf("%s: ok, %ld schedules, %llu states, %llu ends%s\n", m->name, X->runs,
	       (unsigned long long)X->seen.n, (unsigned long long)X->ends.n,
	       m->switches || m->old || m->late ? ", bounded" : "");
	fflush(stdout);
}

int model_main(const struct model *models, int n, int argc, char **argv)
{
	X = map(sizeof(
		*X)); /* at the same place each time, if that is free: addresses are part of the state */
	X->image = map((size_t)(_end - __data_start));
	memcpy(X->image, __data_start, (size_t)(_end - __data_start));
	for (int i = 0; i < n; i++) {
		bool wanted = argc < 2;

		for (int k = 1; k < argc; k++)
			wanted |= !strcmp(argv[k], models[i].name);
		if (wanted)
			explore(&models[i]);
	}
	return 0;
}

/* ---- what the compiler calls ---- */

/* clang-format off */
#define FRAME __builtin_frame_address(0)
#define PC __builtin_return_address(0)
#define AT (uintptr_t)p

#define PLAIN(n)                                                                                   \
	void __tsan_read##n(void *p) { op_plain(AT, n, false, PC); }                               \
	void __tsan_write##n(void *p) { op_plain(AT, n, true, PC); }                               \
	void __tsan_unaligned_read##n(void *p) { op_plain(AT, n, false, PC); }                     \
	void __tsan_unaligned_write##n(void *p) { op_plain(AT, n, true, PC); }

PLAIN(1) PLAIN(2) PLAIN(4) PLAIN(8) PLAIN(16)

void __tsan_read_range(void *p, size_t n) { op_plain(AT, n, false, PC); }
void __tsan_write_range(void *p, size_t n) { op_plain(AT, n, true, PC); }
void __tsan_atomic_thread_fence(int mo) { op_fence(mo, FRAME, PC); }
void __tsan_atomic_signal_fence(int mo) { (void)mo; }
void __tsan_init(void) {}
void __tsan_func_entry(void *pc) { (void)pc; }
void __tsan_func_exit(void) {}

#define RMW(T, bits, name, op)                                                                     \
	T __tsan_atomic##bits##_##name(void *p, T v, int mo)                                       \
	{                                                                                          \
		return (T)op_rmw(AT, bits / 8, op, v, mo, FRAME, PC);                              \
	}
#define CAS(T, bits, name)                                                                         \
	int __tsan_atomic##bits##_compare_exchange_##name(void *p, T *e, T v, int mo, int fmo)     \
	{                                                                                          \
		uint64_t expect = *e;                                                              \
		bool won = op_cas(AT, bits / 8, &expect, v, mo, fmo, FRAME, PC);                   \
		*e = (T)expect;                                                                    \
		return won;                                                                        \
	}
#define ATOMIC(T, bits)                                                                            \
	T __tsan_atomic##bits##_load(void *p, int mo)                                              \
	{                                                                                          \
		return (T)op_load(AT, bits / 8, mo, FRAME, PC);                                    \
	}                                                                                          \
	void __tsan_atomic##bits##_store(void *p, T v, int mo)                                     \
	{                                                                                          \
		op_store(AT, bits / 8, v, mo, FRAME, PC);                                          \
	}                                                                                          \
	T __tsan_atomic##bits##_compare_exchange_val(void *p, T e, T v, int mo, int fmo)           \
	{                                                                                          \
		uint64_t expect = e;                                                               \
		op_cas(AT, bits / 8, &expect, v, mo, fmo, FRAME, PC);                              \
		return (T)expect;                                                                  \
	}                                                                                          \
	CAS(T, bits, weak)                                                                         \
	CAS(T, bits, strong)                                                                       \
	RMW(T, bits, exchange, XCHG)                                                               \
	RMW(T, bits, fetch_add, ADD)                                                               \
	RMW(T, bits, fetch_sub, SUB)                                                               \
	RMW(T, bits, fetch_and, AND)                                                               \
	RMW(T, bits, fetch_or, OR)                                                                 \
	RMW(T, bits, fetch_xor, XOR)                                                               \
	RMW(T, bits, fetch_nand, NAND)

ATOMIC(uint8_t, 8) ATOMIC(uint16_t, 16) ATOMIC(uint32_t, 32) ATOMIC(uint64_t, 64)
