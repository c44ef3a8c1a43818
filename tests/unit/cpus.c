/* cpus.c - how many CPUs: the affinity mask, lowered to the tightest cgroup quota, in both versions' files. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=open,sched_getaffinity */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "os/os.h"

/* Files of the made-up system: what of /proc is read here, all of /sys/fs/cgroup and /made come from here. */
static struct {
	const char *path, *text;
} files[10];
static int opened; /* of these, and those that are not there */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

int __wrap_open(const char *path, int flags, ...)
{
	int fd[2];

	if (strcmp(path, "/proc/self/cgroup") != 0 && strcmp(path, "/proc/self/mountinfo") != 0 &&
	    !starts(path, "/sys/fs/cgroup") && !starts(path, "/made"))
		return __real_open(path, flags);
	opened++;
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

/* So many CPUs has the made-up system; 0: the one we are on. -1: the call is forbidden. */
static int cpus;

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	if (cpus < 0) {
		errno = EPERM;
		return -1;
	}
	if (!cpus)
		return __real_sched_getaffinity(pid, size, set);
	CPU_ZERO_S(size, set);
	for (int i = 0; i < cpus; i++)
		CPU_SET_S(3 * (size_t)i, size, set);
	return 0;
}

static void file(int i, const char *path, const char *text)
{
	files[i].path = path;
	files[i].text = text;
}

/* A system of 100 CPUs that has these. */
static void system_of(const char *cgroup, const char *mountinfo)
{
	memset(files, 0, sizeof(files));
	cpus = 100;
	if (cgroup)
		file(0, "/proc/self/cgroup", cgroup);
	if (mountinfo)
		file(1, "/proc/self/mountinfo", mountinfo);
}

static void affinity_counts(void)
{
	cpu_set_t old, one;
	int cpu = 0;

	system_of(NULL, NULL);
	cpus = 0;
	CHECK_EQ(sched_getaffinity(0, sizeof(old), &old), 0);
	CHECK_EQ(grt_os_cpus(), CPU_COUNT(&old));
	while (!CPU_ISSET(cpu, &old))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	CHECK_EQ(grt_os_cpus(), 1);
	CHECK_EQ(sched_setaffinity(0, sizeof(old), &old), 0);
	cpus = 5000;
	CHECK_EQ(grt_os_cpus(), 5000);
}

/* What may not be asked is taken from elsewhere. */
static void affinity_forbidden(void)
{
	system_of(NULL, NULL);
	cpus = -1;
	errno = 7;
	CHECK(grt_os_cpus() >= 1);
	CHECK_EQ(errno, 7);
}

static void gives(unsigned want)
{
	CHECK_EQ(grt_os_cpus(), want);
}

