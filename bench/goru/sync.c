/* sync.c - a mutex that several goroutines want all the time, held for an addition or for long. */
/* SPDX-License-Identifier: MIT */
#include "bench.h"

struct shared {
	goru_mutex mutex;
	long n;
};

static void add(struct shared *s, long n, goru_waitgroup *wg)
{
	for (long i = 0; i < n; i++) {
		if (goru_mutex_lock(&s->mutex) < 0)
			bad("a lock failed");
		s->n++;
		goru_mutex_unlock(&s->mutex);
	}
	goru_waitgroup_done(wg);
}

/* n times lock, add one, unlock, by count goroutines. */
static void mutex(long n, long count)
{
	struct shared shared = { GORU_MUTEX_INIT, 0 };
	goru_waitgroup wg = GORU_WAITGROUP_INIT;
	long each = n / count;
	struct span s = span_begin();

	goru_waitgroup_add(&wg, (int)count);
	for (long i = 0; i < count; i++)
		go(add, &shared, each, &wg);
	wait_for(&wg);
	result_span("ns", &s, (double)(each * count));
	if (shared.n != each * count)
		bad("a wrong count");
}

/* What is done with the mutex held, and as much without: half a microsecond or so. */
static unsigned long steps(unsigned long x)
{
	for (int i = 0; i < 500; i++)
		x = x * 6364136223846793005 + 1442695040888963407;
	return x;
}

struct held {
	goru_mutex mutex;
	long n;
	unsigned long x;
};

static void hold(struct held *h, long n, goru_waitgroup *wg)
{
	unsigned long mine = 1;

	for (long i = 0; i < n; i++) {
		if (goru_mutex_lock(&h->mutex) < 0)
			bad("a lock failed");
		h->x = steps(h->x) ^ mine;
		h->n++;
		goru_mutex_unlock(&h->mutex);
		mine = steps(mine);
	}
	goru_waitgroup_done(wg);
}

/* n times lock, compute, unlock, compute as long, by count goroutines: who waits, waits long enough to park. */
static void mutex_held(long n, long count)
{
	struct held held = { GORU_MUTEX_INIT, 0, 1 };
	goru_waitgroup wg = GORU_WAITGROUP_INIT;
	long each = n / count;
	struct span s = span_begin();

	goru_waitgroup_add(&wg, (int)count);
	for (long i = 0; i < count; i++)
		go(hold, &held, each, &wg);
	wait_for(&wg);
	result_span("ns", &s, (double)(each * count));
	if (held.n != each * count)
		bad("a wrong count");
}

const struct workload sync_workloads[] = {
	{ "mutex", mutex, 40000000, 8 },
	{ "mutexheld", mutex_held, 1000000, 8 },
	{ 0 },
};
