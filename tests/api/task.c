/* task.c - tasks: results, joins with and without a deadline, detaching, shutdown, misuse; both kinds of callers. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>
#include <unistd.h>

#include "deep.h"
#include "task.h"

#include "base/sanitizer.h"

static void *doubles(void *arg)
{
	return (void *)(2 * (uintptr_t)arg);
}

static void *waits_then_doubles(void *arg)
{
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	return doubles(arg);
}

static void *exits(void *arg)
{
	(void)arg;
	goru_exit();
}

static goru_chan *gate;

static void *at_gate(void *arg)
{
	CHECK_EQ(goru_chan_recv(gate, NULL), 1);
	return arg;
}

static void join_gives_the_result(void)
{
	goru_task *t[20];
	void *r = mark;

	for (uintptr_t i = 0; i < 20; i++)
		t[i] = started(i % 2 ? doubles : waits_then_doubles, (void *)i);
	for (uintptr_t i = 0; i < 20; i++) {
		CHECK_EQ(goru_task_join(t[i], &r), 0);
		CHECK_EQ((uintptr_t)r, 2 * i);
	}
	CHECK_EQ(goru_task_join(started(doubles, mark), NULL), 0);
}

static void one_that_has_ended(void)
{
	goru_task *t = started(doubles, mark);
	void *r = NULL;

	UNTIL(test_alive() == 0);
	CHECK_EQ(goru_task_join_until(t, &r, INT64_MIN), 0); /* at once, whatever the deadline */
	CHECK(r == (void *)0x2468);
}

static void exit_ends_the_task(void)
{
	void *r = mark;

	CHECK_EQ(goru_task_join(started(exits, NULL), &r), 0);
	CHECK(!r);
}

static void wrong_arguments(void)
{
	goru_task *t = mark;
	void *r = mark;

	CHECK_EQ(goru_task_start(NULL, doubles, NULL), -EINVAL);
	CHECK_EQ(goru_task_start(&t, NULL, NULL), -EINVAL);
	CHECK(t == mark);
	CHECK_EQ(goru_task_join(NULL, &r), -EINVAL);
	CHECK_EQ(goru_task_join_until(NULL, &r, 0), -EINVAL);
	CHECK_EQ(goru_task_detach(NULL), -EINVAL);
	CHECK(r == mark);
}

static goru_task *self;

static void *joins_itself(void *arg)
{
	void *r = mark;

	(void)arg;
	CHECK_EQ(goru_task_join(self, &r), -EDEADLK); /* out was stored before fn began */
	CHECK_EQ(goru_task_join_until(self, &r, 0), -EDEADLK);
	CHECK(r == mark);
	return mark;
}

static void not_itself(void)
{
	void *r = NULL;

	CHECK_EQ(goru_task_start(&self, joins_itself, NULL), 0);
	CHECK_EQ(goru_task_join(self, &r), 0);
	CHECK(r == mark);
}

