/* bench.c - the workloads for plain threads: bench WORKLOAD WORKERS [N [COUNT]]; WORKERS is how many CPUs they get. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { STACK = 65536 };

static pthread_attr_t small;

static double wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

/* From here to the result. */
struct span {
	double wall, cpu;
};

static struct span span_begin(void)
{
	return (struct span){ .cpu = cpu(), .wall = wall() };
}

static void result(const char *name, double value)
{
	printf("R %s %.4f\n", name, value);
}

static void result_span(const char *name, const struct span *s, double operations)
{
	double ns = wall() - s->wall, used = cpu() - s->cpu;

	result(name, ns / operations / (strcmp(name, "ms") ? 1 : 1e6));
	result("cpus", used / ns);
}

static double status_kb(const char *key)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	double kb = 0;

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kb = strtod(line + strlen(key), NULL);
	fclose(f);
	return kb;
}

static _Noreturn void bad(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, &small, fn, arg))
		bad("no more threads");
	return t;
}

static void join(pthread_t t)
{
	pthread_join(t, NULL);
}

/* A bounded queue; of capacity 1 where others have an unbuffered channel, which is less work than a rendezvous. */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	long count, cap, head;
	bool closed;
	long slot[];
};

static struct queue *queue_make(long cap)
{
	struct queue *q = calloc(1, sizeof(*q) + (size_t)cap * sizeof(q->slot[0]));

	if (!q)
		bad("no memory");
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
	pthread_cond_init(&q->drained, NULL);
	q->cap = cap;
	return q;
}

static void send(struct queue *q, long v)
{
	pthread_mutex_lock(&q->lock);
	while (q->count == q->cap)
		pthread_cond_wait(&q->drained, &q->lock);
	q->slot[(q->head + q->count++) % q->cap] = v;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_signal(&q->filled);
}

static bool recv(struct queue *q, long *v)
{
	bool got;

	pthread_mutex_lock(&q->lock);
	while (!q->count && !q->closed)
		pthread_cond_wait(&q->filled, &q->lock);
	got = q->count;
	if (got) {
		*v = q->slot[q->head];
		q->head = (q->head + 1) % q->cap;
		q->count--;
	}
	pthread_mutex_unlock(&q->lock);
	pthread_cond_signal(&q->drained);
	return got;
}

static void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_broadcast(&q->filled);
}

static pthread_barrier_t gate;
static long rounds;

static void *yielder(void *arg)
{
	pthread_barrier_wait(&gate);
	for (long i = 0; i < rounds; i++)
		sched_yield();
	return arg;
}

static pthread_t *threads(long count)
{
	pthread_t *t = calloc((size_t)count, sizeof(*t));

	if (!t)
		bad("no memory");
	return t;
}

static void yield(long n, long count)
{
	pthread_t *t = threads(count);
	struct span s;

	rounds = n / count;
	pthread_barrier_init(&gate, NULL, (unsigned)count + 1);
	for (long i = 0; i < count; i++)
		t[i] = start(yielder, NULL);
	s = span_begin();
	pthread_barrier_wait(&gate);
	for (long i = 0; i < count; i++)
		join(t[i]);
	result_span("ns", &s, (double)(rounds * count));
}

static void *nothing(void *arg)
{
	return arg;
}

static void spawn(long n, long count)
{
	pthread_t *t = threads(count);
	struct span s = span_begin();

	for (long i = 0; i < n; i += count) {
		for (long j = 0; j < count; j++)
			t[j] = start(nothing, NULL);
		for (long j = 0; j < count; j++)
			join(t[j]);
	}
	result_span("ns", &s, (double)n);
}

struct pipe {
	struct queue *in, *out;
	long add, prime, n, sum;
};

static void *pass(void *arg)
{
	struct pipe *p = arg;
	long v;

	while (recv(p->in, &v))
		if (!p->prime || v % p->prime)
			send(p->out, v + p->add);
	return NULL;
}

static void pingpong(long n, long count)
{
	struct pipe p = { .in = queue_make(1), .out = queue_make(1), .add = 1 };
	struct span s = span_begin();
	pthread_t t = start(pass, &p);

	(void)count;
	for (long i = 0, v; i < n; i++) {
		send(p.in, i);
		if (!recv(p.out, &v) || v != i + 1)
			bad("a wrong value");
	}
	result_span("ns", &s, (double)n);
	queue_close(p.in);
	join(t);
}

