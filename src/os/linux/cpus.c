/* cpus.c - how many CPUs the process may use: its affinity, lowered to the tightest cgroup quota above it. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"

/* What is looked at only now and then is what takes a lock of the whole system. */
enum {
	GROUPS_EVERY = 4, /* looks: the process may have been moved to another group */
	MOUNTS_EVERY = 32,
};

/* Of the calling thread: who starts the runtime, and then the monitor, who makes the other workers. */
static unsigned affinity(struct os_cpus *c)
{
	cpu_set_t *set = (cpu_set_t *)(void *)c->text; /* for more CPUs than Linux can have */
	long n;

	if (!sched_getaffinity(0, sizeof(c->text), set)) {
		n = CPU_COUNT_S(sizeof(c->text), set);
		if (n > 0)
			return (unsigned)n;
	}
	n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}

static bool slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

static unsigned quota(long long max, long long period)
{
	long long n;

	if (max <= 0 || period <= 0)
		return UINT_MAX;
	n = max / period + (max % period != 0);
	return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

/* dir with the name of one of its files behind it, until it is cut off again; false: there is no room. */
static bool slurp_in(char *dir, size_t len, const char *name, char *buf, size_t size)
{
	bool ok = len + strlen(name) < GRT_OS_PATH;

	if (ok) {
		strcpy(dir + len, name);
		ok = slurp(dir, buf, size);
		dir[len] = '\0';
	}
	return ok;
}

/* cgroup v2: "max 100000" or "150000 100000". */
static unsigned quota_v2(char *dir, size_t len)
{
	char buf[64];
	long long max = 0, period = 0;

	if (!slurp_in(dir, len, "/cpu.max", buf, sizeof(buf)) ||
	    sscanf(buf, "%lld %lld", &max, &period) != 2)
		return UINT_MAX;
	return quota(max, period);
}

static unsigned quota_v1(char *dir, size_t len)
{
	char q[32], p[32];

	if (!slurp_in(dir, len, "/cpu.cfs_quota_us", q, sizeof(q)) || atoll(q) <= 0 ||
	    !slurp_in(dir, len, "/cpu.cfs_period_us", p, sizeof(p)))
		return UINT_MAX;
	return quota(atoll(q), atoll(p));
}

/* From the process's own group up to the mount's root: one above may be the tighter. */
static unsigned tightest(struct os_cpus *c, const struct os_cgroup *g,
			 unsigned (*of)(char *dir, size_t len))
{
	size_t len = strlen(g->dir);
	unsigned n = UINT_MAX;

	if (!len)
		return n;
	memcpy(c->text, g->dir, len + 1);
	for (;;) {
		unsigned q = of(c->text, len);

		n = q < n ? q : n;
		while (len > g->top && c->text[len - 1] != '/')
			len--;
		if (len <= g->top)
			return n;
		c->text[--len] = '\0';
	}
}

unsigned grt_os_cpus_again(struct os_cpus *c)
{
	int saved = errno;
	unsigned n = affinity(c), q;

	if (c->looks % GROUPS_EVERY == 0)
		grt_os_cgroups(c, c->looks % MOUNTS_EVERY == 0);
	c->looks++;
	q = tightest(c, &c->v2, quota_v2);
	n = q < n ? q : n;
	q = tightest(c, &c->v1, quota_v1);
	n = q < n ? q : n;
	errno = saved;
	return n;
}

unsigned grt_os_cpus(void)
{
	void *c; /* too much for a small stack */
	unsigned n;

	if (grt_os_map(sizeof(struct os_cpus), &c) < 0)
		return 1;
	n = grt_os_cpus_again(c);
	grt_os_unmap(c, sizeof(struct os_cpus));
	return n;
}
