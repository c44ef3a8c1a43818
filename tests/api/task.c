/* task.c - tasks, values of one's own, and calls on big stacks: results, misuse, both kinds of callers. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"

static void *const mark = (void *)0x1234;

/* Tasks. */

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

static goru_task *started(void *(*fn)(void *), void *arg)
{
	goru_task *t = NULL;

	CHECK_EQ(goru_task_start(&t, fn, arg), 0);
	CHECK(t);
	return t;
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

/* Values of one's own. */

static goru_local_key key, other;
static _Atomic int destroyed;

static void destroy(void *value)
{
	CHECK(value == mark);
	CHECK(!goru_local_get(key)); /* it is NULL while its destructor runs */
	goru_yield();		     /* which may wait */
	goru_sleep(GORU_USEC);
	atomic_fetch_add(&destroyed, 1);
}

static void sets(void)
{
	CHECK(!goru_local_get(key));
	CHECK_EQ(goru_local_set(key, &key), 0);
	goru_yield();
	CHECK(goru_local_get(key) == &key);
	goru_sleep(100 * GORU_USEC);
	CHECK(goru_local_get(key) == &key);
	CHECK_EQ(goru_local_set(key, mark), 0);
}

static void *sets_task(void *arg)
{
	sets();
	return arg;
}

static void sets_and_exits(void)
{
	sets();
	goru_exit();
}

static void each_has_its_own(void)
{
	pthread_t t[3];

	atomic_store(&destroyed, 0);
	CHECK_EQ(goru_local_create(&key, destroy), 0);
	CHECK_EQ(goru_local_set(key, &t), 0);
	for (int i = 0; i < 3; i++) {
		test_thread(&t[i], sets);
		CHECK_EQ(go(sets), 0);
		CHECK_EQ(go(sets_and_exits), 0);
		/* destroyed before the join is over */
		int before = atomic_load(&destroyed);
		CHECK_EQ(goru_task_join(started(sets_task, NULL), NULL), 0);
		CHECK(atomic_load(&destroyed) > before);
	}
	for (int i = 0; i < 3; i++)
		test_join(t[i]);
	UNTIL(atomic_load(&destroyed) == 12);
	CHECK(goru_local_get(key) == &t);
	CHECK_EQ(goru_local_set(key, NULL), 0);
	CHECK(!goru_local_get(key));
	CHECK_EQ(goru_local_delete(key), 0);
}

static void keys(void)
{
	static goru_local_key k[1024];

	CHECK_EQ(goru_local_create(NULL, NULL), -EINVAL);
	CHECK_EQ(goru_local_set(0, mark), -EINVAL);
	CHECK(!goru_local_get(0));
	CHECK_EQ(goru_local_delete(0), -EINVAL);
	for (int i = 0; i < 1024; i++)
		CHECK_EQ(goru_local_create(&k[i], NULL), 0);
	CHECK_EQ(goru_local_create(&key, NULL), -EAGAIN);
	for (int i = 0; i < 1024; i++)
		CHECK_EQ(goru_local_set(k[i], &k[i]), 0);
	for (int i = 0; i < 1024; i++)
		CHECK(goru_local_get(k[i]) == &k[i]);
	CHECK_EQ(goru_local_delete(k[700]), 0);
	CHECK_EQ(goru_local_delete(k[700]), -EINVAL);
	CHECK_EQ(goru_local_set(k[700], mark), -EINVAL);
	CHECK(!goru_local_get(k[700]));
	CHECK_EQ(goru_local_create(&key, NULL), 0);
	CHECK(key != k[700] && key % 1024 == k[700] % 1024); /* the same place */
	CHECK(!goru_local_get(key));			     /* but not the old value */
	CHECK_EQ(goru_local_set(k[700], mark), -EINVAL);
	CHECK(!goru_local_get(k[700]));
	CHECK_EQ(goru_local_delete(key), 0);
	for (int i = 0; i < 1024; i++)
		CHECK_EQ(goru_local_delete(k[i]), i == 700 ? -EINVAL : 0);
}

static _Atomic int rounds;
static _Atomic bool by_exit;

/* For ever, if it were let. */
static void sets_again(void *value)
{
	atomic_fetch_add(&rounds, 1);
	CHECK_EQ(goru_local_set(key, value), 0);
	CHECK_EQ(goru_local_set(other, value), 0); /* and makes the array grow meanwhile */
	if (by_exit && goru_id())
		goru_exit();
}

static void sets_once(void)
{
	CHECK_EQ(goru_local_set(key, mark), 0);
}

static void four_rounds(void)
{
	goru_local_key between[40];
	pthread_t t;

	CHECK_EQ(goru_local_create(&key, sets_again), 0);
	for (int i = 0; i < 40; i++)
		CHECK_EQ(goru_local_create(&between[i], NULL), 0);
	CHECK_EQ(goru_local_create(&other, NULL), 0);
	for (int i = 0; i < 2; i++) {
		atomic_store(&by_exit, i == 1);
		atomic_store(&rounds, 0);
		CHECK_EQ(go(sets_once), 0);
		UNTIL(test_alive() == 0);
		CHECK_EQ(atomic_load(&rounds), 4);
	}
	atomic_store(&rounds, 0);
	test_thread(&t, sets_once);
	test_join(t);
	CHECK_EQ(atomic_load(&rounds), 4);
	CHECK_EQ(goru_local_delete(key), 0);
	CHECK_EQ(goru_local_delete(other), 0);
	for (int i = 0; i < 40; i++)
		CHECK_EQ(goru_local_delete(between[i]), 0);
}

static void *deletes(void *arg)
{
	sets_once();
	CHECK_EQ(goru_local_delete(key), 0);
	CHECK_EQ(goru_local_create(&other, destroy), 0);
	return arg;
}

/* Whose key is gone is not destroyed, by the next key's destructor neither. */
static void not_after_delete(void)
{
	atomic_store(&destroyed, 0);
	CHECK_EQ(goru_local_create(&key, destroy), 0);
	CHECK_EQ(goru_task_join(started(deletes, NULL), NULL), 0);
	CHECK_EQ(other % 1024, key % 1024);
	CHECK_EQ(atomic_load(&destroyed), 0);
	CHECK_EQ(goru_local_delete(other), 0);
}

/* Big stacks. */

enum { BIG = 4 << 20 };

static __attribute__((noinline)) int deep(int n)
{
	volatile char use[1000];

	use[0] = use[999] = 1;
	return n == 0 ? use[999] : deep(n - 1) + use[0];
}

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
	CHECK_EQ(deep(2500), 2501); /* 2.5 MB and more */
	goru_yield();
	CHECK_EQ(goru_sleep(c->sleep), 0);
	if (c->nest-- > 0)
		CHECK_EQ(goru_call_on_big_stack(BIG, calls, c), 0);
	CHECK_EQ(goru_sleep(c->sleep), 0);
	CHECK_EQ(deep(1000), 1001);
}