static void *produce(void *arg)
{
	struct pipe *p = arg;

	for (long i = 0; i < p->n; i++)
		send(p->out, i);
	return NULL;
}

static void *consume(void *arg)
{
	struct pipe *p = arg;
	long v;

	while (recv(p->in, &v))
		p->sum += v;
	return NULL;
}

static void buffered(long n, long count)
{
	struct queue *q = queue_make(128);
	struct pipe *p = calloc((size_t)count, sizeof(*p));
	pthread_t *makers = threads(count), *takers = threads(count);
	long each = n / count, sum = 0;
	struct span s = span_begin();

	if (!p)
		bad("no memory");
	for (long i = 0; i < count; i++) {
		p[i] = (struct pipe){ .in = q, .out = q, .n = each };
		takers[i] = start(consume, &p[i]);
	}
	for (long i = 0; i < count; i++)
		makers[i] = start(produce, &p[i]);
	for (long i = 0; i < count; i++)
		join(makers[i]);
	queue_close(q);
	for (long i = 0; i < count; i++)
		join(takers[i]);
	result_span("ns", &s, (double)(each * count));
	for (long i = 0; i < count; i++)
		sum += p[i].sum;
	if (sum != count * (each * (each - 1) / 2))
		bad("a wrong sum");
}

static void ring(long n, long count)
{
	struct queue *first = queue_make(1), *last = first;
	struct pipe *p = calloc((size_t)count, sizeof(*p));
	struct span s;

	if (!p)
		bad("no memory");
	for (long i = 1; i < count; i++) {
		p[i] = (struct pipe){ .in = last, .out = queue_make(1), .add = 1 };
		last = p[i].out;
		start(pass, &p[i]);
	}
	s = span_begin();
	for (long i = 0, v; i < n / count; i++) {
		send(first, 0);
		if (!recv(last, &v) || v != count - 1)
			bad("a wrong value");
	}
	result_span("ns", &s, (double)(n / count * count));
}

static void *generate(void *arg)
{
	for (long i = 2;; i++)
		send(arg, i);
	return NULL;
}

/* One round only: its threads stay, and are not few. */
static void sieve(long n, long count)
{
	struct queue *q = queue_make(1);
	struct pipe *p = calloc((size_t)count, sizeof(*p));
	struct span s = span_begin();
	long prime = 0;

	(void)n;
	if (!p)
		bad("no memory");
	start(generate, q);
	for (long i = 0; i < count; i++) {
		recv(q, &prime);
		p[i] = (struct pipe){ .in = q, .out = queue_make(1), .prime = prime };
		q = p[i].out;
		start(pass, &p[i]);
	}
	result_span("ms", &s, 1);
	if (count == 1500 && prime != 12553)
		bad("a wrong prime");
}

struct call {
	long n, value;
};

struct shared {
	pthread_mutex_t lock;
	long n, each;
};

