/* task.c - joins against ends, deadlines and detaches; locals and big stacks of many; shutdown in the middle of it. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <stdlib.h>

enum { THREADS = 3, WORKERS = 12 };

static goru_waitgroup wg;
static _Atomic long started, ended;

/* Done in many ways: some at once, some after a wait, some by goru_exit. */
static void *work(void *arg)
{
	uintptr_t v = (uintptr_t)arg;
	uint64_t r = v;

	switch (grt_rand_below(&r, 8)) {
	case 0:
		goru_yield();
		break;
	case 1:
		goru_sleep(grt_rand_below(&r, 100000));
		break;
	case 2:
		stress_spin(grt_rand_below(&r, 20000));
		break;
	case 3:
		atomic_fetch_add(&ended, 1);
		goru_exit();
	}
	atomic_fetch_add(&ended, 1);
	return (void *)(v ^ 0x5555);
}

static goru_task *start(uint64_t *r, uintptr_t *v)
{
	goru_task *t;

	*v = (uintptr_t)grt_rand64(r) | 1;
	CHECK_EQ(goru_task_start(&t, work, (void *)*v), 0);
	atomic_fetch_add(&started, 1);
	return t;
}

static void finish(goru_task *t, uintptr_t v, uint64_t *r)
{
	void *result = &wg;
	int rc = -ETIMEDOUT;

	switch (grt_rand_below(r, 4)) {
	case 0:
		CHECK_EQ(goru_task_detach(t), 0);
		return;
	case 1:
		while (rc == -ETIMEDOUT)
			rc = goru_task_join_until(t, &result,
						  goru_in(grt_rand_below(r, 60000) - 1000));
		break;
	case 2:
		stress_spin(grt_rand_below(r, 5000));
		rc = goru_task_join_until(t, &result, INT64_MIN);
		if (rc == 0)
			break;
		CHECK_EQ(rc, -ETIMEDOUT);
		CHECK(result == &wg);
		/* fallthrough */
	default:
		rc = goru_task_join(t, &result);
	}
	CHECK_EQ(rc, 0);
	CHECK(!result || (uintptr_t)result == (v ^ 0x5555));
}

/* Several under way at a time. */
static void joins(uint64_t salt)
{
	uint64_t r = stress_rand(salt);
	goru_task *t[8];
	uintptr_t v[8];

	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, 8);

		for (int i = 0; i < n; i++)
			t[i] = start(&r, &v[i]);
		for (int i = 0; i < n; i++)
			finish(t[i], v[i], &r);
	}
	goru_waitgroup_done(&wg);
}

static void *joins_thread(void *arg)
{
	joins((uintptr_t)arg);
	return NULL;
}

static void test_join(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	goru_waitgroup_add(&wg, WORKERS + THREADS);
	for (uintptr_t i = 0; i < THREADS; i++)
		stress_thread(&t[i], joins_thread, (void *)(i + 1));
	for (int i = 0; i < WORKERS; i++)
		GO(joins, (uint64_t)(10 + i));
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	for (int i = 0; i < THREADS; i++)
		stress_join(t[i]);
	STRESS_UNTIL(atomic_load(&started) == atomic_load(&ended));
}

/* A task made to end just when its joiner, of either kind, gives up or its owner lets it go. */
static void *spins_until(void *at)
{
	while (goru_now() < *(int64_t *)at)
		;
	return at;
}

static void test_at_the_deadline(void **state)
{
	uint64_t r = stress_rand(30);

	(void)state;
	for (int i = 0; stress_more(); i++) {
		int64_t at = goru_in(40 * GORU_USEC), end = at + grt_rand_below(&r, 4000) - 2000;
		goru_task *t;
		void *result = NULL;
		int rc;

		CHECK_EQ(goru_task_start(&t, spins_until, &end), 0);
		if (i % 4 == 3) {
			while (goru_now() < end)
				;
			CHECK_EQ(goru_task_join(t, &result), 0);
			continue;
		}
		rc = goru_task_join_until(t, &result, at);
		if (rc == -ETIMEDOUT)
			rc = goru_task_join(t, &result);
		CHECK_EQ(rc, 0);
		CHECK(result == &end);
	}
}

