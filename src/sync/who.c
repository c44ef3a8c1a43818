/* who.c - the name of who calls or holds a lock, for messages. */
/* SPDX-License-Identifier: MIT */
#include "sync/who.h"

#include <stdio.h>

#include "part/stack.h"

_Thread_local struct grt_plain_self grt_plain_self;

struct g_label grt_who(uint64_t owner)
{
	struct g_label l;
	struct g *g = owner ? grt_stack_find((uintptr_t)owner) : NULL;

	if (g)
		return grt_g_label(g);
	snprintf(l.text, sizeof(l.text), owner ? "a plain thread" : "nobody");
	return l;
}
