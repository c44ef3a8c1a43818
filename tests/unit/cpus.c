/* cpus.c - how many CPUs: the affinity mask, lowered to the tightest cgroup quota, in both versions' files. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=open */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "os/os.h"

/* Files of the made-up system: /proc/self/cgroup and all of /sys/fs/cgroup come from here. */
static struct {
	const char *path, *text;
} files[8];

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	int fd[2];

	if (strcmp(path, "/proc/self/cgroup") != 0 && strncmp(path, "/sys/fs/cgroup", 14) != 0)
		return __real_open(path, flags);
	for (size_t i = 0; i < grt_countof(files); i++) {
		if (!files[i].path || strcmp(files[i].path, path) != 0)
			continue;
		if (pipe(fd))
			abort();
		if (write(fd[1], files[i].text, strlen(files[i].text)) < 0)
			abort();
		close(fd[1]);
		return fd[0];
	}
	errno = ENOENT;
	return -1;
}

static void file(int i, const char *path, const char *text)
{
	files[i].path = path;
	files[i].text = text;
}

static void no_files(void)
{
	memset(files, 0, sizeof(files));
}

static unsigned all;

static void affinity_counts(void)
{
	cpu_set_t old, one;
	int cpu = 0;

	no_files();
	CHECK_EQ(sched_getaffinity(0, sizeof(old), &old), 0);
	all = (unsigned)CPU_COUNT(&old);
	CHECK_EQ(grt_os_cpus(), all);
	while (!CPU_ISSET(cpu, &old))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	CHECK_EQ(grt_os_cpus(), 1);
	CHECK_EQ(sched_setaffinity(0, sizeof(old), &old), 0);
}

/* The machine may have one CPU only: what the quota gives is bounded by that. */
static void gives(unsigned quota)
{
	CHECK_EQ(grt_os_cpus(), quota < all ? quota : all);
}

static void version_2(void)
{
	no_files();
	file(0, "/proc/self/cgroup", "0::/a/b\n");
	gives(1000); /* no cpu.max anywhere */
	file(1, "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	gives(1000);
	file(1, "/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
	gives(1);
	file(1, "/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
	gives(2); /* rounded up */
	file(1, "/sys/fs/cgroup/a/b/cpu.max", "garbage\n");
	gives(1000);
	file(1, "/sys/fs/cgroup/a/b/cpu.max", "100000 0\n");
	gives(1000);
}

static void parent_may_be_tighter(void)
{
	no_files();
	file(0, "/proc/self/cgroup", "0::/a/b\n");
	file(1, "/sys/fs/cgroup/a/b/cpu.max", "900000 100000\n");
	file(2, "/sys/fs/cgroup/a/cpu.max", "100000 100000\n");
	gives(1);
	file(2, "/sys/fs/cgroup/a/cpu.max", "max 100000\n");
	file(3, "/sys/fs/cgroup/cpu.max", "60000 100000\n");
	gives(1);
}

static void version_1(void)
{
	no_files();
	file(0, "/proc/self/cgroup", "7:memory:/m\n5:cpu,cpuacct:/x\n3:cpuset:/y\n");
	file(1, "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
	file(2, "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
	gives(1000);
	file(1, "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "100000\n");
	gives(1);
	file(0, "/proc/self/cgroup", "3:cpuset:/x\n");
	gives(1000); /* another controller's group */
	file(0, "/proc/self/cgroup", "5:cpuacct,cpu:/x\n");
	gives(1);
}

static void odd_files_do_no_harm(void)
{
	static char longest[7000];

	no_files();
	file(0, "/proc/self/cgroup", "");
	gives(1000);
	file(0, "/proc/self/cgroup", "no colons here\n::\n0:\n");
	gives(1000);
	memset(longest, 'a', sizeof(longest) - 1);
	memcpy(longest, "0::/", 4);
	file(0, "/proc/self/cgroup", longest);
	gives(1000);
}

TEST_MAIN(TEST(affinity_counts), TEST(version_2), TEST(parent_may_be_tighter), TEST(version_1),
	  TEST(odd_files_do_no_harm))
