/* task.c - tasks, locals and big stacks without memory, and big stacks where goroutines' own have no guard. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_os_reserve,grt_os_commit,malloc,realloc,grt_os_guard_supported,grt_os_max_map_count,pthread_setspecific,grt_stack_get not=thread */
#include <unistd.h>

#include "fault.h"
#include "test.h"

#include "base/sanitizer.h"
#include "os/os.h"
#include "part/stack.h"

enum { RESERVE = 1, COMMIT = 2, HEAP = 4, SPECIFIC = 8 };

static bool no_guards;

int __real_grt_os_reserve(size_t size, size_t align, void **out);
int __wrap_grt_os_reserve(size_t size, size_t align, void **out);
int __real_grt_os_commit(void *base, size_t size);
int __wrap_grt_os_commit(void *base, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
bool __real_grt_os_guard_supported(void);
bool __wrap_grt_os_guard_supported(void);
size_t __real_grt_os_max_map_count(void);
size_t __wrap_grt_os_max_map_count(void);
int __real_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);

int __wrap_grt_os_reserve(size_t size, size_t align, void **out)
{
	return fault_hit(RESERVE) ? -ENOMEM : __real_grt_os_reserve(size, align, out);
}

int __wrap_grt_os_commit(void *base, size_t size)
{
	return fault_hit(COMMIT) ? -ENOMEM : __real_grt_os_commit(base, size);
}

void *__wrap_malloc(size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_realloc(p, size);
}

bool __wrap_grt_os_guard_supported(void)
{
	return !no_guards && __real_grt_os_guard_supported();
}

size_t __wrap_grt_os_max_map_count(void)
{
	return no_guards ? 0 : __real_grt_os_max_map_count();
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
	return fault_hit(SPECIFIC) ? ENOMEM : __real_pthread_setspecific(key, value);
}

/* Not before a shutdown has begun, if asked for. */
static _Atomic bool stack_waits, taking;

int __real_grt_stack_get(unsigned cls, struct g **out);
int __wrap_grt_stack_get(unsigned cls, struct g **out);

int __wrap_grt_stack_get(unsigned cls, struct g **out)
{
	if (atomic_load(&stack_waits)) {
		atomic_store(&taking, true);
		test_await_shutdown();
	}
	return __real_grt_stack_get(cls, out);
}

static _Atomic int ran;

static void *runs(void *arg)
{
	atomic_fetch_add(&ran, 1);
	return arg;
}

static void no_memory_for_a_task(void)
{
	goru_task *t = (goru_task *)&t;

	goru_yield();
	atomic_store(&ran, 0);
	fault_set(HEAP, 1, true);
	CHECK_EQ(goru_task_start(&t, runs, NULL), -ENOMEM);
	fault_set(0, 0, false);
	CHECK(!t);
	CHECK_EQ(goru_task_start(&t, runs, NULL), 0);
	CHECK_EQ(goru_task_join(t, NULL), 0);
	CHECK_EQ(atomic_load(&ran), 1);
}

static void *never(void *arg)
{
	CHECK(!"run");
	return arg;
}

/* No stack for it, on a thread: nothing is started, nothing leaks. */
static void no_stack_for_a_task(void)
{
	goru_task *t = (goru_task *)&t;

	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(goru_init(NULL), 0);
	fault_set(RESERVE, 1, true);
	CHECK_EQ(goru_task_start(&t, never, NULL), -ENOMEM);
	fault_set(0, 0, false);
	CHECK(!t);
}

static void no_deadline_for_a_join(void)
{
	goru_task *t;
	int rc;

	CHECK_EQ(goru_task_start(&t, runs, &t), 0);
	fault_set(HEAP, 1, true);
	rc = goru_task_join_until(t, NULL, goru_in(20 * GORU_SEC));
	fault_set(0, 0, false);
	CHECK(rc == 0 || (rc == -ENOMEM && goru_id()));
	if (rc < 0)
		CHECK_EQ(goru_task_join(t, NULL), 0); /* as joinable as before */
}

static void with_locals(void)
{
	goru_local_key key[20];
	int v;

	for (int i = 0; i < 20; i++)
		CHECK_EQ(goru_local_create(&key[i], NULL), 0);
	fault_set(HEAP, 1, true);
	CHECK_EQ(goru_local_set(key[0], &v), -ENOMEM);
	CHECK_EQ(goru_local_set(key[0], NULL), 0); /* as it is */
	CHECK(!goru_local_get(key[0]));
	if (!goru_id()) {
		fault_set(SPECIFIC, 1, true);
		CHECK_EQ(goru_local_set(key[0], &v), -ENOMEM);
		CHECK(!goru_local_get(key[0]));
	}
	fault_set(0, 0, false);
	CHECK_EQ(goru_local_set(key[0], &v), 0);
	fault_set(HEAP, 1, true);
	CHECK_EQ(goru_local_set(key[19], &v), -ENOMEM);
	fault_set(0, 0, false);
	CHECK(goru_local_get(key[0]) == &v); /* what there was is there */
	CHECK(!goru_local_get(key[19]));
	CHECK_EQ(goru_local_set(key[19], &v), 0);
	CHECK(goru_local_get(key[19]) == &v);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(goru_local_delete(key[i]), 0);
}

