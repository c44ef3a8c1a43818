/* chan.c - channels: every result of every call, order, closing under waiters, deadlines, the descriptor. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <poll.h>
#include <stdatomic.h>

#include "test.h"

GORU_CHAN_OF(ints, int);

struct pair {
	int64_t a;
	char text[20];
};
GORU_CHAN_OF(pairs, struct pair);

static void make_limits(void)
{
	static const struct {
		size_t size, cap;
	} absurd[] = {
		{ 8, SIZE_MAX / 8 },	   { 8, SIZE_MAX },
		{ SIZE_MAX, 1 },	   { SIZE_MAX, SIZE_MAX },
		{ 2, SIZE_MAX / 2 },	   { (size_t)1 << 32, 1 },
		{ 1, SIZE_MAX },	   { 1, PTRDIFF_MAX },
		{ 16, SIZE_MAX / 16 + 1 }, { (size_t)1 << 31, (size_t)1 << 33 },
	};
	goru_chan *c;

	for (size_t i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++)
		CHECK(!goru_chan_make(absurd[i].size, absurd[i].cap));
	c = goru_chan_make(0, SIZE_MAX); /* events take no room */
	CHECK(c && goru_chan_cap(c) == SIZE_MAX);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(goru_chan_send(c, NULL), 0);
	CHECK_EQ(goru_chan_len(c), 1000);
	goru_chan_unref(c);
	c = goru_chan_make(3, 5);
	CHECK(goru_chan_cap(c) == 5 && goru_chan_len(c) == 0);
	goru_chan_unref(c);
	CHECK(!ints_make(SIZE_MAX));
}

static void null_channel(void)
{
	int v = 7;

	CHECK_EQ(goru_chan_send(NULL, &v), -EINVAL);
	CHECK_EQ(goru_chan_recv(NULL, &v), -EINVAL);
	CHECK_EQ(goru_chan_try_send(NULL, &v), -EINVAL);
	CHECK_EQ(goru_chan_try_recv(NULL, &v), -EINVAL);
	CHECK_EQ(goru_chan_send_until(NULL, &v, 0), -EINVAL);
	CHECK_EQ(goru_chan_recv_until(NULL, &v, 0), -EINVAL);
	CHECK_EQ(goru_chan_close(NULL), -EINVAL);
	CHECK_EQ(goru_chan_fd(NULL), -EINVAL);
	CHECK_EQ(goru_chan_len(NULL), 0);
	CHECK_EQ(goru_chan_cap(NULL), 0);
	CHECK(!goru_chan_ref(NULL));
	goru_chan_unref(NULL);
	CHECK_EQ(v, 7);
}

static void null_element(void)
{
	ints *c = ints_make(2);
	goru_chan *e = goru_chan_make(0, 1);

	CHECK_EQ(goru_chan_send(ints_chan(c), NULL), -EINVAL);
	CHECK_EQ(goru_chan_try_send(ints_chan(c), NULL), -EINVAL);
	CHECK_EQ(goru_chan_send_until(ints_chan(c), NULL, 0), -EINVAL);
	CHECK_EQ(ints_send(c, 5), 0);
	CHECK_EQ(ints_send(c, 6), 0);
	CHECK_EQ(goru_chan_recv(ints_chan(c), NULL), 1); /* dropped */
	CHECK_EQ(goru_chan_try_recv(ints_chan(c), NULL), 1);
	CHECK_EQ(ints_len(c), 0);
	CHECK_EQ(goru_chan_send(e, NULL), 0);
	CHECK_EQ(goru_chan_try_send(e, NULL), -EAGAIN);
	CHECK_EQ(goru_chan_recv(e, NULL), 1);
	CHECK_EQ(goru_chan_try_recv(e, NULL), -EAGAIN);
	goru_chan_unref(e);
	ints_unref(c);
}

static void try_never_waits(void)
{
	ints *c = ints_make(1), *u = ints_make(0);
	int v = 7;

	CHECK_EQ(ints_try_recv(c, &v), -EAGAIN);
	CHECK_EQ(v, 7); /* untouched on a negative result */
	CHECK_EQ(ints_try_send(c, 1), 0);
	CHECK_EQ(ints_try_send(c, 2), -EAGAIN);
	CHECK_EQ(ints_try_recv(c, &v), 1);
	CHECK_EQ(v, 1);
	CHECK_EQ(ints_try_send(u, 1), -EAGAIN);
	CHECK_EQ(ints_try_recv(u, &v), -EAGAIN);
	ints_unref(c);
	ints_unref(u);
}

