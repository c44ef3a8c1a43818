/* threads.c - no further thread: RLIMIT_NPROC, pids.max, a filter; and stacks of threads that are tiny or without limit. */
/* SPDX-License-Identifier: MIT */
/* test: not=address,thread */
#define _GNU_SOURCE
#include <grp.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"
#include "test.h"

static const char line[] =
	"goru: no further thread can be made (a system limit); blocked goroutines hold "
	"others up until one is free\n";

static goru_waitgroup wg;
static _Atomic bool go_on;
static _Atomic int ran;

static void init(unsigned procs, int want)
{
	goru_config cfg = GORU_CONFIG_INIT;

	unsetenv("GORU_DEBUG");
	cfg.procs = procs;
	CHECK_EQ(goru_init(&cfg), want);
}

/* Blocks without telling. */
static void blocks(void)
{
	atomic_fetch_add(&ran, 1);
	while (atomic_load(&go_on))
		usleep(200);
	goru_waitgroup_done(&wg);
}

static void locks(void)
{
	CHECK_EQ(goru_lock_thread(), -EAGAIN);
	goru_waitgroup_done(&wg);
}

static void runs(int n)
{
	for (int i = 0; i < n; i++)
		goru_yield();
	goru_waitgroup_done(&wg);
}

/* In force is a limit that leaves one worker. Whoever blocks holds the others up, which is said; nobody is lost, and when
 * it is gone they go on beside him. */
static void one_worker(void (*lift)(void))
{
	test_capture_begin();
	goru_waitgroup_add(&wg, 101);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(go(runs, i), 0);
	CHECK_EQ(go(locks), 0);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	atomic_store(&go_on, true);
	goru_waitgroup_add(&wg, 2);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(go(blocks), 0);
	UNTIL(*test_captured() && atomic_load(&ran));
	usleep(20000);
	CHECK_EQ(atomic_load(&ran), 1);
	lift();
	UNTIL(atomic_load(&ran) == 2);
	CHECK(!strcmp(test_capture_end(), line));
	atomic_store(&go_on, false);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

static void nproc(rlim_t n)
{
	struct rlimit l;

	getrlimit(RLIMIT_NPROC, &l);
	l.rlim_cur = n < l.rlim_max ? n : l.rlim_max;
	CHECK_EQ(setrlimit(RLIMIT_NPROC, &l), 0);
}

static void nproc_lift(void)
{
	nproc(RLIM_INFINITY);
}

/* Somebody who has no other process, where we may: the limit is a user's, and does not bind root. */
static bool become_somebody(void)
{
	uid_t id = 1000000 + (uid_t)getpid();

	if (geteuid() != 0)
		return false;
	CHECK_EQ(setgroups(0, NULL), 0);
	return setgid(id) == 0 && setuid(id) == 0;
}

static void nproc_later(void)
{
	(void)become_somebody();
	init(1, 0);
	nproc(1);
	one_worker(nproc_lift);
}

/* The caller, a worker and the monitor are the least there can be. */
static void nproc_at_start(void)
{
	if (!become_somebody())
		return;
	nproc(2);
	init(4, -EAGAIN);
	CHECK_EQ(goru_go(NULL, NULL), -EINVAL);
	CHECK_EQ(go(runs, 1), -EAGAIN); /* it tries to start as well */
	nproc(3);
	init(4, 0);
	CHECK_EQ(goru_procs(), 4);
	one_worker(nproc_lift);
}

static void user_limit(void)
{
	if (test_emulated()) {
		jail_skipped("an emulator's threads count");
		return;
	}
	CHECK_LIVES(nproc_later, "");
	if (geteuid() != 0)
		jail_skipped("not root: nobody else to become, without other processes");
	CHECK_LIVES(nproc_at_start, "");
}

static struct cgroup group;

static void pids_lift(void)
{
	CHECK(cgroup_write(&group, "pids.max", "max"));
}

static void pids(void)
{
	CHECK(cgroup_enter(&group));
	CHECK(cgroup_write(&group, "pids.max", "2"));
	init(4, -EAGAIN);
	CHECK(cgroup_write(&group, "pids.max", "3"));
	init(4, 0);
	one_worker(pids_lift);
}

static void group_limit(void)
{
	if (test_emulated() || !cgroup_make(&group, "pids", "pids.max", "pids.max"))
		return;
	CHECK_LIVES(pids, "");
	cgroup_remove(&group);
}

/* For good, so the one who blocks has to end. */
static void filter(void)
{
	init(1, 0);
	if (!JAIL_REFUSE(EAGAIN, SYS_clone, 435 /* clone3 */))
		return;
	test_capture_begin();
	atomic_store(&go_on, true);
	goru_waitgroup_add(&wg, 2);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(go(blocks), 0);
	UNTIL(*test_captured() && atomic_load(&ran));
	usleep(20000);
	CHECK_EQ(atomic_load(&ran), 1);
	atomic_store(&go_on, false);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	CHECK_EQ(atomic_load(&ran), 2);
	CHECK(!strcmp(test_capture_end(), line));
	CHECK_EQ(goru_shutdown(), 0);
	init(1, -EAGAIN);
}

static void refused(void)
{
	if (!test_emulated())
		CHECK_LIVES(filter, "");
}

/* Stacks of threads. The limit is read when a program begins: it is this one again, with a word in its environment. */

static void *first_call(void *arg)
{
	goru_waitgroup_add(&wg, 50);
	for (int i = 0; i < 50; i++)
		CHECK_EQ(go(runs, i), 0);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	return arg;
}

static void on_a_thread(size_t stack)
{
	pthread_attr_t a;
	pthread_t t;

	CHECK_EQ(pthread_attr_init(&a), 0);
	if (stack)
		CHECK_EQ(pthread_attr_setstacksize(&a, stack), 0);
	CHECK_EQ(pthread_create(&t, &a, first_call, NULL), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	pthread_attr_destroy(&a);
	CHECK_EQ(goru_shutdown(), 0);
}

static const char again[] = "GORU_TEST_STACK_LIMIT";

static __attribute__((constructor)) void inner(void)
{
	long min = sysconf(_SC_THREAD_STACK_MIN);

	if (!getenv(again))
		return;
	on_a_thread(0);
	on_a_thread(min > 16 << 10 ? (size_t)min : 16 << 10); /* musl's, 2 KiB, hold no printf */
	(void)first_call(NULL);
	_exit(goru_shutdown() == 0 && test_failures() == 0 ? 0 : 99);
}

static rlim_t stack_limit;

static void begins_again(void)
{
	struct rlimit l;
	char self[] = "/proc/self/exe";

	getrlimit(RLIMIT_STACK, &l);
	l.rlim_cur = stack_limit < l.rlim_max ? stack_limit : l.rlim_max;
	CHECK_EQ(setrlimit(RLIMIT_STACK, &l), 0);
	setenv(again, "1", 1);
	execv(self, (char *[]){ self, NULL });
	CHECK(!"execv");
}

static void stack_limits(void)
{
	static const rlim_t limits[] = { 128 << 10, RLIM_INFINITY };

	if (test_emulated()) /* it would be its own */
		return;
	for (int i = 0; i < 2; i++) {
		stack_limit = limits[i];
		CHECK_LIVES(begins_again, "");
	}
}

TEST_MAIN(TEST(user_limit), TEST(group_limit), TEST(refused), TEST(stack_limits))
