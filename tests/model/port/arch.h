/* arch.h - the port the models are built with: the switch as the explorer does it, step by step as the real ones. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ARCH_H
#define GRT_ARCH_H

#include "base/atomic.h"

struct m;

/* PROTOCOL gobuf in arch/x86_64/arch.h. */
struct gobuf {
	void *pc;
	_Atomic(void *) sp;
	void *bp;
	void *bx;
};

/* Stores pc, bp, bx; loads the other's words; leaves the stack; clears the other's sp; stores the old sp. */
void *model_switch(struct gobuf *from, struct gobuf *to, void *word);
void model_prepare(struct gobuf *b, void *top, void (*fn)(void *));
struct m *model_m(void);

GRT_INLINE void *grt_arch_switch(struct gobuf *from, struct gobuf *to, void *word)
{
	return model_switch(from, to, word);
}

_Noreturn GRT_INLINE void grt_arch_leave(struct gobuf *to, void *word)
{
	static struct gobuf nowhere;

	model_switch(&nowhere, to, word);
	__builtin_unreachable();
}

static inline void grt_arch_prepare(struct gobuf *b, void *top, void (*fn)(void *))
{
	b->pc = (void *)fn;
	b->bp = b->bx = NULL;
	model_prepare(b, top, fn);
	grt_store(&b->sp, top);
}

/* No model asks for more than the answer that is always safe. */
static inline bool grt_arch_fresh(const struct gobuf *b)
{
	(void)b;
	return false;
}

/* The models call nothing on another stack. */
void grt_arch_call_on(void *top, void (*fn)(void *), void *arg, void (*unwound)(void *));

GRT_INLINE struct m *grt_arch_self(void)
{
	return model_m();
}

GRT_INLINE uintptr_t grt_arch_sp(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

#endif
