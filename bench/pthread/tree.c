/* tree.c - threads that start threads: fork and join, and skynet. */
/* SPDX-License-Identifier: MIT */
#include "bench.h"

struct call {
	long n, value;
};

static void *fib(void *arg)
{
	struct call *c = arg, left = { .n = c->n - 1 }, right = { .n = c->n - 2 };
	pthread_t t;

	if (c->n < 2) {
		c->value = c->n;
		return NULL;
	}
	t = thread_start(fib, &left);
	fib(&right);
	thread_join(t);
	c->value = left.value + right.value;
	return NULL;
}

static void fork_join(long n, long count)
{
	long a = 0, b = 1, spawned = 0, before = 0;
	struct call c = { .n = count };
	struct span s = span_begin();
	double ns;

	for (long i = 0; i < n; i++)
		fib(&c);
	ns = span_ns(&s);
	result_span("ms", &s, (double)n);
	for (long i = 0; i < count; i++) {
		long next = a + b, more = spawned + before + 1;

		a = b;
		b = next;
		before = spawned;
		spawned = i ? more : 0;
	}
	if (c.value != a)
		bad("a wrong sum");
	result("ns", ns / (double)n / (double)(spawned > 0 ? spawned : 1));
}

struct node {
	struct queue *out;
	long first, leaves;
};

static void *node(void *arg)
{
	struct node *me = arg, child[10];
	pthread_t t[10];
	struct queue *in;
	long sum = 0, v;

	if (me->leaves == 1) {
		queue_send(me->out, me->first);
		return NULL;
	}
	in = queue_make(10);
	for (long i = 0; i < 10; i++) {
		child[i] = (struct node){ in, me->first + i * (me->leaves / 10), me->leaves / 10 };
		t[i] = thread_start(node, &child[i]);
	}
	for (long i = 0; i < 10; i++)
		sum += queue_recv(in, &v) ? v : 0;
	for (long i = 0; i < 10; i++)
		thread_join(t[i]);
	queue_free(in);
	queue_send(me->out, sum);
	return NULL;
}

static void skynet(long n, long count)
{
	struct node root = { queue_make(1), 0, count };
	struct span s = span_begin();

	for (long i = 0, v = 0; i < n; i++) {
		pthread_t t = thread_start(node, &root);

		if (!queue_recv(root.out, &v) || v != count * (count - 1) / 2)
			bad("a wrong sum");
		thread_join(t);
	}
	result_span("ms", &s, (double)n);
	result("peak_mb", status_kb("VmHWM:") / 1024);
}

const struct workload tree_workloads[] = {
	{ "fib", fork_join, 1, 16 },
	{ "skynet", skynet, 1, 10000 },
	{ 0 },
};
