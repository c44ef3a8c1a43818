/* lateness.c - how much later than asked for sleepers wake and timers go off: lateness CASE WORKERS; see ../README.md. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const struct load {
	const char *name;
	long sleepers, naps;
	int64_t least, most; /* ns */
	long turns, hogs;    /* goroutines for each worker that yield every 20 us; that never do */
} loads[] = {
	{ "one", 1, 1000, 1000000, 3000000, 0, 0 },
	{ "few", 100, 200, 1000000, 20000000, 0, 0 },
	{ "many", 10000, 20, 1000000, 100000000, 0, 0 },
	{ "turns", 100, 200, 1000000, 20000000, 4, 0 },
	{ "hog", 100, 200, 1000000, 20000000, 0, 1 },
};

static const struct load *load;
static bool timers; /* not goroutines that sleep, but timers whose functions start them again */
static int64_t *late;
static long workers;
static goru_waitgroup asleep, busy;
static _Atomic int ended;

/* When the next nap ends. */
static int64_t next(uint64_t *x)
{
	*x = *x * 6364136223846793005u + 1442695040888963407u;
	return goru_in(load->least + (int64_t)((*x >> 20) % (uint64_t)(load->most - load->least)));
}

static uint64_t seed(long i)
{
	return (uint64_t)i * 2654435761u + 12345;
}

static void sleeper(long i)
{
	uint64_t x = seed(i);

	for (long k = 0; k < load->naps; k++) {
		int64_t due = next(&x);

		if (goru_sleep_until(due) < 0)
			abort();
		late[i * load->naps + k] = goru_now() - due;
	}
	goru_waitgroup_done(&asleep);
}

struct alarm_clock {
	goru_timer timer;
	int64_t due, *late;
	long naps;
	uint64_t x;
};

static void rings(void *arg)
{
	struct alarm_clock *a = arg;

	if (a->due)
		*a->late++ = goru_now() - a->due;
	if (a->naps-- == 0) {
		free(a);
		goru_waitgroup_done(&asleep);
		return;
	}
	a->due = next(&a->x);
	if (goru_timer_start(&a->timer, a->due, 0, rings, a) < 0)
		abort();
}

static void set_clock(long i)
{
	struct alarm_clock *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->late = late + i * load->naps;
	a->naps = load->naps;
	a->x = seed(i);
	rings(a);
}

static void work(int64_t ns)
{
	for (int64_t end = goru_in(ns); goru_now() < end && !ended;)
		;
}

static void turner(void)
{
	for (; !ended; goru_yield())
		work(20000);
	goru_waitgroup_done(&busy);
}

/* The program's own code only: between two looks at the clock nothing of goru runs. */
static void hog(void)
{
	struct timespec t;

	while (!ended)
		clock_gettime(CLOCK_MONOTONIC, &t);
	goru_waitgroup_done(&busy);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static void report(double cpu)
{
	static const struct {
		const char *name;
		double share;
	} at[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };
	long n = load->sleepers * load->naps, k = 0;

	qsort(late, (size_t)n, sizeof(*late), by_value);
	printf("R min_us %.1f\n", (double)late[0] / 1e3);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		printf("R %s_us %.1f\n", at[i].name,
		       (double)late[(long)(at[i].share * (double)n)] / 1e3);
	printf("R max_us %.1f\nR cpu_ms %.1f\n", (double)late[n - 1] / 1e3, cpu);
	/* less than so many us: how many */
	for (int64_t us = 1; k < n; us *= 2) {
		long from = k;

		while (k < n && late[k] < us * 1000)
			k++;
		if (k > from)
			printf("H %lld %ld\n", (long long)us, k - from);
	}
}

static void wait_for(goru_waitgroup *wg)
{
	if (goru_waitgroup_wait(wg) < 0)
		abort();
}

static void run(void *arg)
{
	double cpu = cpu_ms();

	(void)arg;
	goru_waitgroup_add(&asleep, (int)load->sleepers);
	goru_waitgroup_add(&busy, (int)(load->turns * workers + load->hogs));
	for (long i = 0; i < load->turns * workers; i++)
		go(turner);
	for (long i = 0; i < load->hogs; i++)
		go(hog);
	for (long i = 0; i < load->sleepers; i++)
		if (timers)
			set_clock(i);
		else
			go(sleeper, i);
	wait_for(&asleep);
	ended = 1;
	cpu = cpu_ms() - cpu;
	wait_for(&busy);
	report(cpu);
}

int main(int argc, char **argv)
{
	goru_config config = GORU_CONFIG_INIT;

	timers = argc == 3 && !strncmp(argv[1], "timers-", 7);
	for (size_t i = 0; i < sizeof(loads) / sizeof(*loads) && argc == 3; i++)
		if (!strcmp(loads[i].name, argv[1] + (timers ? 7 : 0)))
			load = &loads[i];
	workers = load ? strtol(argv[2], NULL, 10) : 0;
	if (workers < 1) {
		fprintf(stderr, "usage: lateness [timers-]one|few|many|turns|hog WORKERS\n");
		return 2;
	}
	late = calloc((size_t)(load->sleepers * load->naps), sizeof(*late));
	if (!late)
		return 1;
	memset(late, 1,
	       (size_t)(load->sleepers * load->naps) * sizeof(*late)); /* no page fault later */
	config.procs = (unsigned)workers;
	config.flags = GORU_CONFIG_SPAWN_FATAL;
	if (goru_init(&config) < 0 || goru_run(run, NULL) < 0)
		return 1;
	fflush(stdout);
	_Exit(0);
}
