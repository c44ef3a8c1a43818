/* select.c - selects against selects in both directions: each value exactly once, one case each, nothing left behind. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <string.h>

enum { CHANS = 4, ACTORS = 6, VALUES = 1 << 14, MANY = 20 };

static goru_chan *chans[CHANS];
static _Atomic uint8_t seen[VALUES]; /* 0 not sent, 1 sent or about to be, 2 received */
static _Atomic uint32_t next_value, sent, received, quiet;
static goru_waitgroup wg;

static uint32_t mint(void)
{
	uint32_t v = atomic_fetch_add_explicit(&next_value, 1, memory_order_relaxed);

	if (v >= VALUES)
		return UINT32_MAX;
	CHECK_EQ(atomic_exchange_explicit(&seen[v], 1, memory_order_relaxed), 0);
	return v;
}

static void took(uint32_t v)
{
	CHECK(v < VALUES);
	CHECK_EQ(atomic_exchange_explicit(&seen[v], 2, memory_order_relaxed), 1);
	atomic_fetch_add_explicit(&received, 1, memory_order_relaxed);
}

/* An actor sends its value and receives on the same channels, some twice: whichever comes first. It ends when all
 * values are gone and the channels are closed. */
static void actor(uint64_t salt)
{
	uint64_t r = stress_rand(salt);
	uint32_t v = mint(), in[MANY];
	goru_case k[MANY];
	int closed = 0;

	while (v != UINT32_MAX || !closed) {
		int n = 0, i, ncases = 2 + (int)grt_rand_below(&r, 5);

		if (grt_rand_below(&r, 40) == 0)
			ncases = MANY; /* more than fit on the stack */
		for (; n < ncases; n++) {
			goru_chan *c = chans[grt_rand_below(&r, CHANS)];

			in[n] = 0xdeadbeef;
			if (v != UINT32_MAX && grt_rand_below(&r, 2))
				k[n] = GORU_SEND(c, &v);
			else if (grt_rand_below(&r, 10) == 0)
				k[n] = GORU_RECV(NULL, &in[n]);
			else
				k[n] = GORU_RECV(c, &in[n]);
		}
		switch (grt_rand_below(&r, 4)) {
		case 0:
			i = goru_try_select(k, n);
			break;
		case 1:
			i = goru_select_until(k, n, goru_in(grt_rand_below(&r, 60000)));
			break;
		default:
			/* all may wait to send, or all to receive: then only a deadline ends it */
			i = goru_select_until(k, n, goru_in(500000));
			break;
		}
		if (i == -EAGAIN || i == -ETIMEDOUT) {
			for (int j = 0; j < n; j++)
				CHECK(k[j].op == GORU_OP_SEND_ || in[j] == 0xdeadbeef);
			goru_yield();
			continue;
		}
		CHECK(i >= 0 && i < n);
		for (int j = 0; j < n; j++)
			CHECK(j == i || k[j].op == GORU_OP_SEND_ || in[j] == 0xdeadbeef);
		if (k[i].op == GORU_OP_SEND_) {
			if (k[i].result == -EPIPE) {
				/* not sent: it is taken back */
				CHECK_EQ(atomic_exchange_explicit(&seen[v], 0,
								  memory_order_relaxed),
					 1);
				v = UINT32_MAX;
				closed = 1;
			} else {
				CHECK_EQ(k[i].result, 0);
				atomic_fetch_add_explicit(&sent, 1, memory_order_relaxed);
				v = mint();
			}
		} else if (k[i].result == 1) {
			took(in[i]);
		} else {
			CHECK_EQ(k[i].result, 0);
			CHECK_EQ(in[i], 0);
			closed = 1;
		}
		if (v == UINT32_MAX && !closed &&
		    atomic_load_explicit(&quiet, memory_order_relaxed))
			closed = 1;
	}
	goru_waitgroup_done(&wg);
}

static void *actor_thread(void *arg)
{
	actor((uint64_t)(uintptr_t)arg);
	return NULL;
}

/* Values still in buffers when everybody has gone. */
static void drain(void)
{
	for (int i = 0; i < CHANS; i++) {
		uint32_t v;

		while (goru_chan_recv(chans[i], &v) > 0)
			took(v);
	}
}

