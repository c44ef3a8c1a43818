/* guards.c - a kernel without cheap guard pages: mprotect for some, then none, said once; or refusal under GUARDS_ONLY. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_os_guard_supported,grt_os_max_map_count,grt_os_guard,grt_os_protect */
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "test.h"

#include "base/sanitizer.h"
#include "os/os.h"
#include "part/stack.h"

enum { MAP_COUNT = 800, MOST = MAP_COUNT / 4 / 2, GUARD = 1, PROTECT = 2 };

static bool old_kernel = true;

bool __real_grt_os_guard_supported(void);
bool __wrap_grt_os_guard_supported(void);
size_t __wrap_grt_os_max_map_count(void);
uint32_t __real_grt_os_guard(void *base, size_t stride, size_t len, uint32_t n);
uint32_t __wrap_grt_os_guard(void *base, size_t stride, size_t len, uint32_t n);
int __real_grt_os_protect(void *base, size_t size);
int __wrap_grt_os_protect(void *base, size_t size);

bool __wrap_grt_os_guard_supported(void)
{
	return !old_kernel && __real_grt_os_guard_supported();
}

size_t __wrap_grt_os_max_map_count(void)
{
	return MAP_COUNT;
}

uint32_t __wrap_grt_os_guard(void *base, size_t stride, size_t len, uint32_t n)
{
	return fault_hit(GUARD) ? 0 : __real_grt_os_guard(base, stride, len, n);
}

int __wrap_grt_os_protect(void *base, size_t size)
{
	return fault_hit(PROTECT) ? -ENOMEM : __real_grt_os_protect(base, size);
}

static void start(unsigned flags)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.flags = flags;
	cfg.procs = 1;
	CHECK_EQ(goru_init(&cfg), 0);
}

static goru_chan *c;

static void waits(void *arg)
{
	goru_chan_recv(arg, NULL);
}

/* How many more could be started, of n; those wait on c. */
static int fill(int n)
{
	int have = 0;

	if (!c)
		c = goru_chan_make(0, 0);
	for (int i = 0; i < n; i++) {
		int rc = goru_go(waits, c);

		have += rc == 0;
		CHECK(rc == 0 || rc == -EAGAIN);
	}
	return have;
}

static void end_all(void)
{
	CHECK_EQ(goru_chan_close(c), 0);
	UNTIL(test_alive() == 0);
	goru_chan_unref(c);
	c = NULL;
}

static const char warning[] =
	"goru: no guard page for further stacks on this kernel; an overflow there is noticed at the "
	"next call into goru, when memory may be damaged already\n";

/* As many guards as a quarter of the mappings allows, and all goroutines run. */
static void some_have_guards(void)
{
	int before;

	test_capture_begin();
	start(0);
	CHECK_EQ(fill(10), 10);
	before = test_mappings();
	CHECK_EQ(fill(600), 600);
	if (!GRT_TSAN_ON) /* which maps shadows */
		CHECK(test_mappings() - before < MAP_COUNT / 4 + 20);
	CHECK(test_mappings() - before > MAP_COUNT / 8);
	CHECK(!strcmp(test_capture_end(), warning)); /* once */
	end_all();
	CHECK_EQ(goru_shutdown(), 0);
}

/* Its own stack is one of them. */
static void fill_up(void)
{
	CHECK_EQ(fill(300), MOST - 1);
	CHECK_EQ(goru_go(waits, c), -EAGAIN);
}

static void guards_only_refuses(void)
{
	test_capture_begin();
	start(GORU_CONFIG_GUARDS_ONLY);
	for (int round = 0; round < 3; round++) {
		/* on a goroutine: a thread does not get at what the P keeps for itself */
		RUN_ON_GOROUTINE(fill_up);
		end_all(); /* their stacks serve again */
	}
	CHECK_EQ(goru_shutdown(), 0);
	CHECK(!*test_capture_end());
}

/* The kernel has cheap ones, but one call fails: under GUARDS_ONLY a refusal, and it works again after. */
static void guards_come_back(void)
{
	old_kernel = false;
	start(GORU_CONFIG_GUARDS_ONLY);
	fault_set(GUARD | PROTECT, 1, true);
	CHECK_EQ(fill(40), 0);
	fault_set(0, 0, false);
	CHECK_EQ(fill(40), 40);
	end_all();
	CHECK_EQ(goru_shutdown(), 0);
	old_kernel = true;
}

/* It had cheap ones at the start, and refuses them from then on: the other kind is made. */
static void cheap_refused_later(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	old_kernel = false;
	cfg.flags = GORU_CONFIG_GUARDS_ONLY;
	cfg.procs = 1;
	CHECK_EQ(goru_init(&cfg), 0);
	fault_set(GUARD, 1, true);
	CHECK_EQ(fill(40), 40);
	fault_set(0, 0, false);
	end_all();
	CHECK_EQ(goru_shutdown(), 0);
	old_kernel = true;
}

/* Deaths, in children. */

static __attribute__((noinline)) int deeper(int n, bool call)
{
	volatile char use[400];

	use[0] = (char)n;
	if (call)
		(void)goru_chan_len(c), goru_yield();
	return n < 0 ? 0 : deeper(n + 1, call) + use[0];
}

static void overflows(void *arg)
{
	deeper(0, arg);
}

static void overflow_with_guard(void)
{
	start(0);
	CHECK_EQ(goru_go(overflows, NULL), 0);
	pause();
}

/* The slots below are others' stacks, which wait: nothing of them is needed before the report. */
static void overflow_without_guard(void)
{
	goru_attr a = { .name = "unlucky" };

	test_handoff(false); /* else it may have lost its P, and be shown so */
	start(0);
	(void)fill(MOST + 20);
	CHECK_EQ(goru_go_attr(&a, overflows, &a), 0);
	pause();
}

static void overflow_is_named_either_way(void)
{
	static struct test_end e;
	char want[200];

	CHECK_DIES(overflow_with_guard,
		   "goru: fatal: stack overflow in goroutine 1, 262144-byte stack");
	snprintf(want, sizeof(want),
		 "goru: fatal: stack overflow in goroutine %d (unlucky), 262144-byte stack..",
		 MOST + 21);
	CHECK_DIES(overflow_without_guard, want);
	test_child(overflow_without_guard, &e);
	CHECK(strstr(e.err, warning));
	snprintf(want, sizeof(want), "goroutine %d (unlucky) [running]\n", MOST + 21);
	CHECK(strstr(e.err, want));
}

TEST_MAIN(TEST(some_have_guards), TEST(guards_only_refuses), TEST(guards_come_back),
	  TEST(cheap_refused_later), TEST(overflow_is_named_either_way))
