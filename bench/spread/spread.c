/* spread.c - eight goroutines that compute, started by one that then waits: how soon the other workers help. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

enum { TASKS = 8, ROUNDS = 200 };

static goru_waitgroup wg;
static int64_t work;

static void task(void)
{
	int64_t end = goru_in(work);

	while (goru_now() < end)
		;
	goru_waitgroup_done(&wg);
}

static int64_t batch(void)
{
	int64_t from = goru_now();

	goru_waitgroup_add(&wg, TASKS);
	for (int i = 0; i < TASKS; i++)
		if (go(task) < 0)
			exit(1);
	if (goru_waitgroup_wait(&wg) < 0)
		exit(1);
	return goru_now() - from;
}

static int less(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void rounds(void *arg)
{
	static int64_t took[ROUNDS];
	int64_t pause = *(const int64_t *)arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (pause && goru_sleep(pause) < 0)
			exit(1);
		took[i] = batch();
	}
	qsort(took, ROUNDS, sizeof(*took), less);
	printf("R p50_us %.1f\nR p90_us %.1f\nR p99_us %.1f\n", (double)took[ROUNDS / 2] / 1e3,
	       (double)took[ROUNDS * 9 / 10] / 1e3, (double)took[ROUNDS * 99 / 100] / 1e3);
}

int main(int argc, char **argv)
{
	goru_config config = GORU_CONFIG_INIT;
	int64_t pause;

	if (argc != 4) {
		fprintf(stderr, "usage: spread WORKERS MICROSECONDS-A-TASK MICROSECONDS-BETWEEN\n");
		return 2;
	}
	config.procs = (unsigned)strtoul(argv[1], NULL, 10);
	work = strtol(argv[2], NULL, 10) * GORU_USEC;
	pause = strtol(argv[3], NULL, 10) * GORU_USEC;
	return goru_init(&config) < 0 || goru_run(rounds, &pause) < 0;
}
