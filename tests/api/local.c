/* local.c - values of one's own: each has its own, destroyed at the end, in rounds, and not once the key is gone. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>

#include "task.h"

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

TEST_MAIN(TEST_BOTH(each_has_its_own), TEST_BOTH(keys), TEST_BOTH(four_rounds),
	  TEST_BOTH(not_after_delete))
