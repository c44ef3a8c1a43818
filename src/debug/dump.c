/* dump.c - the list of goroutines, for fatal errors. */
/* SPDX-License-Identifier: MIT */
#include "debug/dump.h"

#include "base/fatal.h"
#include "part/stack.h"

enum { MAX_LINES = 1000 };

static const char *const state_names[] = {
	[G_DEAD] = "dead",	 [G_RUNNABLE] = "runnable", [G_RUNNING] = "running",
	[G_WAITING] = "waiting", [G_BLOCKED] = "blocked",
};

static const char *const reason_names[] = {
	[WAIT_NONE] = "",
	[WAIT_SEND] = "chan send",
	[WAIT_RECV] = "chan recv",
	[WAIT_SELECT] = "select",
	[WAIT_FOREVER] = "for ever",
	[WAIT_WAITGROUP] = "wait group",
	[WAIT_SLEEP] = "sleep",
	[WAIT_P] = "its turn after a blocking call",
	[WAIT_MUTEX] = "mutex",
	[WAIT_RDLOCK] = "rwlock, to read",
	[WAIT_WRLOCK] = "rwlock, to write",
	[WAIT_COND] = "condition",
	[WAIT_SEM] = "semaphore",
	[WAIT_ONCE] = "once",
	[WAIT_JOIN] = "task",
};

struct list_arg {
	int fd;
	uint64_t n;
};

static void one(struct g *g, void *arg)
{
	struct list_arg *a = arg;
	uint8_t state = grt_load(&g->state), reason = grt_load(&g->reason);

	if (state == G_DEAD || state >= grt_countof(state_names) || a->n++ >= MAX_LINES)
		return;
	if (state != G_WAITING || reason >= grt_countof(reason_names))
		reason = WAIT_NONE;
	grt_line(a->fd, "%s [%s%s%s]", grt_g_label(g).text, state_names[state], reason ? ": " : "",
		 reason_names[reason]);
}

void grt_dump(int fd)
{
	struct list_arg a = { fd, 0 };

	grt_stack_each(one, &a);
	if (a.n > MAX_LINES)
		grt_line(fd, "... and %llu more goroutines", (unsigned long long)(a.n - MAX_LINES));
	if (!a.n)
		grt_line(fd, "no goroutines");
}
