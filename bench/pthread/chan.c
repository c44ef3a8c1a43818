/* chan.c - the queue: ping-pong, with many at either end, in a ring, in the prime sieve. */
/* SPDX-License-Identifier: MIT */
#include "bench.h"

struct pipe {
	struct queue *in, *out;
	long add, prime, n, sum;
};

static void *pass(void *arg)
{
	struct pipe *p = arg;
	long v;

	while (queue_recv(p->in, &v))
		if (!p->prime || v % p->prime)
			queue_send(p->out, v + p->add);
	return NULL;
}

static void pingpong(long n, long count)
{
	struct pipe p = { .in = queue_make(1), .out = queue_make(1), .add = 1 };
	struct span s = span_begin();
	pthread_t t = thread_start(pass, &p);

	(void)count;
	for (long i = 0, v; i < n; i++) {
		queue_send(p.in, i);
		if (!queue_recv(p.out, &v) || v != i + 1)
			bad("a wrong value");
	}
	result_span("ns", &s, (double)n);
	queue_close(p.in);
	thread_join(t);
}

static void *produce(void *arg)
{
	struct pipe *p = arg;

	for (long i = 0; i < p->n; i++)
		queue_send(p->out, i);
	return NULL;
}

static void *consume(void *arg)
{
	struct pipe *p = arg;
	long v;

	while (queue_recv(p->in, &v))
		p->sum += v;
	return NULL;
}

static void buffered(long n, long count)
{
	struct queue *q = queue_make(128);
	struct pipe *p = zeroed(count, sizeof(*p));
	pthread_t *makers = zeroed(count, sizeof(pthread_t)),
		  *takers = zeroed(count, sizeof(pthread_t));
	long each = n / count, sum = 0;
	struct span s = span_begin();

	for (long i = 0; i < count; i++) {
		p[i] = (struct pipe){ .in = q, .out = q, .n = each };
		takers[i] = thread_start(consume, &p[i]);
	}
	for (long i = 0; i < count; i++)
		makers[i] = thread_start(produce, &p[i]);
	for (long i = 0; i < count; i++)
		thread_join(makers[i]);
	queue_close(q);
	for (long i = 0; i < count; i++)
		thread_join(takers[i]);
	result_span("ns", &s, (double)(each * count));
	for (long i = 0; i < count; i++)
		sum += p[i].sum;
	if (sum != count * (each * (each - 1) / 2))
		bad("a wrong sum");
}

static void ring(long n, long count)
{
	struct queue *first = queue_make(1), *last = first;
	struct pipe *p = zeroed(count, sizeof(*p));
	struct span s;

	for (long i = 1; i < count; i++) {
		p[i] = (struct pipe){ .in = last, .out = queue_make(1), .add = 1 };
		last = p[i].out;
		thread_start(pass, &p[i]);
	}
	s = span_begin();
	for (long i = 0, v; i < n / count; i++) {
		queue_send(first, 0);
		if (!queue_recv(last, &v) || v != count - 1)
			bad("a wrong value");
	}
	result_span("ns", &s, (double)(n / count * count));
}

static void *generate(void *arg)
{
	for (long i = 2;; i++)
		queue_send(arg, i);
	return NULL;
}

/* One round only: its threads stay, and are not few. */
static void sieve(long n, long count)
{
	struct queue *q = queue_make(1);
	struct pipe *p = zeroed(count, sizeof(*p));
	struct span s = span_begin();
	long prime = 0;

	(void)n;
	thread_start(generate, q);
	for (long i = 0; i < count; i++) {
		queue_recv(q, &prime);
		p[i] = (struct pipe){ .in = q, .out = queue_make(1), .prime = prime };
		q = p[i].out;
		thread_start(pass, &p[i]);
	}
	result_span("ms", &s, 1);
	if (count == 1500 && prime != 12553)
		bad("a wrong prime");
}

const struct workload chan_workloads[] = {
	{ "pingpong", pingpong, 20000, 2 },
	{ "buffered11", buffered, 4000000, 1 },
	{ "buffered44", buffered, 2000000, 4 },
	{ "ring", ring, 20000, 1000 },
	{ "sieve", sieve, 1, 300 },
	{ 0 },
};
