/* one_p.h - a runtime that is one P and no thread: the parts that work on one, tested without the rest. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ONE_P_H
#define GRT_ONE_P_H

#include "rt/rt.h"

/* The P, which m holds; of m all else is as the caller has set it. No membarrier is needed. */
struct p *one_p_begin(struct m *m);

/* All of it is gone. */
void one_p_end(void);

#endif