static void round_of(uint64_t *r, int threads)
{
	pthread_t t[ACTORS];
	int n = 2 + (int)grt_rand_below(r, ACTORS - 1);
	bool early = grt_rand_below(r, 3) == 0;

	for (int i = 0; i < CHANS; i++)
		chans[i] = goru_chan_make(sizeof(uint32_t),
					  grt_rand_below(r, 2) ? 0 : grt_rand_below(r, 4));
	memset((void *)seen, 0, sizeof(seen));
	atomic_store(&next_value, VALUES - 1 - grt_rand_below(r, 1000));
	atomic_store(&sent, 0);
	atomic_store(&received, 0);
	atomic_store(&quiet, 0);

	threads = threads > n ? n : threads;
	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++) {
		uint64_t salt = grt_rand64(r) >> 16;

		if (i < threads)
			stress_thread(&t[i], actor_thread, (void *)(uintptr_t)salt);
		else
			GO(actor, salt);
	}
	if (!early)
		STRESS_UNTIL(atomic_load(&next_value) >= VALUES);
	/* some actors may hold a value that nobody takes any more: closing gives it back to them */
	for (int i = 0; i < CHANS; i++)
		CHECK_EQ(goru_chan_close(chans[i]), 0);
	atomic_store(&quiet, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	for (int i = 0; i < threads; i++)
		stress_join(t[i]);
	drain();
	CHECK_EQ(atomic_load(&received), atomic_load(&sent));
	for (int i = 0; i < VALUES; i++)
		CHECK(atomic_load_explicit(&seen[i], memory_order_relaxed) != 1);
	for (int i = 0; i < CHANS; i++)
		goru_chan_unref(chans[i]); /* fatal with a waiter left */
}

static void test_goroutines(void **state)
{
	uint64_t r = stress_rand(1);

	(void)state;
	while (stress_more())
		round_of(&r, 0);
}

static void test_threads(void **state)
{
	uint64_t r = stress_rand(2);

	(void)state;
	while (stress_more())
		round_of(&r, 3);
}

/* A ring of goroutines, each selecting between its left and its right in both directions: tokens go round, none gets
 * lost or doubled. Without deadlines: a lost wake-up stands still. */
enum { RING = 5 };
static goru_chan *ring[RING];

static void node(int at, int rounds)
{
	goru_chan *left = ring[at], *right = ring[(at + 1) % RING], *quit = chans[0];
	uint64_t token;
	uint64_t r = stress_rand((uint64_t)at);

	(void)rounds;
	for (;;) {
		goru_case k[] = { GORU_RECV(left, &token), GORU_RECV(right, &token),
				  GORU_RECV(quit, NULL) };
		int i = goru_select(k, 3);

		CHECK(i >= 0);
		if (i == 2)
			break;
		CHECK_EQ(k[i].result, 1);
		atomic_fetch_add_explicit(&received, 1, memory_order_relaxed);
		if (grt_rand_below(&r, 20) == 0)
			goru_yield();

		goru_case s[] = { GORU_SEND(left, &token), GORU_SEND(right, &token),
				  GORU_RECV(quit, NULL) };

		i = goru_select(s, 3);
		CHECK(i >= 0);
		if (i == 2) {
			atomic_fetch_or_explicit(&sent, (uint32_t)token, memory_order_relaxed);
			break;
		}
		CHECK_EQ(s[i].result, 0);
	}
	goru_waitgroup_done(&wg);
}

static void test_ring(void **state)
{
	(void)state;
	for (int i = 0; i < RING; i++)
		ring[i] = goru_chan_make(sizeof(uint64_t), 0);
	chans[0] = goru_chan_make(0, 0);
	atomic_store(&received, 0);
	atomic_store(&sent, 0);
	goru_waitgroup_add(&wg, RING);
	for (int i = 0; i < RING; i++)
		GO(node, i, 0);
	for (uint64_t token = 1; token <= 2; token *= 2)
		CHECK_EQ(goru_chan_send(ring[token], &token), 0);
	while (stress_more()) {
		uint32_t was = atomic_load(&received);

		STRESS_UNTIL(atomic_load(&received) - was > 100);
	}
	CHECK_EQ(goru_chan_close(chans[0]), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	/* unbuffered: a token is always in somebody's hands */
	CHECK_EQ(atomic_load(&sent), 3);
	for (int i = 0; i < RING; i++)
		goru_chan_unref(ring[i]);
	goru_chan_unref(chans[0]);
}

STRESS_MAIN("stress/select", cmocka_unit_test(test_goroutines), cmocka_unit_test(test_threads),
	    cmocka_unit_test(test_ring))
