/* pick.h - where an M looks for the next goroutine. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_PICK_H
#define GRT_ENGINE_PICK_H

#include "rt/rt.h"

/* The next goroutine for m, which holds p: due timers, the shared queue when its turn has come, p's own, the shared queue,
 * half of another P's. NULL: found nothing anywhere, or the goroutine found cannot run yet and was put back, or it is locked
 * to another thread and m has no P any more. */
struct g *grt_pick(struct m *m, struct p *p);

#endif
