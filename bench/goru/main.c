/* main.c - runs one workload: bench WORKLOAD WORKERS [N [COUNT]]. */
/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const struct workload *const all[] = { switch_workloads, chan_workloads, sync_workloads,
					      tree_workloads, mass_workloads };
static const struct workload *chosen;
static long n, count;

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

double span_cpu_ns(const struct span *s)
{
	return cpu() - s->cpu;
}

void result(const char *name, double value)
{
	printf("R %s %.4f\n", name, value);
}

void result_span(const char *name, const struct span *s, double operations)
{
	double ns = span_ns(s), used = cpu() - s->cpu;

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

void wait_for(goru_waitgroup *wg)
{
	if (goru_waitgroup_wait(wg) < 0)
		bad("a wait failed");
}

static void run(void *arg)
{
	(void)arg;
	chosen->run(n, count);
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
	goru_config config = GORU_CONFIG_INIT;

	chosen = argc > 2 ? find(argv[1]) : NULL;
	if (!chosen) {
		fprintf(stderr, "usage: bench WORKLOAD WORKERS [N [COUNT]]\n");
		return 2;
	}
	config.procs = (unsigned)strtoul(argv[2], NULL, 10);
	config.flags = GORU_CONFIG_SPAWN_FATAL;
	n = argc > 3 ? strtol(argv[3], NULL, 10) : chosen->n;
	count = argc > 4 ? strtol(argv[4], NULL, 10) : chosen->count;
	if (goru_init(&config) < 0 || goru_run(run, NULL) < 0)
		return 1;
	fflush(stdout);
	/* what still waits ends with the process */
	_Exit(0);
}
