/* queue.c - a word with a lock bit and a list of those who wait: what locks, semaphores and conditions are made of. */
/* SPDX-License-Identifier: MIT */
#include "sync/queue.h"

uint64_t grt_queue_unlocked(struct queue *q)
{
	for (unsigned i = 0;; i++) {
		uint64_t v = grt_load(&q->word);

		if (!(v & QUEUE_LOCK))
			return v;
		grt_spin_pause(i);
	}
}

/* A ring by prev, a line by next. */
void grt_queue_push(struct wnode **first, struct wnode *n)
{
	n->next = NULL;
	n->queued = true;
	if (*first) {
		n->prev = (*first)->prev;
		n->prev->next = n;
		(*first)->prev = n;
	} else {
		n->prev = n;
		*first = n;
	}
}

void grt_queue_push_front(struct wnode **first, struct wnode *n)
{
	n->next = *first;
	n->queued = true;
	if (*first) {
		n->prev = (*first)->prev;
		(*first)->prev = n;
	} else {
		n->prev = n;
	}
	*first = n;
}

void grt_queue_del(struct wnode **first, struct wnode *n)
{
	n->queued = false;
	if (n == *first) {
		*first = n->next;
		if (n->next)
			n->next->prev = n->prev;
	} else {
		n->prev->next = n->next;
		if (n->next)
			n->next->prev = n->prev;
		else
			(*first)->prev = n->prev;
	}
}

struct wnode *grt_queue_pop(struct wnode **first)
{
	while (*first) {
		struct wnode *n = *first;

		grt_queue_del(first, n);
		if (GRT_LIKELY(grt_waiter_claim(n->w, END_READY))) {
			n->w->won = n->index;
			return n;
		}
	}
	return NULL;
}

void grt_queue_remove(struct wnode *n)
{
	struct queue *q = n->obj;
	uint64_t v = grt_queue_lock(q);

	if (n->queued)
		grt_queue_del(&q->first, n);
	grt_queue_unlock(q, q->first ? v | QUEUE_WAITERS : v & ~QUEUE_WAITERS);
}