static void fifo_in_the_buffer(void)
{
	for (size_t cap = 1; cap < 9; cap++) {
		ints *c = ints_make(cap);
		int in = 0, out = 0, v;

		for (int round = 0; round < 30; round++) {
			for (size_t k = (size_t)(round * 7) % (cap + 1); k > 0; k--)
				if (ints_try_send(c, in) == 0)
					in++;
			CHECK_EQ(ints_len(c), in - out);
			for (size_t k = (size_t)(round * 5) % (cap + 1); k > 0; k--)
				if (ints_try_recv(c, &v) == 1)
					CHECK_EQ(v, out++);
		}
		ints_unref(c);
	}
}

static void closed_gives_what_it_holds(void)
{
	ints *c = ints_make(3);
	int v = 9;

	CHECK_EQ(ints_send(c, 1), 0);
	CHECK_EQ(ints_send(c, 2), 0);
	CHECK_EQ(ints_close(c), 0);
	CHECK_EQ(ints_close(c), -EPIPE);
	CHECK_EQ(ints_send(c, 3), -EPIPE);
	CHECK_EQ(ints_try_send(c, 3), -EPIPE);
	CHECK_EQ(ints_send_until(c, 3, 0), -EPIPE);
	CHECK_EQ(ints_recv(c, &v), 1);
	CHECK_EQ(v, 1);
	CHECK_EQ(ints_try_recv(c, &v), 1);
	CHECK_EQ(v, 2);
	CHECK_EQ(ints_recv(c, &v), 0);
	CHECK_EQ(v, 0);
	v = 9;
	CHECK_EQ(ints_try_recv(c, &v), 0);
	CHECK_EQ(v, 0);
	v = 9;
	CHECK_EQ(ints_recv_until(c, &v, 0), 0);
	CHECK_EQ(v, 0);
	CHECK_EQ(goru_chan_recv(ints_chan(c), NULL), 0);
	CHECK_EQ(ints_len(c), 0);
	CHECK_EQ(ints_cap(c), 3);
	ints_unref(c);
}

