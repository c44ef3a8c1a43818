/* system.c - the n-th mapping, commit, guard, thread or allocation fails: a clear answer, and then it works. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 wrap=grt_os_map,grt_os_reserve,grt_os_commit,grt_os_protect,grt_os_guard,grt_os_thread_start,grt_os_altstack_set,malloc,realloc,aligned_alloc */
#include <stdatomic.h>
#include <unistd.h>

#include "fault.h"
#include "test.h"

#include "os/os.h"

enum {
	MAP = 1,
	RESERVE = 2,
	COMMIT = 4,
	PROTECT = 8,
	GUARD = 16,
	THREAD = 32,
	ALTSTACK = 64,
	HEAP = 128,
	ALL = 255
};

int __real_grt_os_map(size_t size, void **out);
int __wrap_grt_os_map(size_t size, void **out);
int __real_grt_os_reserve(size_t size, size_t align, void **out);
int __wrap_grt_os_reserve(size_t size, size_t align, void **out);
int __real_grt_os_commit(void *base, size_t size);
int __wrap_grt_os_commit(void *base, size_t size);
int __real_grt_os_protect(void *base, size_t size);
int __wrap_grt_os_protect(void *base, size_t size);
uint32_t __real_grt_os_guard(void *base, size_t stride, size_t len, uint32_t n);
uint32_t __wrap_grt_os_guard(void *base, size_t stride, size_t len, uint32_t n);
int __real_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name);
int __wrap_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name);
int __real_grt_os_altstack_set(void **out, size_t *size);
int __wrap_grt_os_altstack_set(void **out, size_t *size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

int __wrap_grt_os_map(size_t size, void **out)
{
	return fault_hit(MAP) ? -ENOMEM : __real_grt_os_map(size, out);
}

int __wrap_grt_os_reserve(size_t size, size_t align, void **out)
{
	return fault_hit(RESERVE) ? -ENOMEM : __real_grt_os_reserve(size, align, out);
}

int __wrap_grt_os_commit(void *base, size_t size)
{
	return fault_hit(COMMIT) ? -ENOMEM : __real_grt_os_commit(base, size);
}

int __wrap_grt_os_protect(void *base, size_t size)
{
	return fault_hit(PROTECT) ? -ENOMEM : __real_grt_os_protect(base, size);
}

/* Some of them can be had. */
uint32_t __wrap_grt_os_guard(void *base, size_t stride, size_t len, uint32_t n)
{
	return __real_grt_os_guard(base, stride, len, fault_hit(GUARD) ? n / 2 : n);
}

int __wrap_grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name)
{
	return fault_hit(THREAD) ? -EAGAIN : __real_grt_os_thread_start(out, fn, arg, name);
}

int __wrap_grt_os_altstack_set(void **out, size_t *size)
{
	return fault_hit(ALTSTACK) ? -ENOMEM : __real_grt_os_altstack_set(out, size);
}

void *__wrap_malloc(size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_aligned_alloc(align, size);
}

/* A program of everything that asks the system for something. Each refusal is one of those the headers name, and takes
 * only its own call with it. */

enum { GOROUTINES = 60, SLEEPERS = 70 };

static _Atomic int ran, expected, refused;
static goru_waitgroup wg;

static bool is_refusal(int rc)
{
	if (rc == 0)
		return false;
	CHECK(rc == -ENOMEM || rc == -EAGAIN);
	atomic_fetch_add(&refused, 1);
	return true;
}

static void done(void)
{
	atomic_fetch_add(&ran, 1);
	goru_waitgroup_done(&wg);
}

static void nothing(void *arg)
{
	(void)arg;
	done();
}

static void sleeper(void *arg)
{
	(void)arg;
	(void)is_refusal(goru_sleep(2 * GORU_MSEC));
	done();
}

static void blocker(void *arg)
{
	(void)arg;
	goru_blocking(usleep(500));
	done();
}

static void start(void (*fn)(void *), size_t stack)
{
	goru_attr a = { .stack_size = stack };

	goru_waitgroup_add(&wg, 1);
	if (is_refusal(goru_go_attr(&a, fn, NULL)))
		goru_waitgroup_done(&wg);
	else
		atomic_fetch_add(&expected, 1);
}

static void channels(void *arg)
{
	goru_chan *c = goru_chan_make(8, 3), *d = goru_chan_make(0, 0);
	goru_case k[20];
	int64_t v = 5;
	int rc;

	(void)arg;
	if (!c || !d) {
		atomic_fetch_add(&refused, 1);
		goru_chan_unref(c);
		goru_chan_unref(d);
		done();
		return;
	}
	for (int i = 0; i < 20; i++)
		k[i] = GORU_RECV(d, NULL);
	k[7] = GORU_RECV(c, &v);
	rc = goru_try_select(k, 20);
	CHECK(rc == -EAGAIN || is_refusal(rc));
	rc = goru_select_until(k, 20, goru_in(GORU_MSEC));
	CHECK(rc == -ETIMEDOUT || is_refusal(rc));
	CHECK_EQ(goru_chan_send(c, &v), 0);
	CHECK_EQ(goru_chan_len(c), 1);
	rc = goru_select(k, 20);
	if (rc != 7 && is_refusal(rc))
		CHECK_EQ(goru_chan_recv(c, &v), 1); /* nothing was carried out */
	CHECK_EQ(goru_chan_len(c), 0);
	CHECK_EQ(v, 5);
	rc = goru_chan_recv_until(c, &v, goru_in(GORU_MSEC));
	CHECK(rc == -ETIMEDOUT || is_refusal(rc));
	goru_chan_unref(c);
	goru_chan_unref(d);
	done();
}

