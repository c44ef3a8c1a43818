/* handoff.c - whether a goroutine keeps its P while it runs, for both kinds of tests. */
/* SPDX-License-Identifier: MIT */
#include "handoff.h"

#include <stdio.h>
#include <stdlib.h>

void handoff_next(bool on)
{
	static char before[256];
	const char *v = getenv("GORU_DEBUG");

	if (!on)
		snprintf(before, sizeof(before), "%s", v ? v : "");
	setenv("GORU_DEBUG", on ? before : "handoff=0", 1);
}
