/* close.c - closing a channel under those who wait on it, send to it and select on it. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>

enum { ACTORS = 12, THREADS = 3 };

static goru_chan *c, *other;
static _Atomic int64_t sent, got, ended;
static goru_waitgroup wg;

/* What each does until the close reaches it. 0: it was closed. */
static int act(unsigned how, uint64_t *r, uint64_t *v)
{
	goru_case k[3];
	int i, rc;

	switch (how % 6) {
	case 0:
		return goru_chan_send(c, v);
	case 1:
		return goru_chan_recv(c, v);
	case 2:
		k[0] = GORU_SEND(c, v);
		k[1] = GORU_RECV(other, NULL);
		i = goru_select(k, 2);
		CHECK_EQ(i, 0);
		return k[0].result;
	case 3:
		k[0] = GORU_RECV(other, NULL);
		k[1] = GORU_RECV(c, v);
		k[2] = GORU_RECV(c, v);
		i = goru_select(k, 3);
		CHECK(i == 1 || i == 2);
		return k[i].result;
	case 4:
		do
			rc = goru_chan_send_until(c, v, goru_in(grt_rand_below(r, 40000)));
		while (rc == -ETIMEDOUT);
		return rc;
	default:
		do
			rc = goru_chan_recv_until(c, v, goru_in(grt_rand_below(r, 40000)));
		while (rc == -ETIMEDOUT);
		return rc;
	}
}

static void actor(unsigned how, uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	for (;;) {
		uint64_t v = 7;
		bool sends = how % 2 == 0;
		int rc = act(how, &r, &v);

		if (sends && rc == -EPIPE)
			break;
		if (!sends && rc == 0) {
			CHECK_EQ(v, 0);
			break;
		}
		CHECK_EQ(rc, sends ? 0 : 1);
		CHECK_EQ(v, 7);
		atomic_fetch_add_explicit(sends ? &sent : &got, 1, memory_order_relaxed);
	}
	atomic_fetch_add_explicit(&ended, 1, memory_order_relaxed);
	goru_chan_unref(c);
	goru_waitgroup_done(&wg);
}

static unsigned thread_how[THREADS];

static void *actor_thread(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;

	actor(thread_how[i], 1000 + i);
	return NULL;
}

static void *closer(void *arg)
{
	uint64_t r = (uint64_t)(uintptr_t)arg;

	stress_pause(&r, 200);
	return (void *)(intptr_t)goru_chan_close(c);
}

static void close_goroutine(_Atomic int *won)
{
	goru_yield();
	if (goru_chan_close(c) == 0)
		atomic_fetch_add(won, 1);
	goru_chan_unref(c);
	goru_waitgroup_done(&wg);
}

static void round_of(uint64_t *r)
{
	int n = 1 + (int)grt_rand_below(r, ACTORS), threads = (int)grt_rand_below(r, THREADS + 1);
	pthread_t t[THREADS], ct;
	_Atomic int won = 0;
	void *result;
	uint64_t v;

	c = goru_chan_make(8, grt_rand_below(r, 3));
	other = goru_chan_make(0, 0);
	atomic_store(&sent, 0);
	atomic_store(&got, 0);
	atomic_store(&ended, 0);
	goru_waitgroup_add(&wg, n + threads + 1);
	for (int i = 0; i < n; i++) {
		goru_chan_ref(c);
		GO(actor, grt_rand_below(r, 6), grt_rand64(r) >> 8);
	}
	for (int i = 0; i < threads; i++) {
		goru_chan_ref(c);
		thread_how[i] = grt_rand_below(r, 6);
		stress_thread(&t[i], actor_thread, (void *)(uintptr_t)i);
	}
	if (grt_rand_below(r, 2))
		goru_sleep(grt_rand_below(r, 100000));
	/* two close, one of them does it */
	goru_chan_ref(c);
	GO(close_goroutine, &won);
	stress_thread(&ct, closer, (void *)(uintptr_t)(grt_rand64(r) | 1));
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	for (int i = 0; i < threads; i++)
		stress_join(t[i]);
	CHECK_EQ(pthread_join(ct, &result), 0);
	CHECK_EQ((intptr_t)result, atomic_load(&won) ? -EPIPE : 0);
	CHECK_EQ(atomic_load(&ended), n + threads);
	while (goru_chan_recv(c, &v) > 0)
		atomic_fetch_add(&got, 1);
	CHECK_EQ(atomic_load(&sent), atomic_load(&got));
	CHECK_EQ(goru_chan_send(c, &v), -EPIPE);
	goru_chan_unref(c);
	goru_chan_unref(other); /* fatal if a select left something there */
}

static void test_close(void **state)
{
	uint64_t r = stress_rand(1);

	(void)state;
	while (stress_more())
		round_of(&r);
}

/* The last reference is dropped by whoever was woken, at once. */
static void last(goru_chan *mine)
{
	uint64_t v;

	CHECK(goru_chan_recv(mine, &v) >= 0);
	goru_chan_unref(mine);
	goru_waitgroup_done(&wg);
}

static void *last_thread(void *arg)
{
	last(arg);
	return NULL;
}

static void test_freed_at_once(void **state)
{
	uint64_t r = stress_rand(2);

	(void)state;
	while (stress_more()) {
		goru_chan *mine = goru_chan_make(8, grt_rand_below(&r, 2));
		bool plain = grt_rand_below(&r, 4) == 0;
		uint64_t v = 1;
		pthread_t t;

		goru_waitgroup_add(&wg, 1);
		if (plain)
			stress_thread(&t, last_thread, goru_chan_ref(mine));
		else
			GO(last, goru_chan_ref(mine));
		stress_pause(&r, 100);
		if (grt_rand_below(&r, 2))
			CHECK_EQ(goru_chan_send(mine, &v), 0);
		else
			CHECK_EQ(goru_chan_close(mine), 0);
		goru_chan_unref(mine);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		if (plain)
			stress_join(t);
	}
}

STRESS_MAIN("stress/close", cmocka_unit_test(test_close), cmocka_unit_test(test_freed_at_once))
