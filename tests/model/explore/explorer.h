/* explorer.h - the explorer of models from inside: how it works, what it knows, and what its files call of one another. */
/* SPDX-License-Identifier: MIT */
/*
 * The sources are compiled with -fsanitize=thread and linked with these files in place of the sanitizer's library: every
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
#ifndef MODEL_EXPLORER_H
#define MODEL_EXPLORER_H

#include "../explore.h"

#include <errno.h>
#include <string.h>

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
enum x_status { READY, PAUSED, ASLEEP, DONE };

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
	enum x_status status;
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
extern struct explorer {
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

extern char __data_start[], _end[];

#define ME (&X->t[X->cur])

/* report.c: a step of the schedule, for who reads why it failed. newer: how many newer values there were. */
void x_record(const char *what, uint64_t addr, uint64_t v, uint64_t v2, int newer, void *pc);

/* memory.c. frame: the caller's frames end there. pc: of the access. */
enum rmw { XCHG, ADD, SUB, AND, OR, XOR, NAND };
uint64_t x_load(uint64_t addr, unsigned size, int mo, void *frame, void *pc);
void x_store(uint64_t addr, unsigned size, uint64_t v, int mo, void *frame, void *pc);
uint64_t x_rmw(uint64_t addr, unsigned size, enum rmw op, uint64_t arg, int mo, void *frame,
	       void *pc);
bool x_cas(uint64_t addr, unsigned size, uint64_t *expect, uint64_t v, int mo, int fail_mo,
	   void *frame, void *pc);
void x_fence(int mo, void *frame, void *pc);
void x_plain(uint64_t addr, size_t n, bool store, void *pc);
/* A fence of thread t. */
void x_fence_of(struct thread *t, int mo);
/* The first value after the one t loaded last that differs from it; 0: none yet. */
int x_changed(struct thread *t);

/* threads.c */
/* Leaves for whoever chooses who goes on. */
void x_to_root(void);
/* Before an operation on w, or one without a word: others may go on if that can make a difference. */
void x_others_first(struct word *w, bool store, void *frame);
/* Several values to go on with: was all this so before? */
void x_known_here(void *frame);
bool x_can_go(struct thread *t);

/* stacks.c: the number of one more stack. */
int x_new_stack(void);

/* state.c */
uint64_t x_mix(uint64_t h, const void *p, size_t n);
/* All that what follows depends on. */
uint64_t x_state(void);
/* False: it was there. */
bool x_set_add(struct set *s, uint64_t h);
void x_set_clear(struct set *s);
/* Zeroed memory. */
void *x_map(size_t n);

#endif
