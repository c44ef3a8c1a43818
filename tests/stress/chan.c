/* chan.c - many senders and receivers on one channel: each value once, whole, in each sender's order. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SIDES = 4, MAX_ELEM = 5000 };

struct game {
	goru_chan *c;
	size_t elem;
	int senders, receivers, each;
	int plain_senders, plain_receivers; /* of these, so many are threads */
	bool sometimes_until;
	_Atomic int64_t got, sum;
	goru_waitgroup sent, done;
};

/* Sender and number as far as the element has room, and the rest filled so that a torn copy shows. */
static void fill(unsigned char *e, size_t n, unsigned sender, uint32_t k)
{
	for (size_t i = 0; i < n; i++)
		e[i] = (unsigned char)(sender * 31 + k + i);
	if (n >= 8) {
		memcpy(e, &sender, 4);
		memcpy(e + 4, &k, 4);
	} else if (n >= 3) {
		e[0] = (unsigned char)sender;
		e[1] = (unsigned char)k;
		e[2] = (unsigned char)(k >> 8);
	} else if (n) {
		e[0] = (unsigned char)(sender << 5 | (k & 31));
	}
}

static void unfill(const unsigned char *e, size_t n, unsigned *sender, uint32_t *k)
{
	unsigned char want[MAX_ELEM];

	if (n >= 8) {
		memcpy(sender, e, 4);
		memcpy(k, e + 4, 4);
	} else if (n >= 3) {
		*sender = e[0];
		*k = e[1] | (uint32_t)e[2] << 8;
	}
	fill(want, n, *sender, *k);
	CHECK_EQ(memcmp(e, want, n), 0);
}

static void sender(struct game *s, unsigned id)
{
	unsigned char *e = malloc(MAX_ELEM);
	uint64_t r = stress_rand(id);

	for (uint32_t k = 0; k < (uint32_t)s->each; k++) {
		int rc = -ETIMEDOUT;

		fill(e, s->elem, id, k);
		while (s->sometimes_until && rc == -ETIMEDOUT && grt_rand_below(&r, 3))
			rc = goru_chan_send_until(s->c, e, goru_in(grt_rand_below(&r, 50000)));
		if (rc == -ETIMEDOUT)
			rc = goru_chan_send(s->c, e);
		CHECK_EQ(rc, 0);
		if (grt_rand_below(&r, 50) == 0)
			goru_yield();
	}
	free(e);
	goru_waitgroup_done(&s->sent);
}

static void receiver(struct game *s, unsigned id)
{
	unsigned char *e = malloc(MAX_ELEM);
	uint64_t r = stress_rand(100 + id);
	int64_t last[SIDES];
	int rc;

	for (int i = 0; i < SIDES; i++)
		last[i] = -1;
	for (;;) {
		unsigned from = 0;
		uint32_t k = 0;

		rc = -ETIMEDOUT;
		memset(e, 0xee, s->elem);
		while (s->sometimes_until && rc == -ETIMEDOUT && grt_rand_below(&r, 3))
			rc = goru_chan_recv_until(s->c, e, goru_in(grt_rand_below(&r, 50000)));
		if (rc == -ETIMEDOUT)
			rc = goru_chan_recv(s->c, e);
		if (rc == 0)
			break;
		CHECK_EQ(rc, 1);
		atomic_fetch_add_explicit(&s->got, 1, memory_order_relaxed);
		if (s->elem >= 3) {
			unfill(e, s->elem, &from, &k);
			CHECK(from < (unsigned)s->senders);
			CHECK((int64_t)k > last[from]); /* first in, first out */
			last[from] = k;
			atomic_fetch_add_explicit(&s->sum, (int64_t)k + 1, memory_order_relaxed);
		}
		if (grt_rand_below(&r, 50) == 0)
			goru_yield();
	}
	for (size_t i = 0; i < s->elem; i++)
		CHECK_EQ(e[i], 0);
	free(e);
	goru_waitgroup_done(&s->done);
}

struct side {
	struct game *s;
	unsigned id;
};

static void *sender_thread(void *arg)
{
	struct side *a = arg;

	sender(a->s, a->id);
	return NULL;
}

static void *receiver_thread(void *arg)
{
	struct side *a = arg;

	receiver(a->s, a->id);
	return NULL;
}

