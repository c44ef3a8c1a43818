/* sync.c - a mutex that several goroutines want all the time. */
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

const struct workload sync_workloads[] = {
	{ "mutex", mutex, 40000000, 8 },
	{ 0 },
};
