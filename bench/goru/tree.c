/* tree.c - fork-join and skynet: goroutines that start goroutines. */
/* SPDX-License-Identifier: MIT */
#include "bench.h"

struct call {
	long n, value;
	goru_waitgroup *done;
};

static long fib(long n);

static void fib_go(void *arg)
{
	struct call *c = arg;

	c->value = fib(c->n);
	goru_waitgroup_done(c->done);
}

/* One of the two calls is a goroutine; what it is joined by stands in this frame. */
static long fib(long n)
{
	goru_waitgroup done = GORU_WAITGROUP_INIT;
	struct call left = { .n = n - 1, .done = &done };
	long right;

	if (n < 2)
		return n;
	goru_waitgroup_add(&done, 1);
	go(fib_go, &left);
	right = fib(n - 2);
	wait_for(&done);
	return left.value + right;
}

/* n times fib(count). */
static void fork_join(long n, long count)
{
	long spawned = 0, before = 0, a = 0, b = 1, got = 0;
	struct span s = span_begin();
	double ns;

	for (long i = 0; i < n; i++)
		got = fib(count);
	ns = span_ns(&s);
	result_span("ms", &s, (double)n);
	/* fib(k) starts one goroutine, and what its two halves start */
	for (long i = 0; i < count; i++) {
		long next = a + b, more = spawned + before + 1;

		a = b;
		b = next;
		before = spawned;
		spawned = i ? more : 0;
	}
	if (got != a)
		bad("a wrong sum");
	result("ns", ns / (double)n / (double)(spawned > 0 ? spawned : 1));
}

enum { CHILDREN = 10 };

static void node(longs *out, long first, long leaves)
{
	longs *in;
	long sum = 0, v;

	if (leaves == 1) {
		longs_send(out, first);
		return;
	}
	in = longs_make(0);
	leaves /= CHILDREN;
	for (long i = 0; i < CHILDREN; i++)
		go(node, in, first + i * leaves, leaves);
	for (long i = 0; i < CHILDREN; i++) {
		longs_recv(in, &v);
		sum += v;
	}
	longs_unref(in);
	longs_send(out, sum);
}

/* n times: a tree of ten children a node, count leaves, their numbers added up through channels. */
static void skynet(long n, long count)
{
	longs *out = longs_make(0);
	struct span s = span_begin();

	for (long i = 0, v; i < n; i++) {
		go(node, out, 0L, count);
		longs_recv(out, &v);
		if (v != count * (count - 1) / 2)
			bad("a wrong sum");
	}
	result_span("ms", &s, (double)n);
	result("peak_mb", status_kb("VmHWM:") / 1024);
}

const struct workload tree_workloads[] = {
	{ "fib", fork_join, 3, 32 },
	{ "skynet", skynet, 3, 1000000 },
	{ NULL, NULL, 0, 0 },
};
