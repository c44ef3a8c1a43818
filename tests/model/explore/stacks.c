/* stacks.c - goroutines' stacks, and switches between them as the machine sees them. */
/* SPDX-License-Identifier: MIT */
#include "explorer.h"

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

	x_store((uintptr_t)&t->to->sp, 8, 0, RELAXED, here, pc);
	x_store((uintptr_t)&t->from->sp, 8, (uintptr_t)t->from, RELEASE, here, pc); /* gobuf.A */
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

	x_plain((uintptr_t)&from->pc, 8, true, pc);
	x_plain((uintptr_t)&from->bp, 16, true, pc);
	from->pc = from->pc ? from->pc : pc;
	x_plain((uintptr_t)&to->pc, 8, false, pc);
	x_plain((uintptr_t)&to->bp, 16, false, pc);
	if (!x_load((uintptr_t)&to->sp, 8, RELAXED, here, pc) || new->inside)
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

int x_new_stack(void)
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
	struct stack *s = &X->stack[x_new_stack()];

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
