/* audit.h - checks builds: what a P has queued is counted and compared, now and then. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_AUDIT_H
#define GRT_ENGINE_AUDIT_H

#include "rt/rt.h"

/* By the holder of p, on its loop: fatal if a queue is not what it should be. */
void grt_audit(struct p *p);

/* The loop does it at each so-many-th time round: some 20 us. */
enum { GRT_AUDIT_EVERY = 64 };

#endif
