/* sandbox.c - system calls that a seccomp filter refuses, from the start or later; and neither /proc nor /sys. */
/* SPDX-License-Identifier: MIT */
/* test: not=address,thread */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"
#include "test.h"

enum { MANY = 400, PIDFD_OPEN = 434, PROCESS_MADVISE = 440 };

static goru_waitgroup wg;
static _Atomic bool go_on;
static _Atomic int ran;

static goru_chan *c;

/* Blocks without telling, or computes, and calls now and then: either way it loses its P. */
static void keeps_it(bool computes)
{
	while (atomic_load(&go_on)) {
		if (!computes)
			usleep(200);
		for (volatile int i = 0; computes && i < 100000; i++)
			;
		CHECK_EQ(goru_chan_try_recv(c, NULL), -EAGAIN);
	}
	goru_waitgroup_done(&wg);
}

static void sleeps(void)
{
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	atomic_fetch_add(&ran, 1);
	goru_waitgroup_done(&wg);
}

static void ends_it(void)
{
	atomic_store(&go_on, false);
	goru_waitgroup_done(&wg);
}

/* One P: what it does shows that others get it, that stacks are had and given back, and that all come back. */
static void work(void)
{
	goru_stats st;

	if (!c)
		c = goru_chan_make(0, 0);
	atomic_store(&ran, 0);
	goru_waitgroup_add(&wg, MANY);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(go(sleeps), 0);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	CHECK_EQ(atomic_load(&ran), MANY);
	for (int i = 0; i < 2; i++) {
		atomic_store(&go_on, true);
		goru_waitgroup_add(&wg, 2);
		CHECK_EQ(go(keeps_it, i != 0), 0);
		CHECK_EQ(go(ends_it), 0);
		CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	}
	CHECK_EQ(goru_stats_get(&st), 0);
	UNTIL(test_alive() == 0);
}

static void start(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = 1;
	unsetenv("GORU_DEBUG");
	CHECK_EQ(goru_init(&cfg), 0);
}

static int refuse_with;

/* All that goru asks for and can do without. */
static bool refuse(void)
{
	return JAIL_REFUSE(refuse_with, SYS_membarrier, SYS_madvise, SYS_sched_getaffinity,
			   PIDFD_OPEN, PROCESS_MADVISE, SYS_munlock, SYS_mincore, SYS_sigaltstack,
			   SYS_prctl, SYS_sched_yield);
}

static void from_the_start(void)
{
	if (!refuse())
		return;
	unsetenv("GORU_PROCS");
	CHECK(goru_procs() >= 1);
	start();
	work();
	CHECK_EQ(goru_set_procs(4), 0);
	work();
	CHECK_EQ(goru_shutdown(), 0);
}

static void later(void)
{
	start();
	work();
	if (!refuse())
		return;
	work();
	CHECK_EQ(goru_set_procs(4), 0);
	work();
	CHECK_EQ(goru_shutdown(), 0);
	from_the_start();
}

static void refused(void)
{
	static const int errors[] = { EPERM, ENOSYS };

	if (test_emulated()) {
		jail_skipped("no filter under an emulator");
		return;
	}
	for (int i = 0; i < 2; i++) {
		refuse_with = errors[i];
		CHECK_LIVES(from_the_start, "");
		CHECK_LIVES(later, "");
	}
}

static __attribute__((noinline)) int deeper(int n)
{
	volatile char use[400];

	use[0] = (char)n;
	return n < 0 ? 0 : deeper(n + 1) + use[0];
}

static void overflows(void *arg)
{
	(void)arg;
	deeper(0);
}

static void overflow_without_advice(void)
{
	if (!JAIL_REFUSE(EPERM, SYS_madvise, PROCESS_MADVISE))
		abort();
	start();
	CHECK_EQ(goru_go(overflows, NULL), 0);
	pause();
}

static void overflow_is_named(void)
{
	if (!test_emulated())
		CHECK_DIES(overflow_without_advice,
			   "goru: fatal: stack overflow in goroutine 1, 262144-byte stack");
}

/* An empty directory over both, where we may; else no file can be opened at all, which is more than that. */
static bool nothing_there(void)
{
	if (!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    !mount("none", "/proc", "tmpfs", MS_RDONLY, NULL) &&
	    !mount("none", "/sys", "tmpfs", MS_RDONLY, NULL))
		return access("/proc/self", F_OK) != 0;
	return false;
}

static void works_without_files(void)
{
	unsetenv("GORU_PROCS");
	CHECK(goru_procs() >= 1);
	start();
	work();
	CHECK_EQ(goru_shutdown(), 0);
}

static void empty(void)
{
	if (nothing_there())
		works_without_files();
	else
		jail_skipped("nothing can be mounted here");
}

static void no_files(void)
{
	if (JAIL_REFUSE(EACCES,
#ifdef SYS_open
			SYS_open, SYS_stat,
#endif
			SYS_openat, SYS_newfstatat, SYS_statx))
		works_without_files();
}

static void no_proc(void)
{
	if (test_emulated())
		return;
	CHECK_LIVES(empty, "");
	CHECK_LIVES(no_files, "");
}

TEST_MAIN(TEST(refused), TEST(overflow_is_named), TEST(no_proc))