static void on_a_big_stack(void)
{
	struct call c = { .id = goru_id(), .sleep = 200 * GORU_USEC, .nest = 3 };
	char here = 1;

	CHECK_EQ(goru_call_on_big_stack(BIG, calls, &c), 0);
	CHECK_EQ(c.calls, 4);
	CHECK_EQ(here, 1);
	CHECK_EQ(deep(20), 21);
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
	if (!GRT_ASAN_ON && !GRT_TSAN_ON)
		CHECK(test_mappings() - before < ROUNDS);
	CHECK_EQ(goru_local_delete(key), 0);
}

/* pthread_exit unwinds, in glibc. */
static void ends_thread_there(void *arg)
{
	if (arg)
		goru_call_on_big_stack(1 << 17, ends_thread_there, NULL);
	pthread_exit(NULL);
}

static void *ends_there(void *arg)
{
	goru_call_on_big_stack(1 << 18, ends_thread_there, arg);
	CHECK(!"after pthread_exit");
	return arg;
}

static void thread_ends_on_a_big_stack(void)
{
	int before = 0;

#ifdef __GLIBC__
	if (GRT_ASAN_ON || GRT_TSAN_ON)
		return;
	for (int i = 0; i < 60; i++) {
		pthread_t t;

		if (i == 20)
			before = test_mappings();
		CHECK_EQ(pthread_create(&t, NULL, ends_there, i % 2 ? &t : NULL), 0);
		test_join(t);
	}
	CHECK(test_mappings() - before < 20);
#endif
	(void)ends_there;
	(void)before;
}

/* Shutdown. */

static _Atomic int arrived, back;

