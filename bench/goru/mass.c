/* mass.c - very many at once: goroutines parked and asleep, timers. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "bench.h"

struct hall {
	longs *c;
	goru_waitgroup inside, done;
};

static void guest(void *arg)
{
	struct hall *h = arg;
	long v;

	goru_waitgroup_done(&h->inside);
	longs_recv(h->c, &v);
	goru_waitgroup_done(&h->done);
}

/* count goroutines wait on one channel; then each is sent a value. */
static void park(long n, long count)
{
	struct hall h = { .c = longs_make(0) };
	double rss = status_kb("VmRSS:"), tables = status_kb("VmPTE:"), per = (double)count;
	struct span s;

	(void)n;
	goru_waitgroup_add(&h.inside, (int)count);
	goru_waitgroup_add(&h.done, (int)count);
	s = span_begin();
	for (long i = 0; i < count; i++)
		go(guest, &h);
	wait_for(&h.inside);
	goru_yield();
	result("create_ns", span_ns(&s) / per);
	result("bytes", (status_kb("VmRSS:") - rss) * 1024 / per);
	result("table_bytes", (status_kb("VmPTE:") - tables) * 1024 / per);
	s = span_begin();
	for (long i = 0; i < count; i++)
		longs_send(h.c, i);
	wait_for(&h.done);
	result_span("wake_ns", &s, per);
}

static void sleeper(long seed, long naps, goru_waitgroup *wg)
{
	uint64_t x = (uint64_t)seed * 2654435761u + 12345;

	for (long i = 0; i < naps; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		goru_sleep((1 + (int64_t)((x >> 33) % 100)) * GORU_MSEC);
	}
	goru_waitgroup_done(wg);
}

/* count goroutines sleep n times each, 1 to 100 ms. What counts is the CPU time. */
static void sleepers(long n, long count)
{
	goru_waitgroup wg = GORU_WAITGROUP_INIT;
	struct span s = span_begin();

	goru_waitgroup_add(&wg, (int)count);
	for (long i = 0; i < count; i++)
		go(sleeper, i, n, &wg);
	wait_for(&wg);
	result_cpu(&s);
}

static goru_waitgroup fired;

static void fires(void *arg)
{
	(void)arg;
	goru_waitgroup_done(&fired);
}

static int64_t some_time(uint64_t *x)
{
	*x = *x * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((*x >> 33) % GORU_SEC);
}

/* count timers are started, far away; stopped; then as many go off within a second, 5 s later so that none does while they
 * are started. Their own memory, 96 bytes, is not counted. */
static void timers(long n, long count)
{
	goru_timer *t = malloc((size_t)count * sizeof(*t));
	double rss, per = (double)count;
	uint64_t x = 12345;
	struct span s;
	int64_t at;

	(void)n;
	if (!t)
		bad("malloc");
	for (long i = 0; i < count; i++)
		*(volatile goru_timer *)&t[i] = (goru_timer)GORU_TIMER_INIT; /* its pages */
	rss = status_kb("VmRSS:");
	at = goru_in(3600 * GORU_SEC);
	s = span_begin();
	for (long i = 0; i < count; i++)
		if (goru_timer_start(&t[i], at + some_time(&x), 0, fires, NULL) < 0)
			bad("goru_timer_start");
	result("start_ns", span_ns(&s) / per);
	result("bytes", (status_kb("VmRSS:") - rss) * 1024 / per);
	s = span_begin();
	for (long i = 0; i < count; i++)
		goru_timer_stop(&t[i]);
	result("stop_ns", span_ns(&s) / per);
	goru_waitgroup_add(&fired, (int)count);
	at = goru_in(5 * GORU_SEC);
	for (long i = 0; i < count; i++)
		if (goru_timer_start(&t[i], at + some_time(&x), 0, fires, NULL) < 0)
			bad("goru_timer_start");
	s = span_begin();
	wait_for(&fired);
	result("fire_cpu_ns", span_cpu_ns(&s) / per);
	free(t);
}

const struct workload mass_workloads[] = {
	{ "park", park, 1, 1000000 },
	{ "sleep", sleepers, 5, 100000 },
	{ "timers", timers, 1, 1000000 },
	{ NULL, NULL, 0, 0 },
};
