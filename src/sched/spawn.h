/* spawn.h - a new goroutine. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_SPAWN_H
#define GRT_SCHED_SPAWN_H

#include "rt/rt.h"

enum { CLS_DEFAULT = 255 };

struct spawn {
	void (*fn)(void);
	const uintptr_t *word;
	unsigned nwords;
	unsigned cls; /* stack class, or CLS_DEFAULT */
	const char *name;
	const void *from; /* where the call returns to; NULL: not a call of the program's */
	uint8_t flags;
};

/* 0; -ENOMEM, -EAGAIN, -ESHUTDOWN. Starts the runtime if it is off. */
int grt_spawn(const struct spawn *s);

#endif