static void *for_ever(void *arg)
{
	atomic_fetch_add(&arrived, 1);
	goru_select(NULL, 0);
	return arg;
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
	CHECK_EQ(deep(20), 21);
	join_gives_the_result();
}

/* Deaths, in children. */

static __attribute__((noinline)) int deeper(int n)
{
	volatile char use[200];

	use[0] = (char)n;
	return n < 0 ? 0 : deeper(n + 1) + use[0];
}

static void recurses(void *arg)
{
	(void)arg;
	goru_yield();
	deeper(0);
}

static void on_its_big_stack(void *arg)
{
	goru_call_on_big_stack(1 << 20, recurses, arg);
}

static void overflow_there(void)
{
	goru_attr a = { .name = "worker" };

	CHECK_EQ(goru_go_attr(&a, on_its_big_stack, NULL), 0);
	sleep(20);
}

static void after_it(void *arg)
{
	goru_call_on_big_stack(1 << 20, (void (*)(void *))goru_yield, NULL);
	recurses(arg);
}

static void overflow_after(void)
{
	CHECK_EQ(goru_go(after_it, NULL), 0);
	sleep(20);
}

static void join_twice(void)
{
	goru_task *t = started(for_ever, NULL);

	CHECK_EQ(go(joins_for_ever, t), 0);
	UNTIL(test_asleep() == 2);
	fprintf(stderr, "%p\n", (void *)t);
	(void)!goru_task_join(t, NULL);
}

static void detach_joined(void)
{
	goru_task *t = started(for_ever, NULL);

	CHECK_EQ(go(joins_for_ever, t), 0);
	UNTIL(test_asleep() == 2);
	fprintf(stderr, "%p\n", (void *)t);
	goru_task_detach(t);
}

static void *ends_badly(void *t)
{
	(void)!goru_task_join(t, NULL);
	return t;
}

static void join_detached(void)
{
	goru_task *t = started(for_ever, NULL);

	CHECK_EQ(goru_task_detach(t), 0);
	fprintf(stderr, "%p\n", (void *)t);
	started(ends_badly, t);
	sleep(20);
}

static void detach_twice(void)
{
	goru_task *t = started(for_ever, NULL);

	CHECK_EQ(goru_task_detach(t), 0);
	fprintf(stderr, "%p\n", (void *)t);
	goru_task_detach(t);
}

/* The child has told where its task is. */
static void dies_of_misuse(void (*fn)(void), const char *what)
{
	static struct test_end c;
	char want[200];
	void *t = NULL;

	test_child(fn, &c);
	CHECK(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGABRT);
	CHECK_EQ(sscanf(c.err, "%p", &t), 1);
	snprintf(want, sizeof(want), "\ngoru: fatal: task %p: %s\n", t, what);
	if (!CHECK(strstr(c.err, want)))
		fprintf(stderr, "not \"%s\" but \"%s\"\n", want, c.err);
}

static void misuse_is_fatal(void)
{
	CHECK_DIES(overflow_there,
		   "goru: fatal: stack overflow in goroutine 1 (worker), 1048576-byte big stack");
	CHECK_DIES(overflow_after, "goru: fatal: stack overflow in goroutine 1, 262144-byte stack");
	dies_of_misuse(join_twice, "joined from two places, by a plain thread");
	dies_of_misuse(detach_joined, "detached, but it is joined, by a plain thread");
	dies_of_misuse(join_detached, "joined, but it is detached, by goroutine 2");
	dies_of_misuse(detach_twice, "detached twice, by a plain thread");
}

TEST_MAIN(TEST(misuse_is_fatal), TEST_BOTH(join_gives_the_result), TEST_BOTH(one_that_has_ended),
	  TEST_BOTH(exit_ends_the_task), TEST_BOTH(wrong_arguments), TEST_BOTH(not_itself),
	  TEST_BOTH(deadlines), TEST_BOTH(detached), TEST_BOTH(each_has_its_own), TEST_BOTH(keys),
	  TEST_BOTH(four_rounds), TEST_BOTH(not_after_delete), TEST_BOTH(on_a_big_stack),
	  TEST_BOTH(many_at_once), TEST_BOTH(sizes), TEST_BOTH(exit_from_a_big_stack),
	  TEST(thread_ends_on_a_big_stack), TEST(dropped))
