/* big.c - calls on a big stack: nested, waiting, refused, and left by goru_exit or with the thread; overflow there. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>
#include <unistd.h>

#include "deep.h"
#include "task.h"

#include "base/sanitizer.h"

enum { BIG = 4 << 20 };

struct call {
	uint64_t id;
	int64_t sleep;
	int nest, calls;
};

static void calls(void *arg)
{
	struct call *c = arg;

	CHECK_EQ(goru_id(), c->id);
	CHECK_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
	c->calls++;
	CHECK_EQ(test_deep(2500), 2501); /* 2.5 MB and more */
	goru_yield();
	CHECK_EQ(goru_sleep(c->sleep), 0);
	if (c->nest-- > 0)
		CHECK_EQ(goru_call_on_big_stack(BIG, calls, c), 0);
	CHECK_EQ(goru_sleep(c->sleep), 0);
	CHECK_EQ(test_deep(1000), 1001);
}

static void on_a_big_stack(void)
{
	struct call c = { .id = goru_id(), .sleep = 200 * GORU_USEC, .nest = 3 };
	char here = 1;

	CHECK_EQ(goru_call_on_big_stack(BIG, calls, &c), 0);
	CHECK_EQ(c.calls, 4);
	CHECK_EQ(here, 1);
	CHECK_EQ(test_deep(20), 21);
}

static void *on_a_big_stack_task(void *arg)
{
	on_a_big_stack();
	return arg;
}

static void many_at_once(void)
{
	goru_task *t[16];

	for (int i = 0; i < 16; i++)
		t[i] = started(on_a_big_stack_task, NULL);
	for (int i = 0; i < 16; i++)
		CHECK_EQ(goru_task_join(t[i], NULL), 0);
}

static void never(void *arg)
{
	(void)arg;
	CHECK(!"called");
}

static void sizes(void)
{
	struct call c = { .id = goru_id() };

	CHECK_EQ(goru_call_on_big_stack(0, never, NULL), -EINVAL);
	CHECK_EQ(goru_call_on_big_stack(8192, never, NULL), -EINVAL);
	CHECK_EQ(goru_call_on_big_stack(((size_t)1 << 30) + 1, never, NULL), -EINVAL);
	CHECK_EQ(goru_call_on_big_stack(SIZE_MAX, never, NULL), -EINVAL);
	CHECK_EQ(goru_call_on_big_stack(BIG, NULL, NULL), -EINVAL);
	CHECK_EQ(goru_call_on_big_stack((3 << 20) + 1, calls, &c), 0); /* rounded up */
	CHECK_EQ(c.calls, 1);
	if (!GRT_ASAN_ON && !GRT_TSAN_ON) /* whose shadows would grow by as much */
		CHECK_EQ(goru_call_on_big_stack((size_t)1 << 30, calls, &c), 0);
}

static void leaves(void *arg)
{
	goru_yield();
	if (arg)
		goru_call_on_big_stack(1 << 17, leaves, NULL);
	goru_exit();
}

static goru_local_key key;
static _Atomic int destroyed;

static void destroy(void *value)
{
	CHECK(value == mark);
	atomic_fetch_add(&destroyed, 1);
}

static void *exits_from_there(void *arg)
{
	CHECK_EQ(goru_local_set(key, mark), 0);
	goru_call_on_big_stack(1 << 18, leaves, arg);
	CHECK(!"after goru_exit");
	return arg;
}

/* goru_exit gives all of them back; a goroutine whose own stack is checked in calls is checked again. */
static void exit_from_a_big_stack(void)
{
	enum { ROUNDS = 120 }; /* by then the stacks it needs are there */
	int before = 0;

	atomic_store(&destroyed, 0);
	CHECK_EQ(goru_local_create(&key, destroy), 0);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		void *r = mark;

		if (i == ROUNDS)
			before = test_mappings();
		CHECK_EQ(goru_task_join(started(exits_from_there, i % 2 ? &key : NULL), &r), 0);
		CHECK(!r);
	}
	CHECK_EQ(atomic_load(&destroyed), 2 * ROUNDS);
	if (!GRT_ASAN_ON && !GRT_TSAN_ON && !test_emulated()) /* which have mappings of their own */
		CHECK(test_mappings() - before < ROUNDS);
	CHECK_EQ(goru_local_delete(key), 0);
}

/* Deaths, in children. */

static void recurses(void *arg)
{
	(void)arg;
	goru_yield();
	test_overflow();
}

static void on_its_big_stack(void *arg)
{
	goru_call_on_big_stack(1 << 20, recurses, arg);
}

static void overflow_there(void)
{
	goru_attr a = { .name = "worker" };

	CHECK_EQ(goru_go_attr(&a, on_its_big_stack, NULL), 0);
	pause();
}

static void after_it(void *arg)
{
	goru_call_on_big_stack(1 << 20, (void (*)(void *))goru_yield, NULL);
	recurses(arg);
}

static void overflow_after(void)
{
	CHECK_EQ(goru_go(after_it, NULL), 0);
	pause();
}

static void overflow_is_named(void)
{
	CHECK_DIES(overflow_there,
		   "goru: fatal: stack overflow in goroutine 1 (worker), 1048576-byte big stack");
	CHECK_DIES(overflow_after, "goru: fatal: stack overflow in goroutine 1, 262144-byte stack");
}

TEST_MAIN(TEST(overflow_is_named), TEST_BOTH(on_a_big_stack), TEST_BOTH(many_at_once),
	  TEST_BOTH(sizes), TEST_BOTH(exit_from_a_big_stack), TEST(test_threads_end_on_big_stacks))
