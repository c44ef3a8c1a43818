/* forked.c - a process that is the child of a fork, and has not the runtime that its parent had. */
/* SPDX-License-Identifier: MIT */
#include "rt/forked.h"

#include "base/fatal.h"

bool grt_forked;
struct m *grt_forked_m;

GRT_COLD _Noreturn void grt_forked_call(void)
{
	grt_fatal_bare("called in a child of fork, which has no runtime: only exec, _exit and "
		       "goru_init are possible there");
}
