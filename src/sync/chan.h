/* chan.h - the channel's inside, for chan.c and select.c: what can be done at once under its lock. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_CHAN_H
#define GRT_SYNC_CHAN_H

#include <string.h>

#include "goru.h"
#include "sync/arm.h"
#include "sync/wait.h"

/* Waiters, first come first; the last may be read while there is a first. */
struct waitq {
	struct wnode *_Atomic first;
	struct wnode *last;
};

/*
 * All fields but refs are under lock. A full or unbuffered channel with receivers waiting, or an empty one with senders
 * waiting, does not exist while the lock is free, but for waiters whose wait has ended another way.
 *
 * What grt_chan_ready asks is written under the lock as well, but may be read without, by a select that will wait: a
 * stale "not ready" only sends it on to the look with all locks held, which decides, and a stale "ready" costs a lock.
 * No order is needed for that, and nothing is taken on the strength of it. A call that does not wait must not ask: two
 * words read at two moments can say "not ready" of a channel that was ready all the time.
 */
struct goru_chan {
	/* one cache line: all that an unbuffered operation touches */
	struct spin lock;
	uint32_t elem_size;
	struct waitq recvq, sendq;
	_Atomic size_t count;
	size_t cap;
	_Atomic bool closed;
	bool simple; /* open, eight bytes an element, no eventfd: what the short paths are for */
	bool fd_set; /* the eventfd is readable */
	bool timed;  /* of goru_after or goru_tick: behind the one value stands a struct armed */
	int fd;	     /* -1: none was asked for */

	size_t head, tail; /* next to take, next to fill */
	_Atomic uint32_t refs;
	char buf[] GRT_ALIGNED(16);
};
_Static_assert(offsetof(struct goru_chan, head) == GRT_CACHELINE,
	       "the channel's hot line has grown");

/* Brings the eventfd in line with "a receive would not wait"; only if there is one. */
void grt_chan_fd_update(struct goru_chan *c);

/* A channel of goru_after or goru_tick: one int64_t, and its alarm yet to be set. */
goru_chan *grt_chan_make_timed(void);

GRT_INLINE struct armed *grt_chan_armed(goru_chan *c)
{
	return (struct armed *)(void *)(c->buf + 16);
}

void grt_chan_free(goru_chan *c);

/* What a locked operation leaves to be done after unlocking. */
struct chan_op {
	int rc;		     /* 1, 0, -EPIPE, or -EAGAIN: would wait */
	struct waiter *wake; /* claimed: to be readied */
};

/* simple: as goru_chan.simple says, a constant where this is inlined. */
GRT_INLINE void *grt_chan_slot(struct goru_chan *c, size_t i, bool simple)
{
	return c->buf + i * (simple ? 8 : c->elem_size);
}

/* Eight bytes is what most channels carry: pointers and integers. */
GRT_INLINE void grt_chan_copy(struct goru_chan *c, void *to, const void *from, bool simple)
{
	if (simple || GRT_LIKELY(c->elem_size == 8))
		memcpy(to, from, 8);
	else if (c->elem_size)
		memcpy(to, from, c->elem_size);
}

GRT_INLINE void grt_waitq_push(struct waitq *q, struct wnode *n)
{
	n->next = NULL;
	if (GRT_LIKELY(!grt_load(&q->first))) {
		n->prev = NULL;
		grt_store(&q->first, n);
	} else {
		n->prev = q->last;
		q->last->next = n;
	}
	q->last = n;
	n->queued = true;
}

GRT_INLINE void grt_waitq_del(struct waitq *q, struct wnode *n)
{
	if (n->prev)
		n->prev->next = n->next;
	else
		grt_store(&q->first, n->next);
	if (n->next)
		n->next->prev = n->prev;
	else
		q->last = n->prev;
	n->queued = false;
}

/*
 * Of very many waiters each is a cache miss and a TLB miss, and the list shows the next one only. Started in a row and
 * waiting in a row, they stand at equal distances: so the one that is eight further is guessed. A wrong guess fetches a
 * few lines for nothing.
 */
GRT_INLINE void chan_foresee(const struct wnode *n)
{
	uintptr_t far = 8 * ((uintptr_t)n->next - (uintptr_t)n);

	__builtin_prefetch((void *)((uintptr_t)n + far), 1);
	__builtin_prefetch((void *)((uintptr_t)n->w + far), 1);
	__builtin_prefetch((void *)((uintptr_t)n->w->claim + far), 1);
	__builtin_prefetch((void *)((uintptr_t)n->elem + far), 1);
}

/* The first waiter of q whose wait is not over; claimed and off the list. */
GRT_INLINE struct wnode *grt_chan_dequeue(struct waitq *q)
{
	struct wnode *n;

	while ((n = grt_load(&q->first))) {
		grt_store(&q->first, n->next);
		if (GRT_UNLIKELY(n->next)) {
			n->next->prev = NULL;
			chan_foresee(n);
		}
		n->queued = false;
		if (GRT_LIKELY(grt_waiter_claim(n->w, END_READY)))
			break;
	}
	return n;
}