#define V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static void version_2(void)
{
	system_of("0::/a/b\n", V2);
	gives(100); /* no cpu.max anywhere */
	file(2, "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	gives(100);
	file(2, "/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
	gives(1);
	file(2, "/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
	gives(2); /* rounded up */
	file(2, "/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
	gives(3);
	file(2, "/sys/fs/cgroup/a/b/cpu.max", "garbage\n");
	gives(100);
	file(2, "/sys/fs/cgroup/a/b/cpu.max", "100000 0\n");
	gives(100);
	file(2, "/sys/fs/cgroup/a/b/cpu.max", "9223372036854775807 2\n");
	gives(100);
}

static void ancestors_may_be_tighter(void)
{
	system_of("0::/a/b\n", V2);
	file(2, "/sys/fs/cgroup/a/b/cpu.max", "900000 100000\n");
	file(3, "/sys/fs/cgroup/a/cpu.max", "400000 100000\n");
	gives(4);
	file(3, "/sys/fs/cgroup/a/cpu.max", "max 100000\n");
	file(4, "/sys/fs/cgroup/cpu.max", "600000 100000\n");
	gives(6);
	file(5, "/sys/fs/cpu.max", "100000 100000\n"); /* above the mount */
	file(6, "/cpu.max", "100000 100000\n");
	gives(6);
	file(0, "/proc/self/cgroup", "0::/a/b (deleted)\n");
	file(3, "/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
	gives(2);
}

static void version_1(void)
{
	system_of("7:memory:/m\n5:cpu,cpuacct:/x/y\n3:cpuset:/y\n",
		  "40 31 0:36 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		  "41 31 0:37 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
		  "42 31 0:38 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
	file(2, "/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us", "-1\n");
	file(3, "/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_period_us", "100000\n");
	gives(100);
	file(2, "/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us", "250000\n");
	gives(3);
	file(4, "/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "20000\n");
	file(5, "/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "10000\n");
	gives(2);
	file(0, "/proc/self/cgroup", "3:cpuset:/x/y\n2:cpuacct:/x/y\n");
	gives(100); /* other controllers' groups */
	file(0, "/proc/self/cgroup", "5:cpuacct,cpu:/x\n");
	gives(2);
	file(0, "/proc/self/cgroup", "5:mycpu,cpus:/x\n");
	gives(100);
}

/* systemd's: version 2 without controllers beside version 1. And the other way round, as some distributions had it. */
static void hybrid(void)
{
	system_of("4:cpu,cpuacct:/x\n1:name=systemd:/z\n0::/z\n",
		  "35 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		  "36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
	file(2, "/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "500000\n");
	file(3, "/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
	gives(5);
	file(4, "/sys/fs/cgroup/unified/z/cpu.max", "700000 100000\n");
	gives(5);
	file(4, "/sys/fs/cgroup/unified/z/cpu.max", "300000 100000\n");
	gives(3);
}

/* In a container of its own namespace the group is /, with the host's the mount's root says what to leave out. */
static void containers(void)
{
	system_of("0::/\n", V2);
	file(2, "/sys/fs/cgroup/cpu.max", "200000 100000\n");
	gives(2);
	system_of("4:cpu,cpuacct:/docker/12ab\n",
		  "90 80 0:33 /docker/12ab /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup "
		  "rw,cpu,cpuacct\n");
	file(2, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n");
	file(3, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
	gives(3);
	file(0, "/proc/self/cgroup", "4:cpu,cpuacct:/docker/12ab/in\n");
	file(4, "/sys/fs/cgroup/cpu,cpuacct/in/cpu.cfs_quota_us", "200000\n");
	file(5, "/sys/fs/cgroup/cpu,cpuacct/in/cpu.cfs_period_us", "100000\n");
	gives(2);
	file(0, "/proc/self/cgroup", "4:cpu,cpuacct:/docker/12abcd\n"); /* another's */
	file(4, "/sys/fs/cgroup/cpu,cpuacctcd/cpu.cfs_quota_us", "200000\n");
	file(5, "/sys/fs/cgroup/cpu,cpuacctcd/cpu.cfs_period_us", "100000\n");
	gives(100);
	system_of("0::/pod/c1\n", "90 80 0:33 /pod/c1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
	file(2, "/sys/fs/cgroup/cpu.max", "400000 100000\n");
	gives(4);
}

/* Groups that lie outside of the namespace, and mounts that were made outside. */
static void from_outside(void)
{
	system_of("0::/\n", "90 80 0:33 /../.. /made rw - cgroup2 cgroup rw\n");
	file(2, "/made/cpu.max", "400000 100000\n"); /* it is above us, whatever is between */
	gives(4);
	file(0, "/proc/self/cgroup", "0::/../x\n"); /* is it? */
	gives(100);
	system_of("0::/../x\n", "90 80 0:33 /.. /made rw - cgroup2 cgroup rw\n");
	file(2, "/made/x/cpu.max", "200000 100000\n");
	gives(2);
	system_of("0::/../x\n", "90 80 0:33 / /made/in rw - cgroup2 cgroup rw\n");
	file(2, "/made/x/cpu.max", "200000 100000\n"); /* not by going up from the mount */
	file(3, "/made/in/../x/cpu.max", "200000 100000\n");
	gives(100);
}

static void mounted_elsewhere(void)
{
	system_of("0::/a/b\n",
		  "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
		  "30 23 0:26 / /made/my\\040groups\\134 rw a:1 b:2 - cgroup2 none rw\n");
	file(2, "/made/my groups\\/a/b/cpu.max", "200000 100000\n");
	gives(2);
	/* of several the one that shows most, of equals the last */
	system_of("0::/a/b\n", "30 23 0:26 /a/b /made/own rw - cgroup2 none rw\n"
			       "31 23 0:26 /.. /made/up rw - cgroup2 none rw\n"
			       "32 23 0:26 / /made/old rw - cgroup2 none rw\n"
			       "33 23 0:26 / /made/all rw - cgroup2 none rw\n"
			       "34 23 0:26 /a /made/a rw - cgroup2 none rw\n"
			       "35 23 0:26 /c /made/c rw - cgroup2 none rw\n"
			       "36 23 0:26 / /made/no rw - cgroup none rw,cpuset\n");
	file(2, "/made/all/cpu.max", "500000 100000\n");
	file(3, "/made/all/a/b/cpu.max", "600000 100000\n");
	gives(5);
	/* the whole file system may be one, in a sandbox */
	system_of("0::/made\n", "30 23 0:26 / / rw - cgroup2 none rw\n");
	file(2, "/made/cpu.max", "300000 100000\n");
	gives(3);
}

static void no_mountinfo(void)
{
	system_of("5:cpu:/x\n0::/a\n", NULL);
	file(2, "/sys/fs/cgroup/a/cpu.max", "400000 100000\n");
	gives(4);
	file(3, "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "300000\n");
	file(4, "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
	gives(3);
	system_of(NULL, V2);
	file(2, "/sys/fs/cgroup/cpu.max", "400000 100000\n");
	gives(100);
}

static void odd_files_do_no_harm(void)
{
	static char longest[30000];
	const size_t buffer = sizeof(((struct os_cpus *)0)->text);

	system_of("", V2);
	gives(100);
	system_of("no colons here\n::\n0:\n", "\n1 2 3\n- - -\n1 2 3 / /x rw - cgroup2\n");
	gives(100);
	/* a group, and a line, that are too long */
	memset(longest, 'a', sizeof(longest) - 1);
	memcpy(longest, "0::/", 4);
	longest[4200] = '\0';
	system_of(longest, V2);
	gives(100);
	memset(longest, 'a', sizeof(longest) - 1);
	strcpy(longest + 2 * buffer, "30 23 0:26 / /made/up rw - cgroup2 none rw\n"
				     "31 23 0:26 / /made rw - cgroup2 none rw\n"
				     "32 23 0:26 / /tmp rw - tmpfs none rw\n");
	system_of("0::/a\n", longest);
	file(2, "/made/a/cpu.max", "400000 100000\n");
	file(3, "/made/up/a/cpu.max", "200000 100000\n");
	gives(4);
	strcpy(longest + 2 * buffer, "30 23 0:26 / /made/up rw - cgroup2 none rw\n");
	gives(100);
}

/* The second look costs less, and sees what has changed. */
static void again(void)
{
	static struct os_cpus c;
	int fds = test_fds(), n;

	system_of("0::/a\n", V2);
	file(2, "/sys/fs/cgroup/a/cpu.max", "400000 100000\n");
	CHECK_EQ(grt_os_cpus_again(&c), 4);
	opened = 0;
	file(2, "/sys/fs/cgroup/a/cpu.max", "500000 100000\n");
	CHECK_EQ(grt_os_cpus_again(&c), 5);
	CHECK_EQ(opened, 2); /* the group's and the root's */
	cpus = 3;
	CHECK_EQ(grt_os_cpus_again(&c), 3);
	cpus = 100;
	/* moved to another group */
	file(0, "/proc/self/cgroup", "0::/b\n");
	file(3, "/sys/fs/cgroup/b/cpu.max", "700000 100000\n");
	for (n = 0; n < 4 && grt_os_cpus_again(&c) != 7; n++)
		;
	CHECK(n < 4);
	/* mounted elsewhere */
	file(1, "/proc/self/mountinfo", "30 23 0:26 / /made rw - cgroup2 none rw\n");
	file(4, "/made/b/cpu.max", "800000 100000\n");
	for (n = 0; n < 32 && grt_os_cpus_again(&c) != 8; n++)
		;
	CHECK(n < 32);
	/* and nothing of it is left to see */
	system_of(NULL, NULL);
	for (n = 0; n < 4 && grt_os_cpus_again(&c) != 100; n++)
		;
	CHECK(n < 4);
	CHECK_EQ(test_fds(), fds);
}

TEST_MAIN(TEST(affinity_counts), TEST(affinity_forbidden), TEST(version_2),
	  TEST(ancestors_may_be_tighter), TEST(version_1), TEST(hybrid), TEST(containers),
	  TEST(from_outside), TEST(mounted_elsewhere), TEST(no_mountinfo),
	  TEST(odd_files_do_no_harm), TEST(again))
