/* forks.c - children of a process in which goru has run. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "forks.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void fork_exit(int status)
{
	_exit(test_failures() ? 99 : status);
}

static void in_child(void (*fn)(void), int err)
{
	static const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	dup2(err, STDERR_FILENO);
	signal(SIGABRT, SIG_DFL);
	fn();
	fork_exit(0);
}

void fork_ends(void (*fn)(void), struct fork_end *e)
{
	size_t len = 0;
	ssize_t n;
	int fd[2];
	pid_t pid;

	CHECK_EQ(pipe(fd), 0);
	pid = fork();
	if (pid == 0)
		in_child(fn, fd[1]);
	CHECK(pid > 0);
	close(fd[1]);
	while ((n = read(fd[0], e->err + len, sizeof(e->err) - 1 - len)) > 0)
		len += (size_t)n;
	e->err[len] = '\0';
	close(fd[0]);
	CHECK_EQ(waitpid(pid, &e->status, 0), pid);
}

void fork_lives(void (*fn)(void))
{
	struct fork_end e;

	fork_ends(fn, &e);
	if (!CHECK_EQ(e.status, 0))
		fprintf(stderr, "%s", e.err);
}

static goru_waitgroup all;
static _Atomic int ran;

static void one_more(goru_chan *to)
{
	int64_t n = ++ran;

	goru_sleep(1);
	goru_chan_send(to, &n);
	goru_waitgroup_done(&all);
}

void fork_uses_goru(void)
{
	goru_chan *to = goru_chan_make(sizeof(int64_t), 0);
	int64_t v;

	all = (goru_waitgroup)GORU_WAITGROUP_INIT;
	goru_waitgroup_add(&all, 20);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(go(one_more, to), 0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(goru_chan_recv(to, &v), 1);
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
	goru_chan_unref(to);
}