static void program(void)
{
	int rc = goru_init(NULL);
	unsigned n;

	if (is_refusal(rc)) {
		/* an error of the start leaves nothing behind: another try may do, and anything else tries by itself */
		rc = goru_init(NULL);
		if (rc != -EALREADY && is_refusal(rc))
			return;
	}
	n = goru_procs();
	for (int i = 0; i < GOROUTINES; i++)
		start(nothing, i % 3 == 0 ? 16384 : i % 3 == 1 ? 0 : 1 << 20);
	for (int i = 0; i < SLEEPERS; i++)
		start(sleeper, 0);
	for (int i = 0; i < 8; i++)
		start(blocker, 0);
	start(channels, 0);
	rc = goru_set_procs(n + 3);
	if (is_refusal(rc))
		CHECK_EQ(goru_procs(), n);
	else
		CHECK_EQ(goru_procs(), n + 3);
	for (int i = 0; i < 8; i++)
		start(nothing, 0);
	(void)is_refusal(goru_set_procs(n));
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(20 * GORU_SEC)), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

/* Warnings are as they should be; the tests' output need not have them. */
static void with_failures(unsigned kinds, unsigned n, bool forever)
{
	atomic_store(&ran, 0);
	atomic_store(&expected, 0);
	atomic_store(&refused, 0);
	fault_set(kinds, n, forever);
	program();
	CHECK_EQ(atomic_load(&ran), atomic_load(&expected));
	CHECK_EQ(goru_shutdown(), 0);
}

/* The n-th call of this kind fails, for each n there is. */
static void each(unsigned kinds)
{
	int threads = test_threads(), fds = test_fds();
	unsigned n = 1, step = 1;

	for (; n < 400; n += step) {
		with_failures(kinds, n, false);
		if (fault_count() == 0)
			break;
		if (n >= 40)
			step = 7;
	}
	CHECK(n > 1); /* it did fail now and then */
	/* and after all that it works as on the first day */
	with_failures(0, 0, false);
	CHECK_EQ(atomic_load(&refused), 0);
	CHECK_EQ(atomic_load(&expected), GOROUTINES + SLEEPERS + 8 + 1 + 8);
	UNTIL(test_threads() == threads);
	CHECK_EQ(test_fds(), fds);
}

/* Every call from the n-th on fails, until somebody has had enough. */
static void from(unsigned kinds)
{
	for (unsigned n = 1; n < 12; n++)
		with_failures(kinds, n, true);
	with_failures(0, 0, false);
	CHECK_EQ(atomic_load(&refused), 0);
}

static void mappings(void)
{
	each(MAP);
	from(MAP);
}

static void reservations(void)
{
	each(RESERVE);
	from(RESERVE);
}

static void commits(void)
{
	each(COMMIT);
	from(COMMIT);
}

static void guards(void)
{
	test_capture_begin();
	from(PROTECT | GUARD);
	CHECK(strstr(test_capture_end(), "goru: no guard page for further stacks"));
}

static void threads(void)
{
	test_capture_begin();
	each(THREAD);
	from(THREAD);
	test_capture_end();
}

static void alternate_stacks(void)
{
	each(ALTSTACK);
	from(ALTSTACK);
}

static void heap(void)
{
	test_capture_begin();
	each(HEAP);
	from(HEAP);
	test_capture_end();
}

/* Not one kind but any. */
static void whatever(void)
{
	test_capture_begin();
	each(ALL);
	test_capture_end();
}

static _Atomic bool others_ran;

static void other(void *arg)
{
	(void)arg;
	atomic_store(&others_ran, true);
}

static void let_other_run(void)
{
	atomic_store(&others_ran, false);
	CHECK_EQ(goru_go(other, NULL), 0);
	while (!atomic_load(&others_ran))
		usleep(100);
}

/* With one P: whoever keeps it in here keeps everybody waiting. */
static void sleeps_in_brackets(void *arg)
{
	(void)arg;
	goru_block_enter();
	let_other_run(); /* its P is away */
	fault_set(HEAP, 1, true);
	CHECK_EQ(goru_sleep(GORU_SEC), -ENOMEM);
	fault_set(0, 0, false);
	let_other_run();
	goru_block_exit();
}

/* A wait that could not begin got a P for it, and gives it away again. */
static void refused_in_brackets(void)
{
	goru_config one = { .struct_size = sizeof(one), .procs = 1 };

	CHECK_EQ(goru_init(&one), 0);
	CHECK_EQ(goru_run(sleeps_in_brackets, NULL), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

TEST_MAIN(TEST(mappings), TEST(reservations), TEST(commits), TEST(guards), TEST(threads),
	  TEST(alternate_stacks), TEST(heap), TEST(whatever), TEST(refused_in_brackets))
