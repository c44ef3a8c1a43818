/* threads.c - who goes on: the points where others may, waiting for a change, the kernel, malloc. */
/* SPDX-License-Identifier: MIT */
#include <sched.h>

#include "explorer.h"

GRT_NOINLINE void x_to_root(void)
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
	x_to_root();
	ME->dirty = false;
}

/* Several values to go on with: was all this so before? */
void x_known_here(void *frame)
{
	if (X->depth < X->replay)
		return;
	X->stack[ME->stack].live = (uintptr_t)frame;
	X->alone = true;
	x_to_root();
}

/* Before an operation on w, or one without a word: others may go on if that can make a difference. */
void x_others_first(struct word *w, bool store, void *frame)
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
	x_to_root();
	if (t->now.at[t->last] < x_changed(t))
		t->now.at[t->last] = (uint8_t)x_changed(t);
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

bool x_can_go(struct thread *t)
{
	if (t->status == ASLEEP)
		return t->timed && (!X->model->late || X->late < X->model->late);
	return t->status == READY || (t->status == PAUSED && x_changed(t));
}

int grt_os_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline)
{
	struct thread *t = ME;

	x_others_first(NULL, true, __builtin_frame_address(0));
	x_record("sleep?", (uintptr_t)word, seen, 0, 0, __builtin_return_address(0));
	if (*(uint32_t *)(void *)word != seen)
		return 0;
	t->status = ASLEEP;
	t->wait_word = (uintptr_t)word;
	t->timed = deadline != INT64_MAX;
	t->timed_out = false;
	x_to_root();
	t->dirty = false;
	x_record(t->timed_out ? "timeout" : "woken", (uintptr_t)word, 0, 0, 0,
		 __builtin_return_address(0));
	return t->timed_out ? -ETIMEDOUT : 0;
}

void grt_os_futex_wake(_Atomic uint32_t *word, int n)
{
	if (X->cur == NOBODY)
		return;
	x_others_first(NULL, true, __builtin_frame_address(0));
	x_record("wake", (uintptr_t)word, (uint64_t)n, 0, 0, __builtin_return_address(0));
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
	x_others_first(NULL, true, __builtin_frame_address(0));
	x_record("membarrier", 0, 0, 0, 0, __builtin_return_address(0));
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < X->nthreads; i++)
			x_fence_of(&X->t[i], SEQ_CST);
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
