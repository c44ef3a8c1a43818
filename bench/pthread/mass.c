/* mass.c - many at once: parked, and asleep. */
/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <time.h>

#include "bench.h"

static pthread_barrier_t gate;
static long rounds;
static struct queue *hall;

static void *guest(void *arg)
{
	long v;

	pthread_barrier_wait(&gate);
	queue_recv(hall, &v);
	return arg;
}

static void park(long n, long count)
{
	pthread_t *t = zeroed(count, sizeof(pthread_t));
	double rss = status_kb("VmRSS:"), tables = status_kb("VmPTE:"), per = (double)count;
	struct span s;

	(void)n;
	hall = queue_make(1);
	pthread_barrier_init(&gate, NULL, (unsigned)count + 1);
	s = span_begin();
	for (long i = 0; i < count; i++)
		t[i] = thread_start(guest, NULL);
	pthread_barrier_wait(&gate);
	result("create_ns", span_ns(&s) / per);
	result("bytes", (status_kb("VmRSS:") - rss) * 1024 / per);
	result("table_bytes", (status_kb("VmPTE:") - tables) * 1024 / per);
	s = span_begin();
	for (long i = 0; i < count; i++)
		queue_send(hall, i);
	for (long i = 0; i < count; i++)
		thread_join(t[i]);
	result_span("wake_ns", &s, per);
}

static void *sleeper(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg * 2654435761u + 12345;

	for (long i = 0; i < rounds; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		nanosleep(&(struct timespec){ .tv_nsec = (long)(1 + (x >> 33) % 100) * 1000000 },
			  NULL);
	}
	return NULL;
}

static void sleepers(long n, long count)
{
	pthread_t *t = zeroed(count, sizeof(pthread_t));
	struct span s = span_begin();

	rounds = n;
	for (long i = 0; i < count; i++)
		t[i] = thread_start(sleeper, (void *)(uintptr_t)i);
	for (long i = 0; i < count; i++)
		thread_join(t[i]);
	result_cpu(&s);
}

const struct workload mass_workloads[] = {
	{ "park", park, 1, 10000 },
	{ "sleep", sleepers, 5, 10000 },
	{ 0 },
};
