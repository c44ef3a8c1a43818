/* fork.c - what fork, posix_spawn and their likes cost beside N parked goroutines: fork N; see ../README.md. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <goru.h>
#include <goru/spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15 };

static goru_waitgroup begun;
static goru_chan *woken;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

/* Parked; woken it writes to its stack. */
static void waits(void)
{
	while (goru_chan_recv(woken, NULL) > 0)
		goru_waitgroup_done(&begun);
}

/* For what waking them costs when nobody has forked. */
static pid_t by_nothing(void)
{
	return 0;
}

static pid_t by_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid;
}

static pid_t by_vfork(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	return pid;
}

static pid_t by_spawn(void)
{
	static char name[] = "true";
	char *argv[] = { name, NULL }, *none[] = { NULL };
	pid_t pid = -1;

	must(goru_posix_spawn(&pid, "/bin/true", NULL, NULL, argv, none) == 0, "posix_spawn");
	return pid;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *v)
{
	qsort(v, ROUNDS, sizeof(*v), ascending);
	return v[ROUNDS / 2];
}

/* CPU time, as other programs may run beside us: the process's own, or its children's. */
static int64_t used(bool children)
{
	struct rusage u;
	struct timespec t;

	if (!children) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
		return t.tv_sec * GORU_SEC + t.tv_nsec;
	}
	getrusage(RUSAGE_CHILDREN, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * GORU_SEC +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * GORU_USEC;
}

/* The call; the child's life and end; then all goroutines once, which find their pages shared with a child that was. */
static void measure(const char *name, pid_t (*make)(void), long n)
{
	static int64_t call[ROUNDS], child[ROUNDS], after[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		int64_t t = used(false), c = used(true);
		pid_t pid = make();

		call[i] = used(false) - t;
		must(pid >= 0, name);
		must(!pid || waitpid(pid, NULL, 0) == pid, "waitpid");
		child[i] = used(true) - c;
		t = used(false);
		goru_waitgroup_add(&begun, (int)n);
		for (long k = 0; k < n; k++)
			must(goru_chan_send(woken, NULL) == 0, "send");
		must(goru_waitgroup_wait(&begun) == 0, "wait");
		after[i] = used(false) - t;
	}
	printf("%-12s %8ld %10.3f %10.3f %10.1f\n", name, n, (double)median(call) / 1e6,
	       (double)median(child) / 1e6, n ? (double)median(after) / (double)n : 0.);
}

static void all(void *arg)
{
	long n = *(long *)arg;

	for (long i = 0; i < n; i++)
		must(go(waits) == 0, "go");
	measure("nothing", by_nothing, n);
	measure("fork", by_fork, n);
	measure("vfork", by_vfork, n);
	measure("posix_spawn", by_spawn, n);
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;

	woken = goru_chan_make(0, 0);
	must(goru_run(all, &n) == 0, "goru_run");
	return 0;
}
