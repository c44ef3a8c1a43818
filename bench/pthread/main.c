/* main.c - the workloads for plain threads: bench WORKLOAD WORKERS [N [COUNT]]; WORKERS is how many CPUs they get. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"

enum { STACK = 65536 };

static const struct workload *const all[] = { switch_workloads, chan_workloads, sync_workloads,
					      tree_workloads, mass_workloads };
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

struct span span_begin(void)
{
	return (struct span){ .cpu = cpu(), .wall = wall() };
}

double span_ns(const struct span *s)
{
	return wall() - s->wall;
}

void result(const char *name, double value)
{
	printf("R %s %.4f\n", name, value);
}

void result_span(const char *name, const struct span *s, double operations)
{
	double ns = wall() - s->wall, used = cpu() - s->cpu;

	result(name, ns / operations / (strcmp(name, "ms") ? 1 : 1e6));
	result("cpus", used / ns);
}

void result_cpu(const struct span *s)
{
	result("cpu_ms", (cpu() - s->cpu) / 1e6);
	result("wall_ms", span_ns(s) / 1e6);
}

double status_kb(const char *key)
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

void bad(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

void *zeroed(long n, size_t size)
{
	void *p = calloc((size_t)n, size);

	if (!p)
		bad("no memory");
	return p;
}

pthread_t thread_start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, &small, fn, arg))
		bad("no more threads");
	return t;
}

void thread_join(pthread_t t)
{
	pthread_join(t, NULL);
}

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

static const struct workload *find(const char *name)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		for (const struct workload *w = all[i]; w->name; w++)
			if (!strcmp(w->name, name))
				return w;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct workload *w = argc > 2 ? find(argv[1]) : NULL;

	if (!w) {
		fprintf(stderr, "usage: bench WORKLOAD WORKERS [N [COUNT]]\n");
		return 2;
	}
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	pin(atoi(argv[2]));
	w->run(argc > 3 ? atol(argv[3]) : w->n, argc > 4 ? atol(argv[4]) : w->count);
	fflush(stdout);
	_Exit(0);
}
