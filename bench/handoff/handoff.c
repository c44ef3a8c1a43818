/* handoff.c - how long others wait for one that blocks or computes: handoff CASE WORKERS [ROUNDS]; see ../README.md. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <fcntl.h>
#include <goru.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STUCK_MS = 30, DUE_MS = 3, MOST = 10000 };

static int64_t ready[MOST], due[MOST];
static int pipe_fd[2], lock_a, lock_b;
static sem_t sem, begin;
static long rounds = 100, n;
static goru_chan *naps;
static goru_waitgroup asleep, done;

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

/* Ends what blocks, from a thread of its own. */
static void *releaser(void *arg)
{
	for (;;) {
		while (sem_wait(&begin))
			;
		usleep(STUCK_MS * 1000);
		must(write(pipe_fd[1], "x", 1) == 1, "write");
		must(flock(lock_a, LOCK_UN) == 0, "flock");
		must(sem_post(&sem) == 0, "sem_post");
	}
	return arg;
}

static void by_usleep(void)
{
	usleep(STUCK_MS * 1000);
}

static void by_read(void)
{
	char b;

	must(read(pipe_fd[0], &b, 1) == 1, "read");
}

static void by_flock(void)
{
	must(flock(lock_b, LOCK_EX) == 0, "flock");
	must(flock(lock_b, LOCK_UN) == 0, "flock");
}

static void by_sem_wait(void)
{
	must(sem_wait(&sem) == 0, "sem_wait");
}

static void by_waitpid(void)
{
	pid_t child = fork();

	if (!child) {
		usleep(STUCK_MS * 1000);
		_exit(0);
	}
	must(waitpid(child, NULL, 0) == child, "waitpid");
}

/* Between two looks at the clock nothing of goru runs. */
static void by_loop(void)
{
	struct timespec t;
	int64_t end = goru_in(STUCK_MS * GORU_MSEC);

	do
		clock_gettime(CLOCK_MONOTONIC, &t);
	while ((int64_t)t.tv_sec * GORU_SEC + t.tv_nsec < end);
}

static const struct {
	const char *name;
	void (*block)(void);
} cases[] = { { "usleep", by_usleep },	   { "read", by_read },	      { "flock", by_flock },
	      { "sem_wait", by_sem_wait }, { "waitpid", by_waitpid }, { "loop", by_loop } };
static void (*block)(void);

/* One of them is made ready right before. */
static void readied(int64_t at)
{
	ready[n] = goru_now() - at;
	goru_waitgroup_done(&done);
}

/* The other one's sleep ends in the middle. */
static void sleeper(void)
{
	int64_t at;

	while (goru_chan_recv(naps, &at) > 0) {
		goru_waitgroup_done(&asleep);
		goru_sleep_until(at);
		due[n] = goru_now() - at;
		goru_waitgroup_done(&done);
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void report(const char *name, int64_t *late)
{
	long k = 0;

	qsort(late, (size_t)rounds, sizeof(*late), by_value);
	printf("R %s_p50 %.0f\nR %s_p90 %.0f\nR %s_max %.0f\n", name,
	       (double)late[rounds / 2] / 1e3, name, (double)late[rounds * 9 / 10] / 1e3, name,
	       (double)late[rounds - 1] / 1e3);
	/* less than so many us: how many */
	for (int64_t us = 1; k < rounds; us *= 2) {
		long from = k;

		while (k < rounds && late[k] < us * 1000)
			k++;
		if (k > from)
			printf("H %s %lld %ld\n", name, (long long)us, k - from);
	}
}

/* What releases would stay over from a round that did not need it. */
static void drain(void)
{
	char b;

	if (block != by_read)
		must(read(pipe_fd[0], &b, 1) == 1, "read");
	if (block != by_sem_wait)
		must(sem_wait(&sem) == 0, "sem_wait");
}

static void run(void *arg)
{
	(void)arg;
	for (n = 0; n < rounds; n++) {
		int64_t at = goru_in(DUE_MS * GORU_MSEC);

		must(flock(lock_a, LOCK_EX) == 0, "flock");
		goru_waitgroup_add(&done, 2);
		goru_waitgroup_add(&asleep, 1);
		goru_chan_send(naps, &at);
		goru_waitgroup_wait(&asleep);
		goru_yield();
		must(sem_post(&begin) == 0, "sem_post");
		go(readied, goru_now());
		block();
		goru_waitgroup_wait(&done);
		goru_blocking(drain());
		goru_sleep(2 * GORU_MSEC);
	}
	report("ready", ready);
	report("due", due);
}

int main(int argc, char **argv)
{
	goru_config config = GORU_CONFIG_INIT;
	char name[] = "/tmp/goru-handoff-XXXXXX";
	pthread_t t;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases) && argc >= 3; i++)
		if (!strcmp(cases[i].name, argv[1]))
			block = cases[i].block;
	config.procs = block ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	rounds = argc > 3 ? strtol(argv[3], NULL, 10) : rounds;
	if (!config.procs || rounds < 1 || rounds > MOST) {
		fprintf(stderr,
			"usage: handoff usleep|read|flock|sem_wait|waitpid|loop WORKERS [ROUNDS]\n");
		return 2;
	}
	lock_a = mkstemp(name);
	lock_b = open(name, O_RDWR);
	must(lock_a >= 0 && lock_b >= 0 && unlink(name) == 0, "mkstemp");
	must(pipe(pipe_fd) == 0 && sem_init(&sem, 0, 0) == 0 && sem_init(&begin, 0, 0) == 0,
	     "pipe");
	must(pthread_create(&t, NULL, releaser, NULL) == 0, "pthread_create");
	config.flags = GORU_CONFIG_SPAWN_FATAL;
	if (goru_init(&config) < 0)
		return 1;
	naps = goru_chan_make(sizeof(int64_t), 0);
	if (go(sleeper) < 0 || goru_run(run, NULL) < 0)
		return 1;
	fflush(stdout);
	_Exit(0);
}
