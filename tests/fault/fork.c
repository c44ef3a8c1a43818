/* fork.c - forks that cannot be heard of: no start then, rather than a child that does not know what it is. */
/* SPDX-License-Identifier: MIT */
/* The child starts threads: as in tests/api/fork.c. */
/* test: wrap=grt_os_at_fork not=address,thread,cross */
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

int __real_grt_os_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void));
int __wrap_grt_os_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void));

static int asked;

/* When the program is loaded, and once more. */
int __wrap_grt_os_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
	return asked++ < 2 ? -ENOMEM : __real_grt_os_at_fork(before, parent, child);
}

static void in_child(void *arg)
{
	int *status = arg;
	pid_t pid = fork();

	if (pid == 0)
		_exit(goru_init(NULL) ? 1 : 0); /* -EALREADY: it takes itself for the parent */
	CHECK_EQ(goru_blocking_sys(waitpid(pid, status, 0)), pid);
}

static void refused(void)
{
	int status = -1;

	CHECK_EQ(asked, 1);
	CHECK_EQ(goru_init(NULL), -ENOMEM);
	CHECK_EQ(asked, 2);
	CHECK_EQ(goru_run(in_child, &status), 0);
	CHECK_EQ(asked, 3);
	CHECK_EQ(status, 0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(asked, 3); /* not again: the child would begin twice */
}

TEST_MAIN(TEST(refused))
