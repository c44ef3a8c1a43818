/* g.c - what a goroutine is called in messages, and what states it may go through. */
/* SPDX-License-Identifier: MIT */
#include "part/g.h"

#include <stdio.h>

#include "base/fatal.h"

const char *const grt_g_states[G_STATES] = {
	[G_DEAD] = "dead",	 [G_RUNNABLE] = "runnable",
	[G_RUNNING] = "running", [G_WAITING] = "waiting",
	[G_BLOCKED] = "blocked", [G_NO_P] = "running without a processor",
};

#define BIT(s) (1u << (s))

/* Waiting begins under the lock of what is waited on, before anyone can end it: so it is runnable only after. */
static const uint8_t next_states[G_STATES] = {
	[G_DEAD] = BIT(G_RUNNABLE),
	[G_RUNNABLE] = BIT(G_RUNNING),
	/* runnable: it yields, or queues for a P */
	[G_RUNNING] = BIT(G_RUNNABLE) | BIT(G_WAITING) | BIT(G_BLOCKED) | BIT(G_NO_P) | BIT(G_DEAD),
	/* running: no memory for the deadline */
	[G_WAITING] = BIT(G_RUNNABLE) | BIT(G_RUNNING),
	/* waiting: it kept its P in its brackets. runnable: no P was free on its way back. blocked: it had lost its P, and goes on into brackets. dead: it ends
	 * without a P */
	[G_BLOCKED] = BIT(G_RUNNING) | BIT(G_WAITING) | BIT(G_RUNNABLE) | BIT(G_BLOCKED) |
		      BIT(G_DEAD),
	[G_NO_P] = BIT(G_RUNNING) | BIT(G_RUNNABLE) | BIT(G_BLOCKED) | BIT(G_DEAD),
};

void grt_g_turn(struct g *g, enum g_state s)
{
	unsigned was = atomic_exchange_explicit(&g->state, (uint8_t)s, memory_order_relaxed);

	if (was >= G_STATES || !(next_states[was] & BIT(s)))
		grt_fatal("%s becomes %s, but it is %s", grt_g_label(g).text, grt_g_states[s],
			  was < G_STATES ? grt_g_states[was] : "in no state");
}

struct g_label grt_g_label(const struct g *g)
{
	struct g_label l;
	bool named = g->name[0];

	snprintf(l.text, sizeof(l.text), "goroutine %llu%s%.*s%s", (unsigned long long)g->id,
		 named ? " (" : "", G_NAME - 1, g->name, named ? ")" : "");
	return l;
}
