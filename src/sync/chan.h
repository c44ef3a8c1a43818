/* chan.h - the channel's inside, for chan.c and select.c: what can be done at once under its lock. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_CHAN_H
#define GRT_SYNC_CHAN_H

#include <string.h>

#include "base/list.h"
#include "goru.h"
#include "sync/wait.h"

/*
 * All fields but refs are under lock. A full or unbuffered channel with receivers waiting, or an empty one with senders
 * waiting, does not exist while the lock is free, but for waiters whose wait has ended another way.
 */
struct goru_chan {
	/* one cache line: all that an unbuffered operation touches */
	struct spin lock;
	uint32_t elem_size;
	struct list recvq, sendq; /* of wnode.link, first come first */
	size_t count, cap;
	bool closed;
	bool fd_set; /* the eventfd is readable */
	int fd;	     /* -1: none was asked for */

	size_t head, tail; /* next to take, next to fill */
	_Atomic uint32_t refs;
	char buf[] GRT_ALIGNED(16);
};

/* Brings the eventfd in line with "a receive would not wait"; only if there is one. */
void grt_chan_fd_update(struct goru_chan *c);

/* What a locked operation leaves to be done after unlocking. */
struct chan_op {
	int rc;		     /* 1, 0, -EPIPE, or -EAGAIN: would wait */
	struct waiter *wake; /* claimed: to be readied */
};

GRT_INLINE void *grt_chan_slot(struct goru_chan *c, size_t i)
{
	return c->buf + i * c->elem_size;
}

/* Eight bytes is what most channels carry: pointers and integers. */
GRT_INLINE void grt_chan_copy(struct goru_chan *c, void *to, const void *from)
{
	if (GRT_LIKELY(c->elem_size == 8))
		memcpy(to, from, 8);
	else if (c->elem_size)
		memcpy(to, from, c->elem_size);
}

/* The first waiter of q whose wait is not over; claimed and off the list. */
GRT_INLINE struct wnode *grt_chan_dequeue(struct list *q)
{
	while (!grt_list_empty(q)) {
		struct wnode *n = grt_list_first(q, struct wnode, link);

		grt_list_del(&n->link);
		n->queued = false;
		if (GRT_LIKELY(grt_waiter_claim(n->w, END_READY)))
			return n;
	}
	return NULL;
}

GRT_INLINE struct waiter *grt_chan_won(struct wnode *n, bool closed)
{
	struct waiter *w = n->w;

	n->closed = closed;
	w->won = n->index;
	return w;
}

/*
 * Edges for TSan: a slot is passed on with its value and passed back with its room, as Go's memory model has it; a
 * direct hand-over orders both sides. The model: send before its receive completes; the k-th receive before the
 * (k+cap)-th send completes; close before a receive that sees it.
 */
GRT_INLINE struct chan_op grt_chan_send_locked(struct goru_chan *c, const void *elem)
{
	struct wnode *n;

	if (GRT_UNLIKELY(c->closed))
		return (struct chan_op){ -EPIPE, NULL };
	n = grt_chan_dequeue(&c->recvq);
	if (n) {
		grt_tsan_acquire(n->w);
		if (n->elem)
			grt_chan_copy(c, n->elem, elem);
		grt_tsan_release(n->w);
		return (struct chan_op){ 0, grt_chan_won(n, false) };
	}
	if (c->count < c->cap) {
		void *slot = grt_chan_slot(c, c->tail);

		grt_tsan_acquire(c->elem_size ? slot : c);
		grt_chan_copy(c, slot, elem);
		grt_tsan_release(c->elem_size ? slot : c);
		c->tail = c->tail + 1 == c->cap ? 0 : c->tail + 1;
		c->count++;
		return (struct chan_op){ 0, NULL };
	}
	return (struct chan_op){ -EAGAIN, NULL };
}

/* A buffered value is taken, and the first waiting sender's moves into the room. */
GRT_INLINE struct waiter *grt_chan_take(struct goru_chan *c, void *elem)
{
	void *slot = grt_chan_slot(c, c->head);
	struct wnode *n;

	grt_tsan_acquire(c->elem_size ? slot : c);
	if (elem)
		grt_chan_copy(c, elem, slot);
	grt_tsan_release(c->elem_size ? slot : c);
	c->head = c->head + 1 == c->cap ? 0 : c->head + 1;
	n = grt_chan_dequeue(&c->sendq);
	if (!n) {
		c->count--;
		return NULL;
	}
	slot = grt_chan_slot(c, c->tail);
	grt_tsan_acquire(n->w);
	grt_chan_copy(c, slot, n->elem);
	grt_tsan_release(n->w);
	grt_tsan_release(c->elem_size ? slot : c);
	c->tail = c->tail + 1 == c->cap ? 0 : c->tail + 1;
	return grt_chan_won(n, false);
}

GRT_INLINE struct chan_op grt_chan_recv_locked(struct goru_chan *c, void *elem)
{
	struct wnode *n;

	if (c->count)
		return (struct chan_op){ 1, grt_chan_take(c, elem) };
	n = grt_chan_dequeue(&c->sendq);
	if (n) {
		grt_tsan_acquire(n->w);
		if (elem)
			grt_chan_copy(c, elem, n->elem);
		grt_tsan_release(n->w);
		return (struct chan_op){ 1, grt_chan_won(n, false) };
	}
	if (c->closed) {
		grt_tsan_acquire(&c->closed);
		if (elem && c->elem_size)
			memset(elem, 0, c->elem_size);
		return (struct chan_op){ 0, NULL };
	}
	return (struct chan_op){ -EAGAIN, NULL };
}

GRT_INLINE void grt_chan_unlock(struct goru_chan *c)
{
	if (GRT_UNLIKELY(c->fd >= 0))
		grt_chan_fd_update(c);
	grt_spin_unlock(&c->lock);
}

/* Under the lock. */
GRT_INLINE void grt_chan_enqueue(struct goru_chan *c, struct wnode *n)
{
	n->queued = true;
	grt_list_push(n->send ? &c->sendq : &c->recvq, &n->link);
}

/* Takes a waiter whose wait ended without c off its list, if the other side has not. */
void grt_chan_remove(struct wnode *n);

#endif
