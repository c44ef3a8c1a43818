/* injq.c - the shared queue: order, batches, its length as seen from outside. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "part/injq.h"

enum { MANY = 8000, THREADS = 4 };

static struct injq q = { .lock = GRT_SPIN(LOCK_INJQ) };
static struct g gs[MANY];

static void first_in_first_out(void)
{
	struct glist out = { 0 }, batch = { 0 };

	CHECK_EQ(grt_injq_len(&q), 0);
	grt_injq_take(&q, 10, &out);
	CHECK_EQ(out.n, 0);
	grt_injq_push(&q, &gs[0]);
	for (int i = 1; i < 4; i++)
		grt_glist_push(&batch, &gs[i]);
	grt_injq_append(&q, &batch);
	CHECK(!batch.head);
	CHECK_EQ(grt_injq_len(&q), 4);
	grt_injq_push(&q, &gs[4]);
	CHECK_EQ(grt_injq_len(&q), 5);
	grt_injq_take(&q, 2, &out);
	CHECK_EQ(grt_injq_len(&q), 3);
	grt_injq_take(&q, 0, &out);
	CHECK_EQ(out.n, 2);
	grt_injq_take(&q, 100, &out);
	CHECK_EQ(grt_injq_len(&q), 0);
	CHECK_EQ(out.n, 5);
	for (int i = 0; i < 5; i++)
		CHECK(grt_glist_pop(&out) == &gs[i]);
}

/* Every length of a group, of a batch and of a take meets every other one; the order stays. */
static void order_of_batches(void)
{
	uint32_t in = 0, out = 0, seed = 1;

	for (int round = 0; round < 20000; round++) {
		struct glist batch = { 0 }, some = { 0 };
		uint32_t n, room = MANY - (in - out);

		seed = seed * 1664525 + 1013904223;
		n = seed >> 16 & (seed >> 28 ? 31 : 255);
		n = n < room ? n : room;
		switch (seed >> 8 & 3) {
		case 0:
			for (uint32_t i = 0; i < n % 20; i++)
				grt_injq_push(&q, &gs[in++ % MANY]);
			break;
		case 1:
			for (uint32_t i = 0; i < n; i++)
				grt_glist_push(&batch, &gs[in++ % MANY]);
			grt_injq_append(&q, &batch);
			break;
		default:
			grt_injq_take(&q, n, &some);
			CHECK_EQ(some.n, n < in - out ? n : in - out);
			for (struct g *g; (g = grt_glist_pop(&some)); out++) {
				CHECK(g == &gs[out % MANY]);
				/* it runs, and its record is written */
				memset(g->group, 0x5a, sizeof(g->group));
				g->schedlink = NULL;
			}
		}
		CHECK_EQ(grt_injq_len(&q), in - out);
	}
	for (struct glist rest = { 0 }; out != in; out++) {
		grt_injq_take(&q, 1, &rest);
		CHECK(grt_glist_pop(&rest) == &gs[out % MANY]);
	}
	CHECK_EQ(grt_injq_len(&q), 0);
}

static _Atomic int next, taken;
static _Atomic uint8_t seen[MANY];

/* Puts its share and takes what it finds; an untaken rest is somebody else's to find. */
static void work(void)
{
	for (int i; (i = atomic_fetch_add(&next, 1)) < MANY;) {
		struct glist out = { 0 };

		grt_injq_push(&q, &gs[i]);
		grt_injq_take(&q, (uint32_t)i % 3, &out);
		for (struct g *g; (g = grt_glist_pop(&out));) {
			CHECK_EQ(atomic_fetch_add(&seen[g - gs], 1), 0);
			atomic_fetch_add(&taken, 1);
		}
	}
}

static void nothing_lost_or_doubled(void)
{
	struct glist out = { 0 };
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		test_thread(&t[i], work);
	for (int i = 0; i < THREADS; i++)
		test_join(t[i]);
	CHECK_EQ(atomic_load(&taken) + (int)grt_injq_len(&q), MANY);
	grt_injq_take(&q, MANY, &out);
	CHECK_EQ(atomic_load(&taken) + (int)out.n, MANY);
}

TEST_MAIN(TEST(first_in_first_out), TEST(order_of_batches), TEST(nothing_lost_or_doubled))
