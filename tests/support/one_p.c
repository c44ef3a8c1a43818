/* one_p.c - a runtime that is one P and no thread. */
/* SPDX-License-Identifier: MIT */
#include "one_p.h"

#include "test.h"

#include "rt/idle.h"

struct p *one_p_begin(struct m *m)
{
	struct p *p;

	grt_rt_reset();
	CHECK_EQ(grt_p_new(0), 0);
	p = grt_load(&grt_rt.allp[0]);
	grt_store(&grt_rt.procs, 1);
	grt_store(&grt_rt.enter_flags, ENTER_FENCE);
	m->fences = true;
	grt_give(m, p);
	return p;
}

void one_p_end(void)
{
	grt_p_free_all();
	grt_rt_reset();
}
