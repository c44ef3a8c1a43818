/* cpus.c - how many CPUs the process may use: its affinity, lowered to the tightest cgroup quota above it. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"

static unsigned affinity(void)
{
	/* the kernel refuses a mask smaller than its own: try larger ones */
	for (size_t cpus = 1024; cpus <= 1 << 16; cpus *= 4) {
		cpu_set_t *set = CPU_ALLOC(cpus);
		size_t size = CPU_ALLOC_SIZE(cpus);
		int n = 0;

		if (!set)
			break;
		if (!sched_getaffinity(0, size, set))
			n = CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (n > 0)
			return (unsigned)n;
	}

	long n = sysconf(_SC_NPROCESSORS_ONLN);

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
	return max > 0 && period > 0 ? (unsigned)((max + period - 1) / period) : UINT_MAX;
}

/* cgroup v2: "max 100000" or "150000 100000". */
static unsigned quota_v2(const char *dir)
{
	char path[PATH_MAX + 16], buf[64];
	long long max = 0, period = 0;

	snprintf(path, sizeof(path), "%s/cpu.max", dir);
	if (!slurp(path, buf, sizeof(buf)) || sscanf(buf, "%lld %lld", &max, &period) != 2)
		return UINT_MAX;
	return quota(max, period);
}

static unsigned quota_v1(const char *dir)
{
	char path[PATH_MAX + 32], q[32], p[32];

	snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", dir);
	if (!slurp(path, q, sizeof(q)))
		return UINT_MAX;
	snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", dir);
	if (!slurp(path, p, sizeof(p)))
		return UINT_MAX;
	return quota(atoll(q), atoll(p));
}

/* From the process's own group up to the root: a parent may be the tighter one. */
static unsigned tightest(const char *root, const char *group, unsigned (*of)(const char *))
{
	char dir[PATH_MAX];
	size_t rootlen = strlen(root);
	unsigned n = UINT_MAX;

	if (snprintf(dir, sizeof(dir), "%s%s", root, group) >= (int)sizeof(dir))
		return n;
	for (;;) {
		unsigned q = of(dir);
		char *slash = strrchr(dir, '/');

		n = q < n ? q : n;
		if (!slash || (size_t)(slash - dir) < rootlen)
			return n;
		*slash = '\0';
	}
}

static unsigned cgroup(void)
{
	char buf[8192], *save = NULL;
	unsigned n = UINT_MAX;

	if (!slurp("/proc/self/cgroup", buf, sizeof(buf)))
		return n;
	for (char *line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':'), *group = names ? strchr(names + 1, ':') : NULL;
		unsigned q = UINT_MAX;

		if (!group)
			continue;
		*group++ = '\0';
		names++;
		if (!*names)
			q = tightest("/sys/fs/cgroup", group, quota_v2);
		else if (!strcmp(names, "cpu") || !strncmp(names, "cpu,", 4) ||
			 strstr(names, ",cpu"))
			q = tightest("/sys/fs/cgroup/cpu", group, quota_v1);
		n = q < n ? q : n;
	}
	return n;
}

unsigned grt_os_cpus(void)
{
	unsigned n = affinity(), q = cgroup();

	return q < n ? q : n;
}
