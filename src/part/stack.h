/* stack.h - where goroutines' stacks and records come from: reserved arenas, committed in chunks, never unmapped in use. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_STACK_H
#define GRT_PART_STACK_H

#include "base/spin.h"
#include "part/g.h"

enum {
	STACK_MIN_SHIFT = 14, /* 16 KiB */
	STACK_MAX_SHIFT = 30, /* 1 GiB */
	STACK_CLASSES = STACK_MAX_SHIFT - STACK_MIN_SHIFT + 1,
	STACK_COLORS = 16,
};

/* The class for a wish of size bytes, rounded up to a power of two; -EINVAL outside 16 KiB to 1 GiB. */
int grt_stack_class(size_t size);
GRT_INLINE size_t grt_stack_size(unsigned cls)
{
	return (size_t)1 << (STACK_MIN_SHIFT + cls);
}

/* Chooses how overflow is caught. guards_only: rather no stack than one without a guard page. */
void grt_stacks_init(bool guards_only);

/* There are only so many (guards are made the expensive way): a free one should be where everybody finds it. */
bool grt_stacks_scarce(void);

/* Gives all memory back; nobody may hold a goroutine any more. */
void grt_stacks_fini(void);

/* In the child of a fork: as before the first stack. All that is mapped stays so. */
void grt_stacks_forget(void);

/* A record with its stack: stack_lo, stack_size, cls, limit and a new claim range are set, the rest is zero or left
 * from the last use. -ENOMEM: memory or address space; -EAGAIN: guard pages are used up and guards_only asks for one. */
int grt_stack_get(unsigned cls, struct g **out);

/* Gives the pages of a batch of dead goroutines back to the kernel, and their slots to the next grt_stack_get. */
void grt_stack_discard(struct g *const *dead, size_t n);

/* Calls fn for each slot that was ever used; the record may be of any state, and change under it. */
void grt_stack_each(void (*fn)(struct g *g, void *arg), void *arg);

/* The goroutine in whose guard area (below its usable stack) or stack addr lies, else NULL. Async-signal-safe. */
struct g *grt_stack_find(uintptr_t addr);

/* The guard below a stack of that class: 1/8 of it, 64 KiB at most. */
size_t grt_stack_guard_size(unsigned cls);

/* How far up from stack_lo the guard reaches. */
size_t grt_stack_guard(const struct g *g);

/* Bytes of address space reserved for stacks, for reports and tests. */
size_t grt_stacks_reserved(void);
/* Of these, bytes that have memory; asks the kernel, some 2 us for each eight stacks of 256 KiB. */
size_t grt_stacks_resident(void);

#endif