/* Locals: every value set is destroyed once, unless its key went first; nobody sees another's. */
enum { KEYS = 20 };

static goru_local_key key[KEYS];
static _Atomic long values, destroyed;

struct value {
	uint64_t owner;
};

static void destroy(void *arg)
{
	struct value *v = arg;

	CHECK_EQ(v->owner, goru_id());
	if (v->owner % 8 == 1)
		goru_yield();
	free(v);
	atomic_fetch_add(&destroyed, 1);
}

static void uses_locals(uint64_t salt)
{
	uint64_t r = stress_rand(salt), id = goru_id();
	goru_local_key mine;

	CHECK_EQ(goru_local_create(&mine, NULL), 0);
	CHECK_EQ(goru_local_set(mine, &r), 0);
	for (int i = 0; i < 12; i++) {
		unsigned k = grt_rand_below(&r, KEYS);
		struct value *v = goru_local_get(key[k]);

		if (v) {
			CHECK_EQ(v->owner, id);
		} else {
			v = malloc(sizeof(*v));
			CHECK(v);
			v->owner = id;
			CHECK_EQ(goru_local_set(key[k], v), 0);
			atomic_fetch_add(&values, 1);
		}
		if (grt_rand_below(&r, 4) == 0)
			goru_yield();
		CHECK(goru_local_get(mine) == &r);
	}
	CHECK_EQ(goru_local_delete(mine), 0);
	goru_waitgroup_done(&wg);
	if (id % 3 == 1)
		goru_exit();
}

static void *uses_locals_thread(void *arg)
{
	uses_locals((uintptr_t)arg);
	return NULL;
}

static void test_locals(void **state)
{
	uint64_t r = stress_rand(40);
	pthread_t t;

	(void)state;
	for (int i = 0; i < KEYS; i++)
		CHECK_EQ(goru_local_create(&key[i], destroy), 0);
	while (stress_more()) {
		int n = stress_many(300);

		goru_waitgroup_add(&wg, n + 1);
		stress_thread(&t, uses_locals_thread, (void *)(uintptr_t)grt_rand64(&r));
		for (int i = 0; i < n; i++)
			GO(uses_locals, grt_rand64(&r));
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		stress_join(t);
		STRESS_UNTIL(atomic_load(&values) == atomic_load(&destroyed));
	}
	for (int i = 0; i < KEYS; i++)
		CHECK_EQ(goru_local_delete(key[i]), 0);
}

/* Big stacks: parks, nesting, ends there; what lies on each stays. */
struct big_call {
	uint64_t rand;
	int nest;
};

static void on_big(void *arg)
{
	struct big_call *c = arg, inner;
	unsigned char use[20000];
	unsigned char mark = (unsigned char)grt_rand64(&c->rand);

	for (size_t i = 0; i < sizeof(use); i += 500)
		((volatile unsigned char *)use)[i] = mark;
	if (grt_rand_below(&c->rand, 2))
		goru_yield();
	else
		goru_sleep(grt_rand_below(&c->rand, 50000));
	inner = (struct big_call){ grt_rand64(&c->rand), c->nest - 1 };
	if (c->nest)
		CHECK_EQ(goru_call_on_big_stack(1 << 16, on_big, &inner), 0);
	for (size_t i = 0; i < sizeof(use); i += 500)
		CHECK_EQ(((volatile unsigned char *)use)[i], mark);
	if (goru_id() && grt_rand_below(&c->rand, 16) == 0)
		goru_exit();
}

static void *calls_big(void *arg)
{
	struct big_call c = { (uintptr_t)arg, 2 };

	for (int i = 0; i < 4; i++)
		CHECK_EQ(goru_call_on_big_stack(1 << 16, on_big, &c), 0);
	return NULL;
}

