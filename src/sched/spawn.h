/* spawn.h - a new goroutine. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_SPAWN_H
#define GRT_SCHED_SPAWN_H

#include "rt/rt.h"

enum { CLS_DEFAULT = 255 };

/* Where a public call returns to, for reports: one load and one store a spawn. */
#define GRT_CALLER __builtin_return_address(0)

struct spawn {
	void (*fn)(void);
	const uintptr_t *word;
	unsigned nwords;
	unsigned cls; /* stack class, or CLS_DEFAULT */
	const char *name;
	const void *from; /* where the call returns to; NULL: not a call of the program's */
	uint32_t flags;
	struct scope *scope; /* whose child it is, G_SCOPED set; NULL: nobody's */
};

/* 0; -ENOMEM, -EAGAIN, -ESHUTDOWN; -EINVAL: the scope is not open. Starts the runtime if it is off. */
int grt_spawn(const struct spawn *s);

/* By an M's loop, which holds p: a record of the default class, NULL if there is none, which is counted as a spawn that
 * failed. It begins by being given what to run, and is then the caller's to make ready; or it goes back to gpool. */
struct g *grt_spawn_get(struct p *p);
void grt_spawn_begin(struct p *p, struct g *g, const struct spawn *s);

#endif
