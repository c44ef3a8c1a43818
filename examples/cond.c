/* cond.c - a queue with room for so many, made of a mutex and two conditions: shared by goroutines and a plain thread. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 4, PRODUCERS = 3, EACH = 1000 };

struct queue {
	goru_mutex mutex; /* guards the rest; all-zero memory is a good beginning */
	goru_cond not_empty, not_full;
	int item[ROOM], first, n;
	bool ended;
};

static void need(int err)
{
	if (err == 0)
		return;
	fprintf(stderr, "error %d\n", -err);
	exit(EXIT_FAILURE);
}

static void put(struct queue *q, int item)
{
	need(goru_mutex_lock(&q->mutex));
	while (q->n == ROOM) /* asked again after each wait: another may have been quicker */
		need(goru_cond_wait(&q->not_full, &q->mutex));
	q->item[(q->first + q->n++) % ROOM] = item;
	goru_cond_signal(&q->not_empty);
	goru_mutex_unlock(&q->mutex);
}

/* False: there will be no more. */
static bool get(struct queue *q, int *item)
{
	bool got;

	need(goru_mutex_lock(&q->mutex));
	while (q->n == 0 && !q->ended)
		need(goru_cond_wait(&q->not_empty, &q->mutex));
	got = q->n > 0;
	if (got) {
		*item = q->item[q->first];
		q->first = (q->first + 1) % ROOM;
		q->n--;
		goru_cond_signal(&q->not_full);
	}
	goru_mutex_unlock(&q->mutex);
	return got;
}

static void end(struct queue *q)
{
	need(goru_mutex_lock(&q->mutex));
	q->ended = true;
	goru_cond_broadcast(&q->not_empty); /* all who wait have to hear it */
	goru_mutex_unlock(&q->mutex);
}

static void produce(struct queue *q, goru_waitgroup *producing)
{
	for (int i = 1; i <= EACH; i++)
		put(q, i);
	goru_waitgroup_done(producing);
}

struct consumer {
	struct queue *queue;
	long sum;
};

static void consume(struct consumer *c)
{
	int item;

	while (get(c->queue, &item))
		c->sum += item;
}

static void consume_goroutine(struct consumer *c, goru_waitgroup *consuming)
{
	consume(c);
	goru_waitgroup_done(consuming);
}

static void *consume_thread(void *arg)
{
	consume(arg);
	return NULL;
}

int main(void)
{
	static struct queue q;
	struct consumer a = { &q, 0 }, b = { &q, 0 };
	goru_waitgroup producing = GORU_WAITGROUP_INIT, consuming = GORU_WAITGROUP_INIT;
	pthread_t thread;

	goru_waitgroup_add(&producing, PRODUCERS);
	for (int i = 0; i < PRODUCERS; i++)
		need(go(produce, &q, &producing));
	goru_waitgroup_add(&consuming, 1);
	need(go(consume_goroutine, &a, &consuming));
	if (pthread_create(&thread, NULL, consume_thread, &b) != 0)
		exit(EXIT_FAILURE);

	need(goru_waitgroup_wait(&producing));
	end(&q);
	need(goru_waitgroup_wait(&consuming));
	pthread_join(thread, NULL);
	printf("the items add up to %ld\n", a.sum + b.sum);
	return 0;
}

/* Output:
 * the items add up to 1501500
 */
