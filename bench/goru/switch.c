/* switch.c - yield and spawn. */
/* SPDX-License-Identifier: MIT */
#include "bench.h"

struct crowd {
	goru_waitgroup created, gate, done;
	long rounds;
};

static void yielder(void *arg)
{
	struct crowd *c = arg;

	goru_waitgroup_done(&c->created);
	wait_for(&c->gate);
	for (long i = 0; i < c->rounds; i++)
		goru_yield();
	goru_waitgroup_done(&c->done);
}

/* count goroutines yield to one another, n times in all. They exist and have run before the clock starts. */
static void yield(long n, long count)
{
	struct crowd c = { .rounds = n / count };
	struct span s;

	goru_waitgroup_add(&c.created, (int)count);
	goru_waitgroup_add(&c.done, (int)count);
	goru_waitgroup_add(&c.gate, 1);
	for (long i = 0; i < count; i++)
		go(yielder, &c);
	wait_for(&c.created);
	s = span_begin();
	goru_waitgroup_done(&c.gate);
	wait_for(&c.done);
	result_span("ns", &s, (double)(c.rounds * count));
}

static void done(void *arg)
{
	goru_waitgroup_done(arg);
}

/* n goroutines, count at a time: spawned, then waited for. */
static void spawn(long n, long count)
{
	goru_waitgroup wg = GORU_WAITGROUP_INIT;
	struct span s = span_begin();

	for (long i = 0; i < n; i += count) {
		goru_waitgroup_add(&wg, (int)count);
		for (long j = 0; j < count; j++)
			go(done, &wg);
		wait_for(&wg);
	}
	result_span("ns", &s, (double)n);
}

const struct workload switch_workloads[] = {
	{ "yield2", yield, 20000000, 2 },
	{ "yield1000", yield, 20000000, 1000 },
	{ "spawn1", spawn, 5000000, 1 },
	{ "spawn1000", spawn, 5000000, 1000 },
	{ NULL, NULL, 0, 0 },
};
