/* wait.c - waits that scopes may end; several waiters, collected under an object's lock and woken once it is free. */
/* SPDX-License-Identifier: MIT */
#include "sync/wait.h"

/* False: somebody else has ended it, and w's goroutine is runnable: it goes on as if it waited. */
static bool take_back(struct waiter *w, enum ending how)
{
	if (!grt_claim_word(w->claim, w->open, how))
		return false;
	grt_g_set_state(w->g, G_RUNNING);
	return true;
}

int grt_wait_arm_scoped(struct p *p, struct waiter *w, int64_t deadline)
{
	struct g *g = w->g;
	enum ending end;
	int rc = 0;

	w->shared = true;
	w->open |= END_SCOPED;
	grt_store(&g->claim, w->open);
	grt_chaos();
	atomic_thread_fence(memory_order_seq_cst); /* scope.F */
	grt_chaos();
	end = grt_scope_ended(g->scope);
	if (GRT_UNLIKELY(end))
		return take_back(w, end) ? grt_scope_ask(g->scope) : 0;
	if (deadline != INT64_MAX)
		rc = grt_timers_add(&p->timers, deadline, g, w->open);
	return rc < 0 && take_back(w, END_READY) ? rc : 0;
}

static void add_plain(struct woken *woken, struct wnode *n)
{
	n->next = woken->plain;
	woken->plain = n;
}

void grt_woken_add(struct woken *woken, struct wnode *n)
{
	if (n->w->g)
		grt_glist_push(&woken->gs, n->w->g);
	else
		add_plain(woken, n);
}

void grt_woken_add_front(struct woken *woken, struct wnode *n)
{
	if (n->w->g)
		grt_glist_push_front(&woken->gs, n->w->g);
	else
		add_plain(woken, n);
}

void grt_woken_ready(struct woken *woken, struct p *p)
{
	/* one is the usual case, and runs next: its data is here */
	if (woken->gs.n == 1)
		grt_ready(p, woken->gs.head);
	else
		grt_ready_batch(p, &woken->gs);
	while (woken->plain) {
		struct wnode *n = woken->plain;

		woken->plain = n->next;
		grt_plain_ready(n->w);
	}
}