static void test_big(void **state)
{
	uint64_t r = stress_rand(50);
	goru_task *t[WORKERS];
	pthread_t thread;

	(void)state;
	while (stress_more()) {
		stress_thread(&thread, calls_big, (void *)(uintptr_t)grt_rand64(&r));
		for (int i = 0; i < WORKERS; i++)
			CHECK_EQ(goru_task_start(&t[i], calls_big,
						 (void *)(uintptr_t)grt_rand64(&r)),
				 0);
		for (int i = 0; i < WORKERS; i++)
			CHECK_EQ(goru_task_join(t[i], NULL), 0);
		stress_join(thread);
	}
}

/* Shutdown while tasks are started, joined, detached, end and wait: each join has an answer, each task is freed. */
static _Atomic bool over;
static _Atomic int outside;

static void *lives_on(void *arg)
{
	uint64_t r = (uintptr_t)arg;

	switch (grt_rand_below(&r, 5)) {
	case 0:
		goru_sleep(3600 * GORU_SEC);
		break;
	case 1:
		calls_big(arg);
		break;
	case 2:
		CHECK_EQ(goru_local_set(key[0], &wg), 0);
		goru_sleep(grt_rand_below(&r, 300000));
		break;
	case 3: {
		goru_task *t;

		/* what one task does not wait for is nobody's when it is dropped: so it is let go first */
		if (goru_task_start(&t, lives_on, (void *)(uintptr_t)grt_rand64(&r)) == 0)
			CHECK_EQ(goru_task_detach(t), 0);
		break;
	}
	}
	return arg;
}

static void *outsider(void *arg)
{
	uint64_t r = stress_rand(60 + (uintptr_t)arg);
	goru_task *t[4];
	void *result;

	while (!atomic_load(&over)) {
		int n = 0;

		while (n < 4) {
			int rc = goru_task_start(&t[n], lives_on,
						 (void *)(uintptr_t)(grt_rand64(&r) | 1));

			CHECK(rc == 0 || rc == -ESHUTDOWN);
			if (rc < 0)
				break;
			n++;
		}
		while (n--) {
			int rc = -ETIMEDOUT;

			if (grt_rand_below(&r, 4) == 0) {
				CHECK_EQ(goru_task_detach(t[n]), 0);
				continue;
			}
			while (rc == -ETIMEDOUT)
				rc = grt_rand_below(&r, 2) ?
					     goru_task_join(t[n], &result) :
					     goru_task_join_until(
						     t[n], &result,
						     goru_in(grt_rand_below(&r, 200000)));
			CHECK(rc == 0 || rc == -ECANCELED);
		}
		stress_progress();
	}
	atomic_fetch_sub(&outside, 1);
	return NULL;
}

static void test_shutdown(void **state)
{
	uint64_t r = stress_rand(70);
	pthread_t t[THREADS];

	(void)state;
	atomic_store(&over, false);
	atomic_store(&outside, THREADS);
	CHECK_EQ(goru_local_create(&key[0], NULL), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		stress_thread(&t[i], outsider, (void *)i);
	while (stress_more()) {
		goru_sleep(grt_rand_below(&r, 1000000));
		CHECK_EQ(goru_shutdown(), 0);
	}
	atomic_store(&over, true);
	/* those that wait for a task which sleeps: no new ones are made but in a round begun before */
	while (atomic_load(&outside)) {
		goru_sleep(GORU_MSEC);
		CHECK_EQ(goru_shutdown(), 0);
	}
	for (int i = 0; i < THREADS; i++)
		stress_join(t[i]);
	CHECK_EQ(goru_local_delete(key[0]), 0);
}

STRESS_MAIN("stress/task", cmocka_unit_test(test_join), cmocka_unit_test(test_at_the_deadline),
	    cmocka_unit_test(test_locals), cmocka_unit_test(test_big),
	    cmocka_unit_test(test_shutdown))
