/* backtrace.h - where a goroutine stands. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_DEBUG_BACKTRACE_H
#define GRT_DEBUG_BACKTRACE_H

#include "part/g.h"

enum { BT_FRAMES = 24 };

struct backtrace {
	uint32_t n;
	bool cut;   /* there are more */
	bool known; /* offset says where each return address was found */
	uintptr_t pc[BT_FRAMES];
	uint32_t offset[BT_FRAMES]; /* from the saved stack pointer; [0] is no address in memory */
};

/* Of a goroutine that waits and is not woken meanwhile: else false. Takes no lock of goru's and no memory of malloc's;
 * copy is for its use, size bytes. */
bool grt_backtrace(struct g *g, struct backtrace *b, char *copy, size_t size);

/* The caller's own. */
void grt_backtrace_self(struct backtrace *b);

/* Does g, which waits, stand just as b's goroutine did when it was looked at? A few loads instead of a walk. */
bool grt_backtrace_same(struct g *g, const struct backtrace *b);

#endif
