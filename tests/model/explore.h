/* explore.h - what a model says: its threads, what must hold, and what a thread may do beyond goru's own code. */
/* SPDX-License-Identifier: MIT */
#ifndef MODEL_EXPLORE_H
#define MODEL_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct m;

enum { MODEL_THREADS = 6 };

/*
 * One small program. Before each run all of the program's data is as it was when the process began; then init runs,
 * alone, then the threads, in one of their orders, then, when nobody can go on, check.
 */
struct model {
	const char *name;
	void (*init)(void);
	void (*thread[MODEL_THREADS])(void); /* ends with NULL */
	void (*check)(void);
	unsigned sleepers; /* bit i: thread i may still be asleep at the end */
	/* to keep a big one within seconds; 0: without limit */
	int switches;  /* so often may a thread that could go on be made to wait */
	int old;       /* so often may a load read what is not the newest value */
	int late;      /* so often may a deadline come; -1: never */
	unsigned ends; /* so many different ends there must be; 0: any number */
};

/* Runs all of them; the exit status of main. Arguments: names of models, else all. */
int model_main(const struct model *models, int n, int argc, char **argv);

/* Fails the run, and prints how it came about. */
_Noreturn void model_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define CHECK(x) ((x) ? (void)0 : model_fail("%s:%d: %s", __FILE__, __LINE__, #x))

/* One of 0..n-1: all are tried. */
int model_choose(int n);

/* Others may go first here; nothing else happens. */
void model_step(void);

/* Waits until the word loaded last has another value than the one that was loaded. */
void model_pause(void);

/* The same, or the others are too slow: the word then reads the same until something else is done. */
void model_relax(void);

/* The memory is given back: whoever touches it from here on fails, and so does who touched it without order before. */
void model_dead(const void *p, size_t n);

/* Loads from [p, p + n) are used only if the next compare-and-swap of word by the same thread succeeds; then they must
 * happen before the next store there. This stands for a load that memory satisfies late, which the machine has not. */
void model_guard(const void *p, size_t n, const void *word);

/* Stores to this word by several threads may come in any order. */
void model_unordered(const void *word);

/* The M of the calling thread, as grt_arch_self gives it. */
void model_set_self(struct m *m);

/* Which thread this is. */
int model_self(void);

/* A full barrier on every thread. */
void model_membarrier(void);

extern int64_t model_now; /* what the clock says */

#endif
