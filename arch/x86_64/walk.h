/* walk.h - the return addresses on a stack that nobody runs on. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_WALK_H
#define GRT_WALK_H

#include "arch.h"

/*
 * The innermost is where at was left, the last lies in grt_arch_entry unless there are more than max. [lo, hi) holds the
 * stack from at's sp on: a copy that nobody writes to, pointers into the stack made pointers into the copy.
 */
unsigned grt_arch_walk(const struct gobuf *at, uintptr_t lo, uintptr_t hi, uintptr_t *pc,
		       unsigned max);

/* The caller's own, from its caller on. */
unsigned grt_arch_walk_self(uintptr_t *pc, unsigned max);

/* The same for a return address as it stands in memory. */
GRT_INLINE uintptr_t grt_arch_plain(uintptr_t pc)
{
	return pc;
}

#endif
