/* sync.c - a mutex that several threads want all the time. */
/* SPDX-License-Identifier: MIT */
#include "bench.h"

struct shared {
	pthread_mutex_t lock;
	long n, each;
};

static void *add(void *arg)
{
	struct shared *s = arg;

	for (long i = 0; i < s->each; i++) {
		pthread_mutex_lock(&s->lock);
		s->n++;
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

static void mutex(long n, long count)
{
	struct shared shared = { .lock = PTHREAD_MUTEX_INITIALIZER, .each = n / count };
	pthread_t *all = zeroed(count, sizeof(pthread_t));
	struct span s = span_begin();

	for (long i = 0; i < count; i++)
		all[i] = thread_start(add, &shared);
	for (long i = 0; i < count; i++)
		thread_join(all[i]);
	result_span("ns", &s, (double)(shared.each * count));
	if (shared.n != shared.each * count)
		bad("a wrong count");
}

static unsigned long steps(unsigned long x)
{
	for (int i = 0; i < 500; i++)
		x = x * 6364136223846793005 + 1442695040888963407;
	return x;
}

struct held {
	pthread_mutex_t lock;
	long n, each;
	unsigned long x;
};

static void *hold(void *arg)
{
	struct held *h = arg;
	unsigned long mine = 1;

	for (long i = 0; i < h->each; i++) {
		pthread_mutex_lock(&h->lock);
		h->x = steps(h->x) ^ mine;
		h->n++;
		pthread_mutex_unlock(&h->lock);
		mine = steps(mine);
	}
	return NULL;
}

static void mutex_held(long n, long count)
{
	struct held held = { .lock = PTHREAD_MUTEX_INITIALIZER, .each = n / count, .x = 1 };
	pthread_t *all = zeroed(count, sizeof(pthread_t));
	struct span s = span_begin();

	for (long i = 0; i < count; i++)
		all[i] = thread_start(hold, &held);
	for (long i = 0; i < count; i++)
		thread_join(all[i]);
	result_span("ns", &s, (double)(held.each * count));
	if (held.n != held.each * count)
		bad("a wrong count");
}

const struct workload sync_workloads[] = {
	{ "mutex", mutex, 8000000, 8 },
	{ "mutexheld", mutex_held, 1000000, 8 },
	{ 0 },
};