static void deadlines(void)
{
	goru_task *t;
	void *r = mark;
	int64_t before;

	gate = goru_chan_make(0, 0);
	t = started(at_gate, &gate);
	CHECK_EQ(goru_task_join_until(t, &r, INT64_MIN), -ETIMEDOUT);
	before = goru_now();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(goru_task_join_until(t, &r, goru_in(2 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - before >= 6 * GORU_MSEC);
	CHECK(r == mark);
	CHECK_EQ(goru_chan_send(gate, NULL), 0);
	CHECK_EQ(goru_task_join_until(t, &r, goru_in(20 * GORU_SEC)), 0);
	CHECK(r == &gate);
	goru_chan_unref(gate);
}

static _Atomic int ran;

static void *counts(void *arg)
{
	atomic_fetch_add(&ran, 1);
	return arg;
}

static void *detaches_itself(void *arg)
{
	CHECK_EQ(goru_chan_recv(gate, NULL), 0);
	CHECK_EQ(goru_task_detach(self), 0);
	return counts(arg);
}

static void detached(void)
{
	goru_task *t;

	atomic_store(&ran, 0);
	gate = goru_chan_make(0, 0);
	t = started(at_gate, NULL);
	CHECK_EQ(goru_task_detach(t), 0); /* while it runs */
	CHECK_EQ(goru_chan_send(gate, NULL), 0);
	t = started(counts, NULL);
	UNTIL(test_alive() == 0);
	CHECK_EQ(atomic_load(&ran), 1);
	CHECK_EQ(goru_task_detach(t), 0); /* after */
	CHECK_EQ(goru_task_start(&self, detaches_itself, NULL), 0);
	CHECK_EQ(goru_chan_close(gate), 0);
	UNTIL(test_alive() == 0);
	CHECK_EQ(atomic_load(&ran), 2);
	goru_chan_unref(gate);
}

/* Shutdown. */

enum { BIG = 4 << 20 };
static goru_local_key key;
static _Atomic int arrived, back;

static void *for_ever(void *arg)
{
	atomic_fetch_add(&arrived, 1);
	goru_select(NULL, 0);
	return arg;
}

static void never(void *arg)
{
	(void)arg;
	CHECK(!"called");
}

static void waits_there(void *arg)
{
	CHECK_EQ(goru_local_set(key, mark), 0);
	for_ever(arg);
}

static void *on_big_for_ever(void *arg)
{
	goru_call_on_big_stack(BIG, waits_there, arg);
	return arg;
}

static void *joins_for_ever(void *arg)
{
	atomic_fetch_add(&arrived, 1);
	(void)!goru_task_join(arg, NULL);
	atomic_fetch_add(&back, 1);
	return arg;
}

static goru_task *victim;

static void joins_victim(void)
{
	void *r = mark;

	atomic_fetch_add(&arrived, 1);
	CHECK_EQ(goru_task_join(victim, &r), -ECANCELED);
	CHECK(r == mark);
}

static void dropped(void)
{
	goru_task *t[6];
	pthread_t thread;
	int before;

	CHECK_EQ(goru_shutdown(), 0);
	before = test_mappings();
	CHECK_EQ(goru_local_create(&key, never), 0);
	atomic_store(&arrived, 0);
	atomic_store(&back, 0);
	t[0] = started(for_ever, NULL);
	t[1] = started(on_big_for_ever, NULL);
	t[2] = started(joins_for_ever, t[0]);
	t[3] = started(doubles, mark);
	victim = started(on_big_for_ever, NULL);
	t[4] = started(for_ever, NULL);
	CHECK_EQ(goru_task_detach(t[4]), 0); /* freed by the shutdown */
	for (int i = 0; i < 20; i++)
		CHECK_EQ(goru_task_detach(started(on_big_for_ever, NULL)), 0);
	test_thread(&thread, joins_victim);
	UNTIL(test_asleep() == 26 && test_alive() == 25);
	CHECK_EQ(atomic_load(&arrived), 26);
	t[5] = started(for_ever, NULL); /* may never have run */
	CHECK_EQ(goru_shutdown(), 0);
	test_join(thread);
	CHECK_EQ(goru_task_join(t[0], NULL), -ECANCELED);
	CHECK_EQ(goru_task_join_until(t[1], NULL, 0), -ECANCELED);
	CHECK_EQ(goru_task_join(t[2], NULL), -ECANCELED);
	CHECK_EQ(goru_task_join(t[3], NULL), 0); /* it had ended */
	CHECK_EQ(goru_task_detach(t[5]), 0);
	CHECK_EQ(atomic_load(&back), 0);
	if (!GRT_ASAN_ON && !GRT_TSAN_ON)
		CHECK(test_mappings() - before < 20);
	/* keys stay usable, and so do big stacks, without a runtime */
	CHECK_EQ(goru_local_set(key, mark), 0);
	CHECK(goru_local_get(key) == mark);
	CHECK_EQ(goru_local_delete(key), 0);
	CHECK_EQ(test_deep(20), 21);
	join_gives_the_result();
}

TEST_MAIN(TEST_BOTH(join_gives_the_result), TEST_BOTH(one_that_has_ended),
	  TEST_BOTH(exit_ends_the_task), TEST_BOTH(wrong_arguments), TEST_BOTH(not_itself),
	  TEST_BOTH(deadlines), TEST_BOTH(detached), TEST(dropped))
