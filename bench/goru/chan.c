/* chan.c - channels: ping-pong, buffered, ring, sieve, select. */
/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdlib.h>

static void pong(longs *in, longs *out)
{
	long v;

	while (longs_recv(in, &v) > 0)
		longs_send(out, v + 1);
}

/* n round trips over two unbuffered channels. */
static void pingpong(long n, long count)
{
	longs *to = longs_make(0), *from = longs_make(0);
	struct span s = span_begin();

	(void)count;
	go(pong, to, from);
	for (long i = 0, v; i < n; i++) {
		longs_send(to, i);
		longs_recv(from, &v);
		if (v != i + 1)
			bad("a wrong value");
	}
	result_span("ns", &s, (double)n);
	longs_close(to);
}

static void produce(longs *c, long n, goru_waitgroup *wg)
{
	for (long i = 0; i < n; i++)
		longs_send(c, i);
	goru_waitgroup_done(wg);
}

static void consume(longs *c, long *sum, goru_waitgroup *wg)
{
	long v, total = 0;

	while (longs_recv(c, &v) > 0)
		total += v;
	*sum = total;
	goru_waitgroup_done(wg);
}

/* n values through one channel of 128, from count producers to as many consumers. */
static void buffered(long n, long count)
{
	longs *c = longs_make(128);
	goru_waitgroup made = GORU_WAITGROUP_INIT, taken = GORU_WAITGROUP_INIT;
	long *sums = calloc((size_t)count, sizeof(*sums)), each = n / count, sum = 0;
	struct span s = span_begin();

	if (!sums)
		bad("no memory");
	goru_waitgroup_add(&made, (int)count);
	goru_waitgroup_add(&taken, (int)count);
	for (long i = 0; i < count; i++)
		go(consume, c, &sums[i], &taken);
	for (long i = 0; i < count; i++)
		go(produce, c, each, &made);
	wait_for(&made);
	longs_close(c);
	wait_for(&taken);
	result_span("ns", &s, (double)(each * count));
	for (long i = 0; i < count; i++)
		sum += sums[i];
	if (sum != count * (each * (each - 1) / 2))
		bad("a wrong sum");
	free(sums);
}

static void ring_node(longs *in, longs *out)
{
	long v;

	while (longs_recv(in, &v) > 0)
		longs_send(out, v + 1);
}

/* One value goes round count goroutines, n hops in all. */
static void ring(long n, long count)
{
	longs *first = longs_make(0), *in = first;
	struct span s;

	for (long i = 1; i < count; i++) {
		longs *out = longs_make(0);

		go(ring_node, in, out);
		in = out;
	}
	goru_yield();
	s = span_begin();
	for (long i = 0, v; i < n / count; i++) {
		longs_send(first, 0);
		longs_recv(in, &v);
		if (v != count - 1)
			bad("a wrong value");
	}
	result_span("ns", &s, (double)(n / count * count));
}

static void generate(longs *out)
{
	for (long i = 2;; i++)
		longs_send(out, i);
}

static void filter(longs *in, longs *out, long prime)
{
	long v;

	while (longs_recv(in, &v) > 0)
		if (v % prime)
			longs_send(out, v);
}

/* n times: the first count primes, a goroutine for each. Those of earlier rounds stay parked. */
static void sieve(long n, long count)
{
	struct span s = span_begin();
	long prime = 0;

	for (long round = 0; round < n; round++) {
		longs *in = longs_make(0);

		go(generate, in);
		for (long i = 0; i < count; i++) {
			longs *out = longs_make(0);

			longs_recv(in, &prime);
			go(filter, in, out, prime);
			in = out;
		}
	}
	result_span("ms", &s, (double)n);
	if (count == 1500 && prime != 12553)
		bad("a wrong prime");
}

static void feed(longs *c, long n)
{
	for (long i = 0; i < n; i++)
		longs_send(c, i);
}

/* n values by select from four unbuffered channels, each with its sender. */
static void select4(long n, long count)
{
	longs *c[4];
	long v, sum = 0, each = n / 4;
	struct span s = span_begin();

	(void)count;
	for (int i = 0; i < 4; i++) {
		c[i] = longs_make(0);
		go(feed, c[i], each);
	}

	goru_case cases[] = {
		GORU_RECV(longs_chan(c[0]), &v),
		GORU_RECV(longs_chan(c[1]), &v),
		GORU_RECV(longs_chan(c[2]), &v),
		GORU_RECV(longs_chan(c[3]), &v),
	};

	for (long i = 0; i < 4 * each; i++) {
		if (goru_select(cases, 4) < 0)
			bad("a select failed");
		sum += v;
	}
	result_span("ns", &s, (double)(4 * each));
	if (sum != 4 * (each * (each - 1) / 2))
		bad("a wrong sum");
}

const struct workload chan_workloads[] = {
	{ "pingpong", pingpong, 5000000, 2 },
	{ "buffered11", buffered, 20000000, 1 },
	{ "buffered44", buffered, 20000000, 4 },
	{ "ring", ring, 10000000, 1000 },
	{ "sieve", sieve, 5, 1500 },
	{ "select", select4, 4000000, 4 },
	{ NULL, NULL, 0, 0 },
};