static void *with_locals_task(void *arg)
{
	with_locals();
	return arg;
}

/* Each on a thread or goroutine that had none before. */
static void no_memory_for_locals(void)
{
	goru_task *t;
	pthread_t thread;

	test_thread(&thread, with_locals);
	test_join(thread);
	CHECK_EQ(goru_task_start(&t, with_locals_task, NULL), 0);
	CHECK_EQ(goru_task_join(t, NULL), 0);
}

static void started_during_shutdown(void)
{
	goru_task *t;
	int rc = goru_task_start(&t, runs, NULL);

	CHECK_EQ(rc, 0);
	if (rc == 0)
		CHECK_EQ(goru_task_join(t, NULL), -ECANCELED);
}

/* A task that a plain thread was about to start when the shutdown began is dropped like the others. */
static void started_late(void)
{
	pthread_t t;

	CHECK_EQ(goru_shutdown(), 0); /* no stacks are left over */
	CHECK_EQ(goru_init(NULL), 0);
	atomic_store(&taking, false);
	atomic_store(&stack_waits, true);
	test_thread(&t, started_during_shutdown);
	while (!atomic_load(&taking))
		usleep(100);
	CHECK_EQ(goru_shutdown(), 0);
	atomic_store(&stack_waits, false);
	test_join(t);
}

static void counts(void *arg)
{
	++*(int *)arg;
	goru_yield();
}

static void no_memory_for_a_big_stack(void)
{
	int n = 0, before;

	before = test_mappings();
	for (int i = 0; i < 100; i++) {
		fault_set(i % 2 ? RESERVE : COMMIT, 1, true);
		CHECK_EQ(goru_call_on_big_stack(1 << 20, counts, &n), -ENOMEM);
		fault_set(0, 0, false);
	}
	CHECK_EQ(n, 0);
	CHECK(test_mappings() - before < 50 || GRT_ASAN_ON || GRT_TSAN_ON);
	CHECK_EQ(goru_call_on_big_stack(1 << 20, counts, &n), 0);
	CHECK_EQ(n, 1);
}

/* A goroutine whose stack is looked at in every call: not while it runs on another one, and again after. */
static __attribute__((noinline)) int deeper(int n, bool call)
{
	volatile char use[400];

	use[0] = (char)n;
	if (call)
		goru_yield();
	return n == 0 ? 0 : deeper(n - 1, call) + use[0];
}

static void deep_there(void *arg)
{
	(void)arg;
	deeper(2000, true);
}

static void first_big(void *arg)
{
	(void)arg;
	CHECK_EQ(goru_call_on_big_stack(4 << 20, deep_there, NULL), 0);
	CHECK_EQ(goru_call_on_big_stack(4 << 20, deep_there, NULL), 0);
	deeper(10, true);
	deeper(20000, true);
}

static void waits(void *arg)
{
	goru_chan_recv(arg, NULL);
}

/* What lies below its stack is another's, which waits. */
static void overflow_after_it(void)
{
	goru_chan *c = goru_chan_make(0, 0);
	goru_config cfg = GORU_CONFIG_INIT;

	no_guards = true;
	cfg.procs = 1;
	CHECK_EQ(goru_init(&cfg), 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(goru_go(waits, c), 0);
	CHECK_EQ(goru_go(first_big, NULL), 0);
	pause();
}

static void stays_on_it(void *arg)
{
	CHECK_EQ(goru_call_on_big_stack(4 << 20, deep_there, NULL), 0);
	deeper(10, true);
	goru_chan_close(arg);
}

static void in_calls_on_it(void)
{
	goru_chan *c = goru_chan_make(0, 0);

	no_guards = true;
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_go(stays_on_it, c), 0);
	CHECK_EQ(goru_chan_recv(c, NULL), 0);
	goru_chan_unref(c);
}

static void unguarded_stacks(void)
{
	CHECK_LIVES(
		in_calls_on_it,
		"goru: no guard page for further stacks on this kernel; an overflow there is noticed at the "
		"next call into goru, when memory may be damaged already\n");
	CHECK_DIES(
		overflow_after_it,
		"goru: fatal: stack overflow in goroutine 6, 262144-byte stack (without a guard page..");
}

TEST_MAIN(TEST(unguarded_stacks), TEST_BOTH(no_memory_for_a_task), TEST(no_stack_for_a_task),
	  TEST(started_late), TEST_BOTH(no_deadline_for_a_join), TEST_BOTH(no_memory_for_locals),
	  TEST_BOTH(no_memory_for_a_big_stack))
