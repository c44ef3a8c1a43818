/* wait.c - several waiters, collected under an object's lock and woken once it is free. */
/* SPDX-License-Identifier: MIT */
#include "sync/wait.h"

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
