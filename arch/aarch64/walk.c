/* walk.c - AArch64: by frame records, which the ABI has compilers keep. An unwinder would authenticate signed return
 * addresses with the stack pointer they were signed with, and those of a copy lie elsewhere. */
/* SPDX-License-Identifier: MIT */
#include "walk.h"

/* Records that lead upwards within [lo, hi) only. */
static unsigned records(uintptr_t fp, uintptr_t lo, uintptr_t hi, uintptr_t *pc, unsigned n,
			unsigned max)
{
	while (n < max && fp >= lo && fp + 16 <= hi && fp % 16 == 0) {
		const uintptr_t *record = (const uintptr_t *)fp;

		pc[n++] = grt_arch_plain(record[1]);
		lo = fp + 16;
		fp = record[0];
	}
	return n;
}

unsigned grt_arch_walk(const struct gobuf *at, uintptr_t lo, uintptr_t hi, uintptr_t *pc,
		       unsigned max)
{
	if (!max)
		return 0;
	pc[0] = (uintptr_t)at->pc;
	return records((uintptr_t)at->bp, lo, hi, pc, 1, max);
}

GRT_NOINLINE unsigned grt_arch_walk_self(uintptr_t *pc, unsigned max)
{
	const uintptr_t *record = __builtin_frame_address(0);

	/* the outermost record's link is 0, on goroutines and threads alike */
	return record[0] ? records(record[0], record[0], UINTPTR_MAX - 15, pc, 0, max) : 0;
}