/* Would the operation not wait? Under the lock it is so, but for waiters whose wait is over; else see above. */
GRT_INLINE bool grt_chan_ready(struct goru_chan *c, bool send)
{
	bool closed = grt_load(&c->closed);
	size_t count = grt_load(&c->count);

	/* one jump in all: it is the usual answer that is asked for again and again */
	if (send)
		return closed | (grt_load(&c->recvq.first) != NULL) | (count < c->cap);
	return (closed | count | (uintptr_t)grt_load(&c->sendq.first)) != 0;
}

GRT_INLINE struct waiter *grt_chan_won(struct wnode *n, bool closed)
{
	struct waiter *w = n->w;

	if (closed)
		n->closed = true;
	w->won = n->index;
	return w;
}

/*
 * Edges for TSan: a slot is passed on with its value and passed back with its room, as Go's memory model has it; a
 * direct hand-over orders both sides. The model: send before its receive completes; the k-th receive before the
 * (k+cap)-th send completes; close before a receive that sees it.
 */
GRT_INLINE struct chan_op grt_chan_send_locked(struct goru_chan *c, const void *elem, bool simple)
{
	struct wnode *n;
	size_t count;

	if (!simple && GRT_UNLIKELY(grt_load(&c->closed)))
		return (struct chan_op){ -EPIPE, NULL };
	n = grt_chan_dequeue(&c->recvq);
	if (n) {
		grt_tsan_acquire(n->w);
		if (n->elem)
			grt_chan_copy(c, n->elem, elem, simple);
		grt_tsan_release(n->w);
		return (struct chan_op){ 0, grt_chan_won(n, false) };
	}
	count = grt_load(&c->count);
	if (count < c->cap) {
		void *slot = grt_chan_slot(c, c->tail, simple);

		grt_tsan_acquire(c->elem_size ? slot : c);
		grt_chan_copy(c, slot, elem, simple);
		grt_tsan_release(c->elem_size ? slot : c);
		c->tail = c->tail + 1 == c->cap ? 0 : c->tail + 1;
		grt_store(&c->count, count + 1);
		return (struct chan_op){ 0, NULL };
	}
	return (struct chan_op){ -EAGAIN, NULL };
}

/* A buffered value is taken, and the first waiting sender's moves into the room. */
GRT_INLINE struct waiter *grt_chan_take(struct goru_chan *c, void *elem, bool simple)
{
	void *slot = grt_chan_slot(c, c->head, simple);
	struct wnode *n;

	grt_tsan_acquire(c->elem_size ? slot : c);
	if (elem)
		grt_chan_copy(c, elem, slot, simple);
	grt_tsan_release(c->elem_size ? slot : c);
	c->head = c->head + 1 == c->cap ? 0 : c->head + 1;
	n = grt_chan_dequeue(&c->sendq);
	if (!n) {
		grt_store(&c->count, grt_load(&c->count) - 1);
		return NULL;
	}
	slot = grt_chan_slot(c, c->tail, simple);
	grt_tsan_acquire(n->w);
	grt_chan_copy(c, slot, n->elem, simple);
	grt_tsan_release(n->w);
	grt_tsan_release(c->elem_size ? slot : c);
	c->tail = c->tail + 1 == c->cap ? 0 : c->tail + 1;
	return grt_chan_won(n, false);
}

/* simple: elem is not NULL. */
GRT_INLINE struct chan_op grt_chan_recv_locked(struct goru_chan *c, void *elem, bool simple)
{
	struct wnode *n;

	if (grt_load(&c->count))
		return (struct chan_op){ 1, grt_chan_take(c, elem, simple) };
	n = grt_chan_dequeue(&c->sendq);
	if (n) {
		grt_tsan_acquire(n->w);
		if (elem)
			grt_chan_copy(c, elem, n->elem, simple);
		grt_tsan_release(n->w);
		return (struct chan_op){ 1, grt_chan_won(n, false) };
	}
	if (!simple && grt_load(&c->closed)) {
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
	grt_waitq_push(n->send ? &c->sendq : &c->recvq, n);
}

/* Takes a waiter whose wait ended without c off its list, if the other side has not. */
GRT_INLINE void grt_chan_leave(struct goru_chan *c, struct wnode *n)
{
	grt_spin_lock(&c->lock);
	if (GRT_LIKELY(n->queued))
		grt_waitq_del(n->send ? &c->sendq : &c->recvq, n);
	grt_chan_unlock(c);
}

/* Sends unless the channel is full or closed. */
struct chan_op grt_chan_offer(goru_chan *c, const void *elem);

/* The same as leave, for those who do it seldom. */
void grt_chan_remove(struct wnode *n);

#endif