static void play(struct game *s, size_t cap)
{
	pthread_t st[SIDES], rt[SIDES];
	struct side sa[SIDES], ra[SIDES];

	s->c = goru_chan_make(s->elem, cap);
	CHECK(s->c);
	CHECK_EQ(goru_chan_cap(s->c), cap);
	goru_waitgroup_add(&s->sent, s->senders);
	goru_waitgroup_add(&s->done, s->receivers);
	for (int i = 0; i < s->senders; i++) {
		sa[i] = (struct side){ s, (unsigned)i };
		if (i < s->plain_senders)
			stress_thread(&st[i], sender_thread, &sa[i]);
		else
			GO(sender, s, (unsigned)i);
	}
	for (int i = 0; i < s->receivers; i++) {
		ra[i] = (struct side){ s, (unsigned)i };
		if (i < s->plain_receivers)
			stress_thread(&rt[i], receiver_thread, &ra[i]);
		else
			GO(receiver, s, (unsigned)i);
	}
	CHECK_EQ(goru_waitgroup_wait(&s->sent), 0);
	CHECK_EQ(goru_chan_close(s->c), 0);
	CHECK_EQ(goru_waitgroup_wait(&s->done), 0);
	for (int i = 0; i < s->plain_senders; i++)
		stress_join(st[i]);
	for (int i = 0; i < s->plain_receivers; i++)
		stress_join(rt[i]);
	CHECK_EQ(atomic_load(&s->got), (int64_t)s->senders * s->each);
	if (s->elem >= 3)
		CHECK_EQ(atomic_load(&s->sum), (int64_t)s->senders * s->each * (s->each + 1) / 2);
	CHECK_EQ(goru_chan_len(s->c), 0);
	goru_chan_unref(s->c);
}

static void games(uint64_t salt, bool plain, bool until)
{
	static const size_t elems[] = { 0, 1, 3, 8, 100, 5000 };
	static const size_t caps[] = { 0, 1, 2, 7, 64 };
	uint64_t r = stress_rand(salt);

	for (unsigned i = 0; stress_more(); i++) {
		struct game s = { .elem = elems[i % 6], .sometimes_until = until };

		s.senders = 1 + (int)grt_rand_below(&r, SIDES);
		s.receivers = 1 + (int)grt_rand_below(&r, SIDES);
		s.each = 1 + (int)grt_rand_below(&r, plain ? 100 : 400);
		if (plain) {
			s.plain_senders = (int)grt_rand_below(&r, (uint32_t)s.senders + 1);
			s.plain_receivers = (int)grt_rand_below(&r, (uint32_t)s.receivers + 1);
		}
		play(&s, caps[grt_rand_below(&r, 5)]);
	}
}

static void test_goroutines(void **state)
{
	(void)state;
	games(1, false, false);
}

static void test_deadlines(void **state)
{
	(void)state;
	games(2, false, true);
}

static void test_threads(void **state)
{
	(void)state;
	games(3, true, false);
}

static void test_threads_deadlines(void **state)
{
	(void)state;
	games(4, true, true);
}

/* try forms only, from all sides. */
static void trier(struct game *s, unsigned id, bool send)
{
	uint64_t v = id;

	for (int i = 0; i < s->each; i++) {
		int rc = -EAGAIN;

		while (rc == -EAGAIN) {
			rc = send ? goru_chan_try_send(s->c, &v) : goru_chan_try_recv(s->c, &v);
			if (rc == -EAGAIN)
				goru_yield();
		}
		CHECK_EQ(rc, send ? 0 : 1);
	}
	goru_waitgroup_done(&s->done);
}

static void test_try(void **state)
{
	uint64_t r = stress_rand(5);

	(void)state;
	while (stress_more()) {
		struct game s = { .elem = 8, .each = 1 + (int)grt_rand_below(&r, 300) };
		int n = 1 + (int)grt_rand_below(&r, SIDES);

		s.c = goru_chan_make(8, 1 + grt_rand_below(&r, 8));
		goru_waitgroup_add(&s.done, 2 * n);
		for (int i = 0; i < n; i++) {
			GO(trier, &s, (unsigned)i, true);
			GO(trier, &s, (unsigned)i, false);
		}
		CHECK_EQ(goru_waitgroup_wait(&s.done), 0);
		CHECK_EQ(goru_chan_len(s.c), 0);
		goru_chan_unref(s.c);
	}
}

STRESS_MAIN("stress/chan", cmocka_unit_test(test_goroutines), cmocka_unit_test(test_deadlines),
	    cmocka_unit_test(test_threads), cmocka_unit_test(test_threads_deadlines),
	    cmocka_unit_test(test_try))
