/* queue.c - a bounded queue of longs. */
/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdlib.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	long count, cap, head;
	bool closed;
	long slot[];
};

struct queue *queue_make(long cap)
{
	struct queue *q = calloc(1, sizeof(*q) + (size_t)cap * sizeof(q->slot[0]));

	if (!q)
		bad("no memory");
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
	pthread_cond_init(&q->drained, NULL);
	q->cap = cap;
	return q;
}

void queue_send(struct queue *q, long v)
{
	pthread_mutex_lock(&q->lock);
	while (q->count == q->cap)
		pthread_cond_wait(&q->drained, &q->lock);
	q->slot[(q->head + q->count++) % q->cap] = v;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_signal(&q->filled);
}

bool queue_recv(struct queue *q, long *v)
{
	bool got;

	pthread_mutex_lock(&q->lock);
	while (!q->count && !q->closed)
		pthread_cond_wait(&q->filled, &q->lock);
	got = q->count;
	if (got) {
		*v = q->slot[q->head];
		q->head = (q->head + 1) % q->cap;
		q->count--;
	}
	pthread_mutex_unlock(&q->lock);
	pthread_cond_signal(&q->drained);
	return got;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_broadcast(&q->filled);
}

void queue_free(struct queue *q)
{
	free(q);
}
