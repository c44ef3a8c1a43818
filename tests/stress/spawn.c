/* spawn.c - goroutines made by goroutines, by plain threads, in deep chains, past a full ring: each runs once. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

enum { RING = 256, THREADS = 4 };

static _Atomic int64_t ran, sum;
static goru_waitgroup wg;

static void leaf(int64_t v)
{
	atomic_fetch_add_explicit(&ran, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&sum, v, memory_order_relaxed);
	goru_waitgroup_done(&wg);
}

static void begin(void)
{
	atomic_store(&ran, 0);
	atomic_store(&sum, 0);
}

static void finish(int64_t n, int64_t total)
{
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(atomic_load(&ran), n);
	CHECK_EQ(atomic_load(&sum), total);
	stress_progress();
}

/* More at once than the ring holds. */
static void storm(int n)
{
	begin();
	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		GO(leaf, (int64_t)i);
	finish(n, (int64_t)n * (n - 1) / 2);
}

static void storm_main(void *arg)
{
	uint64_t r = stress_rand(1);

	(void)arg;
	while (stress_more())
		storm(1 + (int)grt_rand_below(&r, RING * 8));
}

static void test_from_goroutine(void **state)
{
	(void)state;
	CHECK_EQ(goru_run(storm_main, NULL), 0);
}

static void test_from_thread(void **state)
{
	uint64_t r = stress_rand(2);

	(void)state;
	while (stress_more())
		storm(1 + (int)grt_rand_below(&r, RING * 3));
}

static void *spawner(void *arg)
{
	int n = *(int *)arg;
	uint64_t r = stress_rand(3);

	for (int i = 0; i < n; i++) {
		GO(leaf, (int64_t)1);
		stress_pause(&r, 50);
	}
	return NULL;
}

static void test_from_threads(void **state)
{
	(void)state;
	while (stress_more()) {
		pthread_t t[THREADS];
		int n = 300;

		begin();
		goru_waitgroup_add(&wg, n * THREADS);
		for (int i = 0; i < THREADS; i++)
			stress_thread(&t[i], spawner, &n);
		finish(n * THREADS, n * THREADS);
		for (int i = 0; i < THREADS; i++)
			stress_join(t[i]);
	}
}

/* Each makes the next and ends: the stack just left is the next one's at once. */
static void chain(int left)
{
	atomic_fetch_add_explicit(&ran, 1, memory_order_relaxed);
	if (left)
		GO(chain, left - 1);
	else
		goru_waitgroup_done(&wg);
}

static void tree(int depth)
{
	atomic_fetch_add_explicit(&ran, 1, memory_order_relaxed);
	for (int i = 0; i < 2 && depth; i++)
		GO(tree, depth - 1);
	goru_waitgroup_done(&wg);
}

static void test_chain_and_tree(void **state)
{
	uint64_t r = stress_rand(4);

	(void)state;
	while (stress_more()) {
		int n = 1 + (int)grt_rand_below(&r, 2000), depth = (int)grt_rand_below(&r, 10);

		begin();
		goru_waitgroup_add(&wg, 1);
		GO(chain, n - 1);
		finish(n, 0);

		begin();
		goru_waitgroup_add(&wg, (2 << depth) - 1);
		GO(tree, depth);
		finish((2 << depth) - 1, 0);
	}
}

/* The argument words arrive as they were, whatever ran on that stack before. */
static void six(int64_t a, int b, uint64_t c, bool d, void *e, short f)
{
	CHECK(a == -1 && c == 3 && e == &sum && f == -6);
	CHECK_EQ(d, b & 1);
	leaf(b);
}

static void words_main(void *arg)
{
	(void)arg;
	while (stress_more()) {
		int n = RING + 10;

		begin();
		goru_waitgroup_add(&wg, n);
		for (int i = 0; i < n; i++)
			GO(six, -1, i, 3u, i & 1, (void *)&sum, -6);
		finish(n, (int64_t)n * (n - 1) / 2);
	}
}

static void test_words(void **state)
{
	(void)state;
	CHECK_EQ(goru_run(words_main, NULL), 0);
}

/* Ids are never used twice. */
enum { IDS = 1 << 15 };
static _Atomic uint8_t seen[IDS];

static void id_leaf(void)
{
	uint64_t id = goru_id();

	CHECK(id > 0);
	if (id < IDS)
		CHECK_EQ(atomic_fetch_add_explicit(&seen[id], 1, memory_order_relaxed), 0);
	goru_waitgroup_done(&wg);
}

static void *id_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		GO(id_leaf);
	return NULL;
}

static void id_main(void *arg)
{
	pthread_t t;

	(void)arg;
	goru_waitgroup_add(&wg, 200);
	stress_thread(&t, id_thread, NULL);
	for (int i = 0; i < 100; i++)
		GO(id_leaf);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	stress_join(t);
}

static void test_ids(void **state)
{
	(void)state;
	CHECK_EQ(goru_run(id_main, NULL), 0);
}

STRESS_MAIN("stress/spawn", cmocka_unit_test(test_ids), cmocka_unit_test(test_from_goroutine),
	    cmocka_unit_test(test_from_thread), cmocka_unit_test(test_from_threads),
	    cmocka_unit_test(test_chain_and_tree), cmocka_unit_test(test_words))
