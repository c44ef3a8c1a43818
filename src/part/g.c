/* g.c - what a goroutine is called in messages. */
/* SPDX-License-Identifier: MIT */
#include "part/g.h"

#include <stdio.h>

struct g_label grt_g_label(const struct g *g)
{
	struct g_label l;
	bool named = g->name[0];

	snprintf(l.text, sizeof(l.text), "goroutine %llu%s%.*s%s", (unsigned long long)g->id,
		 named ? " (" : "", G_NAME - 1, g->name, named ? ")" : "");
	return l;
}