static void *add(void *arg)
{
	struct shared *s = arg;

	for (long i = 0; i < s->each; i++) {
		pthread_mutex_lock(&s->lock);
		s->n++;
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

static void mutex(long n, long count)
{
	struct shared shared = { .lock = PTHREAD_MUTEX_INITIALIZER, .each = n / count };
	pthread_t *all = threads(count);
	struct span s = span_begin();

	for (long i = 0; i < count; i++)
		all[i] = start(add, &shared);
	for (long i = 0; i < count; i++)
		join(all[i]);
	result_span("ns", &s, (double)(shared.each * count));
	if (shared.n != shared.each * count)
		bad("a wrong count");
}

static void *fib(void *arg)
{
	struct call *c = arg, left = { .n = c->n - 1 }, right = { .n = c->n - 2 };
	pthread_t t;

	if (c->n < 2) {
		c->value = c->n;
		return NULL;
	}
	t = start(fib, &left);
	fib(&right);
	join(t);
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
	ns = wall() - s.wall;
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
		send(me->out, me->first);
		return NULL;
	}
	in = queue_make(10);
	for (long i = 0; i < 10; i++) {
		child[i] = (struct node){ in, me->first + i * (me->leaves / 10), me->leaves / 10 };
		t[i] = start(node, &child[i]);
	}
	for (long i = 0; i < 10; i++)
		sum += recv(in, &v) ? v : 0;
	for (long i = 0; i < 10; i++)
		join(t[i]);
	free(in);
	send(me->out, sum);
	return NULL;
}

static void skynet(long n, long count)
{
	struct node root = { queue_make(1), 0, count };
	struct span s = span_begin();

	for (long i = 0, v = 0; i < n; i++) {
		pthread_t t = start(node, &root);

		if (!recv(root.out, &v) || v != count * (count - 1) / 2)
			bad("a wrong sum");
		join(t);
	}
	result_span("ms", &s, (double)n);
	result("peak_mb", status_kb("VmHWM:") / 1024);
}

static struct queue *hall;

static void *guest(void *arg)
{
	long v;

	pthread_barrier_wait(&gate);
	recv(hall, &v);
	return arg;
}

static void park(long n, long count)
{
	pthread_t *t = threads(count);
	double rss = status_kb("VmRSS:"), tables = status_kb("VmPTE:"), per = (double)count;
	struct span s;

	(void)n;
	hall = queue_make(1);
	pthread_barrier_init(&gate, NULL, (unsigned)count + 1);
	s = span_begin();
	for (long i = 0; i < count; i++)
		t[i] = start(guest, NULL);
	pthread_barrier_wait(&gate);
	result("create_ns", (wall() - s.wall) / per);
	result("bytes", (status_kb("VmRSS:") - rss) * 1024 / per);
	result("table_bytes", (status_kb("VmPTE:") - tables) * 1024 / per);
	s = span_begin();
	for (long i = 0; i < count; i++)
		send(hall, i);
	for (long i = 0; i < count; i++)
		join(t[i]);
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
	pthread_t *t = threads(count);
	struct span s = span_begin();

	rounds = n;
	for (long i = 0; i < count; i++)
		t[i] = start(sleeper, (void *)(uintptr_t)i);
	for (long i = 0; i < count; i++)
		join(t[i]);
	result("cpu_ms", (cpu() - s.cpu) / 1e6);
	result("wall_ms", (wall() - s.wall) / 1e6);
}

static const struct workload {
	const char *name;
	void (*run)(long n, long count);
	long n, count;
} workloads[] = {
	{ "yield2", yield, 1000000, 2 },
	{ "yield1000", yield, 500000, 1000 },
	{ "spawn1", spawn, 20000, 1 },
	{ "spawn1000", spawn, 20000, 1000 },
	{ "pingpong", pingpong, 20000, 2 },
	{ "buffered11", buffered, 4000000, 1 },
	{ "buffered44", buffered, 2000000, 4 },
	{ "ring", ring, 20000, 1000 },
	{ "sieve", sieve, 1, 300 },
	{ "mutex", mutex, 8000000, 8 },
	{ "fib", fork_join, 1, 16 },
	{ "skynet", skynet, 1, 10000 },
	{ "park", park, 1, 10000 },
	{ "sleep", sleepers, 5, 10000 },
};

/* The first `workers` of the CPUs this process may use. */
static void pin(int workers)
{
	cpu_set_t have, want;

	CPU_ZERO(&want);
	sched_getaffinity(0, sizeof(have), &have);
	for (int c = 0; c < CPU_SETSIZE && workers; c++) {
		if (CPU_ISSET(c, &have)) {
			CPU_SET(c, &want);
			workers--;
		}
	}
	sched_setaffinity(0, sizeof(want), &want);
}

int main(int argc, char **argv)
{
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	for (size_t i = 0; argc > 2 && i < sizeof(workloads) / sizeof(*workloads); i++) {
		const struct workload *w = &workloads[i];

		if (strcmp(argv[1], w->name))
			continue;
		pin(atoi(argv[2]));
		w->run(argc > 3 ? atol(argv[3]) : w->n, argc > 4 ? atol(argv[4]) : w->count);
		fflush(stdout);
		_Exit(0);
	}
	fprintf(stderr, "usage: bench WORKLOAD WORKERS [N [COUNT]]\n");
	return 2;
}
