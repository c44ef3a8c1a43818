/* who.h - who calls and who holds a lock: a goroutine, or a plain thread. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_WHO_H
#define GRT_SYNC_WHO_H

#include "rt/self.h"

/*
 * Who holds a lock: the goroutine's record, or a word of the plain thread's own. At least 16-aligned, and below 2^60: the
 * bits beside it are free.
 */
extern _Thread_local struct grt_plain_self {
	GRT_ALIGNED(16) char byte;
} grt_plain_self;
#ifndef GRT_PLAIN_SELF /* the explorer's threads are not the kernel's */
#define GRT_PLAIN_SELF ((uintptr_t)&grt_plain_self)
#endif

GRT_INLINE uint64_t grt_me(void)
{
	struct m *m = grt_arch_self();

	if (GRT_LIKELY(m))
		return (uintptr_t)m->curg;
	grt_not_forked();
	return GRT_PLAIN_SELF;
}

/* For messages: "goroutine 17 (worker)", "a plain thread", "nobody". */
struct g_label grt_who(uint64_t owner);

#endif
