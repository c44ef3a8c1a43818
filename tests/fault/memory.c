/* memory.c - memory that is locked, or may not be: mlockall, RLIMIT_MEMLOCK, RLIMIT_DATA, as strict overcommit refuses. */
/* SPDX-License-Identifier: MIT */
/* test: not=address,thread */
#define _GNU_SOURCE
#include <grp.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "jail.h"
#include "test.h"

enum { MIB = 1 << 20, FEW = 3, BIG = 16 * MIB };

static const char locked_line[] = "goru: memory is locked (mlockall): each further stack takes all "
				  "its bytes of it, not a page\n";

static goru_chan *c;
static _Atomic int woken;

/*
 * As CHECK_LIVES, but a thread may have been refused too: a worker just about to fall asleep is not found by who wants
 * it woken, so that the monitor tries to make another one, whose stack the limit refuses as it does a goroutine's.
 */
static void lives(void (*fn)(void), const char *line)
{
	static const char refused[] =
		"goru: no further thread can be made (a system limit); blocked goroutines hold "
		"others up until one is free\n";
	static struct test_end end;
	char *at;

	test_child(fn, &end);
	at = strstr(end.err, refused);
	if (at)
		memmove(at, at + strlen(refused), strlen(at + strlen(refused)) + 1);
	CHECK_EQ(end.status, 0);
	CHECK(!strcmp(end.err, line));
}

static void waits(void *arg)
{
	goru_chan_recv(arg, NULL);
	atomic_fetch_add(&woken, 1);
}

static int some(size_t stack, int n)
{
	goru_attr a = { .stack_size = stack };
	int have = 0, rc;

	if (!c)
		c = goru_chan_make(0, 0);
	for (; have < n && (rc = goru_go_attr(&a, waits, c)) == 0; have++)
		;
	CHECK(have == n || rc == -ENOMEM);
	return have;
}

static void end_all(int n)
{
	atomic_store(&woken, 0);
	CHECK_EQ(goru_chan_close(c), 0);
	UNTIL(test_alive() == 0 && test_workers_asleep());
	CHECK_EQ(atomic_load(&woken), n);
	goru_chan_unref(c);
	c = NULL;
}

static size_t resident(void)
{
	goru_stats st;

	CHECK_EQ(goru_stats_get(&st), 0);
	return st.stack_resident;
}

static void start(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = 1;
	setenv("GORU_DEBUG", "handoff=0", 1);
	CHECK_EQ(goru_init(&cfg), 0);
}

/* As many stacks as there are goroutines are in memory, and not those of a whole chunk. */
static void locks_first(void)
{
	CHECK_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
	start();
	CHECK_EQ(some(BIG, FEW), FEW);
	CHECK(resident() > (size_t)FEW * BIG / 2);
	CHECK(resident() <= (size_t)(FEW + 1) * BIG);
	end_all(FEW);
	/* the limit goes away */
	CHECK_EQ(munlockall(), 0);
	CHECK_EQ(goru_shutdown(), 0);
	start();
	CHECK_EQ(some(BIG, FEW), FEW);
	CHECK(resident() < (size_t)BIG / 2);
	end_all(FEW);
	CHECK_EQ(goru_shutdown(), 0);
}

/* While it runs. */
static void locks_later(void)
{
	size_t before;

	start();
	CHECK_EQ(some(BIG, 1), 1);
	CHECK(resident() < (size_t)BIG / 2);
	CHECK_EQ(mlockall(MCL_FUTURE), 0);
	CHECK_EQ(some(64 * MIB, 1), 1); /* others: of an arena that is new */
	before = resident();
	CHECK(before > (size_t)32 * MIB && before < (size_t)100 * MIB);
	CHECK_EQ(munlockall(), 0);
	CHECK_EQ(some(128 * MIB, FEW), FEW); /* again as if nothing had been */
	CHECK(resident() < before + (size_t)64 * MIB);
	end_all(2 + FEW);
	CHECK_EQ(goru_shutdown(), 0);
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

/* Locked memory has no cheap guards: another kind is made. */
static void overflows_locked(void)
{
	CHECK_EQ(mlockall(MCL_FUTURE), 0);
	start();
	CHECK_EQ(goru_go(overflows, NULL), 0);
	pause();
}

static bool may_lock(size_t most)
{
	struct rlimit l;

	getrlimit(RLIMIT_MEMLOCK, &l);
	if (!test_emulated() && (geteuid() == 0 || l.rlim_cur >= most))
		return true;
	jail_skipped("so much memory may not be locked here");
	return false;
}

static void locked(void)
{
	if (!may_lock((size_t)256 * MIB))
		return;
	CHECK_LIVES(locks_first, locked_line);
	CHECK_LIVES(locks_later, locked_line);
	CHECK_DIES(overflows_locked,
		   "goru: fatal: stack overflow in goroutine 1, 262144-byte stack");
}

/* Nobody special. */
static void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	CHECK_EQ(setgroups(0, NULL), 0);
	CHECK_EQ(setgid(65534), 0);
	CHECK_EQ(setuid(65534), 0);
}

static void soft(int which, rlim_t n)
{
	struct rlimit l;

	getrlimit(which, &l);
	l.rlim_cur = n < l.rlim_max ? n : l.rlim_max;
	CHECK_EQ(setrlimit(which, &l), 0);
}

/* The reservation counts as locked, too: it is smaller then. What does not fit is refused, and fits when others have
 * ended. */
static void locks_little(void)
{
	int n;

	become_nobody();
	start();
	soft(RLIMIT_MEMLOCK, 8 * MIB);
	CHECK_EQ(mlockall(MCL_FUTURE), 0);
	n = some(0, 100);
	CHECK(n >= 4 && n < 32); /* 256 KiB each */
	end_all(n);
	CHECK_EQ(some(0, n), n);
	CHECK_EQ(munlockall(), 0);
	CHECK_EQ(some(0, 100), 100);
	end_all(n + 100);
	CHECK_EQ(goru_shutdown(), 0);
}

static void a_limit_on_it(void)
{
	struct rlimit l;

	getrlimit(RLIMIT_MEMLOCK, &l);
	if (test_emulated() || l.rlim_max < 4 * MIB) {
		jail_skipped("RLIMIT_MEMLOCK is lower than the test's, or an emulator's");
		return;
	}
	lives(locks_little, locked_line);
}

static size_t writable(void)
{
	char line[128];
	size_t kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		(void)sscanf(line, "VmData: %zu", &kib);
	if (f)
		fclose(f);
	CHECK(kib > 0);
	return kib * 1024;
}

/* Like vm.overcommit_memory=2, which is the whole system's, RLIMIT_DATA counts what may be written, used or not, and
 * refuses when stacks become writable. */
static void strict(void)
{
	int n, m;

	start();
	CHECK_EQ(some(0, 1), 1);
	soft(RLIMIT_DATA, writable() + 64 * MIB);
	n = some(0, 1000);
	CHECK(n >= 16 && n < 300); /* 256 KiB each */
	CHECK_EQ(some(0, 1), 0);
	end_all(1 + n);
	for (int i = 0; i < 3; i++) {
		m = some(0, 1000);
		CHECK(m >= n);
		end_all(m);
	}
	soft(RLIMIT_DATA, RLIM_INFINITY);
	CHECK_EQ(some(0, 1000), 1000);
	end_all(1000);
	CHECK_EQ(goru_shutdown(), 0);
}

static void nothing_in_reserve(void)
{
	if (test_emulated())
		return;
	lives(strict, "");
}

TEST_MAIN(TEST(locked), TEST(a_limit_on_it), TEST(nothing_in_reserve))
