/* state.c - the state of memory, stacks and machine as one number, and sets of such. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "explorer.h"

uint64_t x_mix(uint64_t h, const void *p, size_t n)
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
	return x_mix(x_mix(h, r.at, (size_t)X->nwords), r.clock, sizeof(r.clock));
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
	h = x_mix(h, &r, sizeof(r));
	for (int k = from; k < w->n; k++)
		h = mix_view(x_mix(h, &w->value[k].v, 8) + w->value[k].rmw, &w->value[k].rel);
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
	return any ? x_mix(h, &r, sizeof(r)) : h;
}

uint64_t x_state(void)
{
	uint64_t h = x_mix(1, __data_start, (size_t)(_end - __data_start));

	find_low();
	h = x_mix(h, X->heap, X->heap_used);
	h = mix_view(h, &X->sc);
	if (X->model->switches)
		h = x_mix(h, &X->switches, sizeof(int)) + (uint64_t)X->cur;
	if (X->model->late)
		h += 0xc2b2ae3d27d4eb4full * (uint64_t)X->late;
	if (X->model->old)
		h = x_mix(h, &X->old, sizeof(int));
	if (X->alone)
		h += 0x9e3779b97f4a7c15ull * (uint64_t)(X->cur + 1);
	for (int i = 0; i < X->nthreads; i++) {
		struct thread *t = &X->t[i];

		h = x_mix(h, &t->status,
			  offsetof(struct thread, real) - offsetof(struct thread, status));
		X->stack[t->stack].sp = grt_load(&t->real.sp);
		if (t->status == DONE)
			continue;
		h = mix_view(mix_view(mix_view(h, &t->now), &t->acq), &t->rel);
		if (t->status == PAUSED)
			h = x_mix(h, &t->last, sizeof(t->last)) +
			    beyond((uint8_t)t->last_at, X->low.at[t->last]);
		h += (uint64_t)beyond(t->pend_clock, X->low.clock[i]) << 8;
	}
	for (int i = 0; i < X->ncontexts; i++)
		if (!X->context[i].inside)
			X->stack[X->context[i].stack].sp = grt_load(&X->context[i].real.sp);
	for (int i = 0; i < X->nstacks; i++)
		if (X->stack[i].sp)
			h = x_mix(h, X->stack[i].sp, X->stack[i].end - (uintptr_t)X->stack[i].sp);
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

void *x_map(size_t n)
{
	void *p = mmap((void *)(X ? 0 : 0x200000000000), n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

bool x_set_add(struct set *s, uint64_t h)
{
	if (2 * s->n >= s->cap) {
		uint64_t cap = s->cap ? 2 * s->cap : 1 << 12, *bigger = x_map(cap * 8);

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

void x_set_clear(struct set *s)
{
	if (s->cap)
		munmap(s->h, s->cap * 8);
	*s = (struct set){ 0 };
}
