/* search.c - every order and every value: runs again and again, each time with other choices. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "explorer.h"

struct explorer *X;
int64_t model_now = 1000;
__attribute__((weak)) __thread uintptr_t grt_tls_words[6];

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

static void thread_main(void *word)
{
	(void)word;
	X->model->thread[X->cur]();
	ME->status = DONE;
	X->stack[ME->stack].live = X->stack[ME->stack].hi;
	x_to_root();
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

		*t = (struct thread){ .stack = (uint64_t)x_new_stack() };
		t->now.clock[i] = 1;
		grt_arch_prepare(&t->real, (void *)X->stack[i].hi, thread_main);
	}
}

/* Who may go on; the one who did comes first. */
static int candidates(int *out)
{
	int n = 0;

	if (X->cur != NOBODY && x_can_go(ME))
		out[n++] = X->cur;
	if (n && ME->status == READY && X->model->switches && X->switches >= X->model->switches)
		return n;
	for (int i = 0; i < X->nthreads; i++)
		if (i != X->cur && x_can_go(&X->t[i]))
			out[n++] = i;
	return n;
}

static void run(void)
{
	int may[THREADS], n;

	while ((n = candidates(may))) {
		if (X->depth >= X->replay && !x_set_add(&X->seen, x_state())) {
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
	x_set_add(&X->ends, x_mix(1, __data_start, (size_t)(_end - __data_start)));
}

static void begin(void)
{
	X->runs = X->known = X->ended = 0;
	X->replay = X->depth = X->deepest = 0;
	x_set_clear(&X->seen);
	x_set_clear(&X->ends);
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
	X = x_map(sizeof(
		*X)); /* at the same place each time, if that is free: addresses are part of the state */
	X->image = x_map((size_t)(_end - __data_start));
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
