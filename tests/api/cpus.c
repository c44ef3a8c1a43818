/* cpus.c - the default of procs, and that it follows: the affinity of the threads, and a real control group's quota. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dirent.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail.h"
#include "test.h"

static _Atomic bool go_on;

/* Always running: while all is idle, or all that there is has blocked for long, nobody looks. */
static void computes(void *arg)
{
	(void)arg;
	while (atomic_load(&go_on))
		goru_yield();
}

static void busy(void)
{
	atomic_store(&go_on, true);
	CHECK_EQ(goru_go(computes, NULL), 0);
}

static void end(void)
{
	atomic_store(&go_on, false);
	UNTIL(test_alive() == 0);
	CHECK_EQ(goru_shutdown(), 0);
}

static cpu_set_t all, one;

/* As `taskset -a -p` does it. */
static void pin(const cpu_set_t *set)
{
	DIR *d = opendir("/proc/self/task");

	CHECK(d != NULL);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.')
			CHECK(!sched_setaffinity(atoi(e->d_name), sizeof(*set), set) ||
			      errno == ESRCH); /* it has ended */
	if (d)
		closedir(d);
}

static bool two_cpus(void)
{
	int cpu = 0;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return CPU_COUNT(&all) > 1;
}

/* The default: a look a second. Half of what there is may be a quota's. */
static void follows_affinity(void)
{
	unsigned n;

	unsetenv("GORU_PROCS");
	unsetenv("GORU_DEBUG");
	n = goru_procs();
	CHECK(n >= 1 && n <= (unsigned)CPU_COUNT(&all));
	busy();
	CHECK_EQ(goru_procs(), n);
	/* again and again: a thread may be made meanwhile by one that is not yet */
	UNTIL((pin(&one), goru_procs() == 1));
	UNTIL((pin(&all), goru_procs() == n));
	/* a thread of the program's that pins itself has nothing to do with it */
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	sleep(2);
	CHECK_EQ(goru_procs(), n);
	end();
	/* but for one who starts the runtime, whose threads are pinned as it is */
	busy();
	CHECK_EQ(goru_procs(), 1);
	end();
}

static void affinity(void)
{
	if (test_emulated() || !two_cpus()) {
		jail_skipped("one CPU only, or an emulator's threads");
		return;
	}
	CHECK_LIVES(follows_affinity, "");
}

static struct cgroup group;

static void quota(int percent)
{
	char text[64];

	snprintf(text, sizeof(text), group.v2 ? "%d 100000" : "%d", percent * 1000);
	CHECK(cgroup_write(&group, group.v2 ? "cpu.max" : "cpu.cfs_quota_us", text));
}

static void follows_quota(void)
{
	unsigned n;

	unsetenv("GORU_PROCS");
	setenv("GORU_DEBUG", "follow=20", 1);
	n = goru_procs();
	CHECK_EQ(goru_init(NULL), 0);
	busy();
	CHECK(cgroup_enter(&group)); /* moved there while it runs, with all its threads */
	UNTIL(goru_procs() == 1);
	quota((int)n * 100);
	UNTIL(goru_procs() == n);
	quota(90);
	UNTIL(goru_procs() == 1);
	end();
	/* and at the start */
	CHECK_EQ(goru_procs(), 1);
	quota((int)n * 100 - 50);
	CHECK_EQ(goru_procs(), n);
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_procs(), n);
	CHECK_EQ(goru_shutdown(), 0);
}

static void a_real_group(void)
{
	if (test_emulated() || !two_cpus()) {
		jail_skipped("one CPU only, or an emulator's threads");
		return;
	}
	if (!cgroup_make(&group, "cpu", "cpu.max", "cpu.cfs_quota_us"))
		return;
	quota(90);
	CHECK_LIVES(follows_quota, "");
	cgroup_remove(&group);
}

TEST_MAIN(TEST(affinity), TEST(a_real_group))
