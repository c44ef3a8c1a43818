/* local.h - values of a goroutine's own: what its end and the shutdown do with them. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SCHED_LOCAL_H
#define GRT_SCHED_LOCAL_H

#include "part/g.h"

/* By g itself, which has G_LOCALS, outside goru: calls the destructors, which may wait, and frees all. */
void grt_locals_end(struct g *g);

/* By shutdown: frees all, calls nobody. */
void grt_locals_drop(struct g *g);

/* In the child of a fork: whoever held the lock of the keys is not there. */
void grt_locals_forked(void);

#endif
