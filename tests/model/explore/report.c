/* report.c - what led to a failure: the steps of the schedule, with their places in the sources. */
/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "explorer.h"

static void where(char *out, size_t n, void *pc)
{
	char cmd[256];
	FILE *f;

	snprintf(out, n, "%p", pc);
	snprintf(cmd, sizeof(cmd), "addr2line -s -e /proc/%d/exe %p 2>/dev/null", getpid(),
		 (void *)((char *)pc - 1));
	f = popen(cmd, "r");
	if (!f)
		return;
	if (fgets(out, (int)n, f))
		out[strcspn(out, "\n ")] = '\0';
	pclose(f);
}

_Noreturn void model_fail(const char *fmt, ...)
{
	va_list ap;
	char at[128];

	printf("%s: FAIL after %ld schedules: ", X->model->name, X->runs + 1);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("%s\n", X->cur == NOBODY ? "" : ", by the last one below");
	for (int i = 0; i < X->nsteps; i++) {
		struct step *s = &X->step[i];

		where(at, sizeof(at), s->pc);
		printf("  T%d %-8s %#10llx %llx", s->thread, s->what, (unsigned long long)s->addr,
		       (unsigned long long)s->v);
		if (!strcmp(s->what, "cas") || !strcmp(s->what, "rmw"))
			printf(" -> %llx", (unsigned long long)s->v2);
		if (s->nth)
			printf(" (%d newer)", s->nth);
		printf("  %s\n", at);
	}
	fflush(stdout);
	_exit(1);
}

void x_record(const char *what, uint64_t addr, uint64_t v, uint64_t v2, int newer, void *pc)
{
	if (X->nsteps == STEPS)
		model_fail("does not end");
	X->step[X->nsteps++] = (struct step){ .thread = (uint8_t)X->cur,
					      .nth = (uint8_t)newer,
					      .what = what,
					      .addr = addr,
					      .v = v,
					      .v2 = v2,
					      .pc = pc };
}
