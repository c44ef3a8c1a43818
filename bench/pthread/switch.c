/* switch.c - yielding, and threads that begin and end. */
/* SPDX-License-Identifier: MIT */
#include <sched.h>

#include "bench.h"

static pthread_barrier_t gate;
static long rounds;

static void *yielder(void *arg)
{
	pthread_barrier_wait(&gate);
	for (long i = 0; i < rounds; i++)
		sched_yield();
	return arg;
}

static void yield(long n, long count)
{
	pthread_t *t = zeroed(count, sizeof(pthread_t));
	struct span s;

	rounds = n / count;
	pthread_barrier_init(&gate, NULL, (unsigned)count + 1);
	for (long i = 0; i < count; i++)
		t[i] = thread_start(yielder, NULL);
	s = span_begin();
	pthread_barrier_wait(&gate);
	for (long i = 0; i < count; i++)
		thread_join(t[i]);
	result_span("ns", &s, (double)(rounds * count));
}

static void *nothing(void *arg)
{
	return arg;
}

static void spawn(long n, long count)
{
	pthread_t *t = zeroed(count, sizeof(pthread_t));
	struct span s = span_begin();

	for (long i = 0; i < n; i += count) {
		for (long j = 0; j < count; j++)
			t[j] = thread_start(nothing, NULL);
		for (long j = 0; j < count; j++)
			thread_join(t[j]);
	}
	result_span("ns", &s, (double)n);
}

const struct workload switch_workloads[] = {
	{ "yield2", yield, 1000000, 2 },
	{ "yield1000", yield, 500000, 1000 },
	{ "spawn1", spawn, 20000, 1 },
	{ "spawn1000", spawn, 20000, 1000 },
	{ 0 },
};