static void deadlines(void)
{
	ints *c = ints_make(1);
	int64_t t;
	int v = 7;

	/* past: not waited for, but what can be done is done */
	CHECK_EQ(ints_recv_until(c, &v, INT64_MIN), -ETIMEDOUT);
	CHECK_EQ(ints_recv_until(c, &v, -1), -ETIMEDOUT);
	CHECK_EQ(ints_recv_until(c, &v, 0), -ETIMEDOUT);
	CHECK_EQ(v, 7);
	CHECK_EQ(ints_send_until(c, 1, INT64_MIN), 0);
	CHECK_EQ(ints_send_until(c, 2, -1), -ETIMEDOUT);
	CHECK_EQ(ints_recv_until(c, &v, -1), 1);
	CHECK_EQ(v, 1);
	t = goru_now();
	CHECK_EQ(ints_recv_until(c, &v, goru_in(5 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 5 * GORU_MSEC);
	CHECK_EQ(ints_send_until(c, 3, GORU_FOREVER), 0);
	t = goru_now();
	CHECK_EQ(ints_send_until(c, 4, goru_in(5 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 5 * GORU_MSEC);
	CHECK_EQ(ints_recv_until(c, &v, GORU_FOREVER), 1);
	CHECK_EQ(v, 3);
	CHECK_EQ(ints_len(c), 0); /* those that gave up left nothing */
	CHECK_EQ(ints_try_recv(c, &v), -EAGAIN);
	ints_unref(c);
}

static void send_all(ints *c, int n)
{
	for (int i = 0; i < n; i++)
		CHECK_EQ(ints_send(c, i), 0);
	CHECK_EQ(ints_close(c), 0);
	ints_unref(c);
}

static void values_arrive_in_order(void)
{
	for (size_t cap = 0; cap < 4; cap++) {
		ints *c = ints_make(cap);
		int v, n = 0;

		CHECK_EQ(go(send_all, ints_ref(c), 500), 0);
		while (ints_recv(c, &v) > 0)
			CHECK_EQ(v, n++);
		CHECK_EQ(n, 500);
		ints_unref(c);
	}
}

/* Values of many sizes arrive whole. */
static void echo(goru_chan *in, goru_chan *out, size_t size)
{
	char *buf = malloc(size + 1);

	while (goru_chan_recv(in, buf) > 0)
		CHECK_EQ(goru_chan_send(out, buf), 0);
	goru_chan_close(out);
	goru_chan_unref(in);
	goru_chan_unref(out);
	free(buf);
}

static void sizes(void)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 7, 8, 9, 16, 24, 100, 4096, 70000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i];
		goru_chan *in = goru_chan_make(n, i % 2 * 3), *out = goru_chan_make(n, i % 3);
		unsigned char *a = malloc(n + 2), *b = malloc(n + 2);

		CHECK_EQ(go(echo, goru_chan_ref(in), goru_chan_ref(out), n), 0);
		for (int round = 0; round < 5; round++) {
			for (size_t k = 0; k < n; k++)
				a[k] = (unsigned char)(k * 7 + (size_t)round);
			b[n] = 0xee;
			CHECK_EQ(goru_chan_send(in, a), 0);
			CHECK_EQ(goru_chan_recv(out, b), 1);
			CHECK(!memcmp(a, b, n) && b[n] == 0xee);
		}
		goru_chan_close(in);
		memset(b, 0xee, n + 1);
		CHECK_EQ(goru_chan_recv(out, b), 0);
		for (size_t k = 0; k < n; k++)
			CHECK_EQ(b[k], 0); /* zeroed at the end */
		CHECK_EQ(b[n], 0xee);
		goru_chan_unref(in);
		goru_chan_unref(out);
		free(a);
		free(b);
	}
}

static void typed_struct(void)
{
	pairs *c = pairs_make(1);
	struct pair p = { 5, "five" }, q = { 0, "" };

	CHECK_EQ(pairs_send(c, p), 0);
	CHECK_EQ(pairs_try_send(c, p), -EAGAIN);
	CHECK_EQ(pairs_recv(c, &q), 1);
	CHECK(q.a == 5 && !strcmp(q.text, "five"));
	CHECK_EQ(pairs_try_recv(c, &q), -EAGAIN);
	CHECK_EQ(q.a, 5);
	CHECK_EQ(pairs_send_until(c, p, 0), 0);
	CHECK_EQ(pairs_recv_until(c, &q, 0), 1);
	CHECK_EQ(pairs_close(c), 0);
	CHECK_EQ(pairs_recv(c, &q), 0);
	CHECK_EQ(q.a, 0);
	CHECK(pairs_ref(c) == c);
	pairs_unref(c);
	pairs_unref(c);
}

/* Waiters are served first come, first served: each starts when those before it wait. */
static _Atomic int results[6], values[6];
static goru_waitgroup wg;

static void queue_recv(ints *c, int i)
{
	int v = -1;

	atomic_store(&results[i], ints_recv(c, &v));
	atomic_store(&values[i], v);
	goru_waitgroup_done(&wg);
}

static void queue_send(ints *c, int i)
{
	atomic_store(&results[i], ints_send(c, i));
	goru_waitgroup_done(&wg);
}

static void enqueue(void (*fn)(ints *, int), ints *c)
{
	goru_waitgroup_add(&wg, 6);
	for (int i = 0; i < 6; i++) {
		atomic_store(&results[i], -99);
		CHECK_EQ(go(fn, c, i), 0);
		UNTIL(test_asleep() == i + 1);
	}
}

static void receivers_first_in_first_out(void)
{
	ints *c = ints_make(0);

	enqueue(queue_recv, c);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(ints_try_send(c, 100 + i), 0); /* somebody waits */
	CHECK_EQ(ints_try_send(c, 0), -EAGAIN);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	for (int i = 0; i < 6; i++)
		CHECK(atomic_load(&results[i]) == 1 && atomic_load(&values[i]) == 100 + i);
	ints_unref(c);
}

static void senders_first_in_first_out(void)
{
	for (size_t cap = 0; cap < 3; cap++) {
		ints *c = ints_make(cap);
		int v;

		for (size_t i = 0; i < cap; i++)
			CHECK_EQ(ints_send(c, -1 - (int)i), 0);
		enqueue(queue_send, c);
		CHECK_EQ(ints_len(c), cap);
		for (size_t i = 0; i < cap; i++) {
			CHECK_EQ(ints_try_recv(c, &v), 1);
			CHECK_EQ(v, -1 - (int)i);
		}
		for (int i = 0; i < 6; i++) {
			CHECK_EQ(ints_try_recv(c, &v), 1);
			CHECK_EQ(v, i);
		}
		CHECK_EQ(ints_try_recv(c, &v), -EAGAIN);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		for (int i = 0; i < 6; i++)
			CHECK_EQ(atomic_load(&results[i]), 0);
		ints_unref(c);
	}
}

static void close_under_receivers(void)
{
	ints *c = ints_make(0);

	enqueue(queue_recv, c);
	CHECK_EQ(ints_close(c), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	for (int i = 0; i < 6; i++)
		CHECK(atomic_load(&results[i]) == 0 && atomic_load(&values[i]) == 0);
	ints_unref(c);
}

static void close_under_senders(void)
{
	ints *c = ints_make(1);
	int v;

	CHECK_EQ(ints_send(c, 55), 0);
	enqueue(queue_send, c);
	CHECK_EQ(ints_close(c), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(atomic_load(&results[i]), -EPIPE);
	CHECK_EQ(ints_recv(c, &v), 1);
	CHECK_EQ(v, 55); /* what was in stays, what waited was not sent */
	CHECK_EQ(ints_recv(c, &v), 0);
	ints_unref(c);
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void descriptor_follows(void)
{
	ints *c = ints_make(2);
	int before = test_fds(), fd, v;

	CHECK_EQ(ints_send(c, 1), 0);
	fd = goru_chan_fd(ints_chan(c));
	CHECK(fd >= 0);
	CHECK_EQ(goru_chan_fd(ints_chan(c)), fd);
	CHECK_EQ(test_fds(), before + 1);
	CHECK(readable(fd)); /* made when there was a value already */
	CHECK_EQ(ints_send(c, 2), 0);
	CHECK_EQ(ints_recv(c, &v), 1);
	CHECK(readable(fd));
	CHECK_EQ(ints_recv(c, &v), 1);
	CHECK(!readable(fd));
	CHECK_EQ(ints_close(c), 0);
	CHECK(readable(fd));
	CHECK_EQ(ints_recv(c, &v), 0);
	CHECK(readable(fd)); /* closed stays readable */
	ints_unref(c);
	CHECK_EQ(test_fds(), before);
}

static void descriptor_sees_waiting_senders(void)
{
	ints *c = ints_make(0);
	int fd = goru_chan_fd(ints_chan(c)), v;

	CHECK(!readable(fd));
	enqueue(queue_send, c);
	CHECK(readable(fd));
	for (int i = 0; i < 6; i++) {
		CHECK(readable(fd));
		CHECK_EQ(ints_try_recv(c, &v), 1);
	}
	CHECK(!readable(fd));
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(ints_send_until(c, 1, goru_in(GORU_MSEC)), -ETIMEDOUT);
	CHECK(!readable(fd));
	ints_unref(c);
}

static void keeps_its_reference(ints *c)
{
	int v;

	CHECK_EQ(ints_recv(c, &v), 1);
	CHECK_EQ(v, 8);
	ints_unref(c);
	goru_waitgroup_done(&wg);
}

static void last_reference_frees(void)
{
	ints *c = ints_make(1);

	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(keeps_its_reference, ints_ref(c)), 0);
	CHECK_EQ(ints_send(c, 8), 0);
	ints_unref(c); /* not the last, or the last: the values left go with it */
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

static _Atomic long sum;

/* One that gave up must neither swallow a value nor keep one from the next. */
static void gives_up(ints *c, int us)
{
	int v = -1, rc = ints_recv_until(c, &v, goru_in(us * GORU_USEC));

	CHECK(rc == 1 || (rc == -ETIMEDOUT && v == -1));
	atomic_fetch_add(&sum, rc == 1);
	goru_waitgroup_done(&wg);
}

static void timed_out_receivers_lose_nothing(void)
{
	ints *c = ints_make(0);
	int sent = 0;

	atomic_store(&sum, 0);
	for (int i = 0; i < 200; i++) {
		goru_waitgroup_add(&wg, 1);
		CHECK_EQ(go(gives_up, c, i % 20 * 10), 0);
		sent += ints_send_until(c, i, goru_in(50 * GORU_USEC)) == 0;
	}
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(atomic_load(&sum), sent);
	ints_unref(c);
}

TEST_MAIN(TEST_BOTH(make_limits), TEST_BOTH(null_channel), TEST_BOTH(null_element),
	  TEST_BOTH(try_never_waits), TEST_BOTH(fifo_in_the_buffer),
	  TEST_BOTH(closed_gives_what_it_holds), TEST_BOTH(deadlines),
	  TEST_BOTH(values_arrive_in_order), TEST_BOTH(sizes), TEST_BOTH(typed_struct),
	  TEST_BOTH(receivers_first_in_first_out), TEST_BOTH(senders_first_in_first_out),
	  TEST_BOTH(close_under_receivers), TEST_BOTH(close_under_senders),
	  TEST_BOTH(descriptor_follows), TEST_BOTH(descriptor_sees_waiting_senders),
	  TEST_BOTH(last_reference_frees), TEST_BOTH(timed_out_receivers_lose_nothing))
