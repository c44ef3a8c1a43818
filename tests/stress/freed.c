/* freed.c - who got the last value, or the close, may free the channel at once; who gave it does not look at it again. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <unistd.h>

/* A plain thread's send is received at its very deadline; the value carries the reference. */
static void take(goru_chan *c, goru_chan *done, int64_t at)
{
	int got;

	while (goru_now() < at)
		;
	got = goru_chan_try_recv(c, NULL);
	if (got == 1)
		goru_chan_unref(c);
	CHECK_EQ(goru_chan_send(done, &got), 0);
}

static void test_at_the_deadline(void **state)
{
	goru_chan *done = goru_chan_make(sizeof(int), 1);
	int got;

	(void)state;
	for (int i = 0; stress_more(); i++) {
		goru_chan *c = goru_chan_make(0, 0);
		int64_t at = goru_in(60 * GORU_USEC);

		GO(take, c, done, at + 50000 + (i % 64) * 500);

		int rc = goru_chan_send_until(c, NULL, at);

		CHECK_EQ(goru_chan_recv(done, &got), 1);
		CHECK_EQ(rc == 0, got == 1);
		if (got != 1)
			goru_chan_unref(c);
	}
	goru_chan_unref(done);
}

static void to_the_end(goru_chan *c, goru_waitgroup *wg)
{
	int64_t v = 7;

	CHECK_EQ(goru_chan_recv(c, &v), 0);
	CHECK_EQ(v, 0);
	goru_chan_unref(c);
	goru_waitgroup_done(wg);
}

/* close and the last unref in a row, under a receiver that waits. */
static void test_close_and_unref(void **state)
{
	(void)state;
	while (stress_more()) {
		goru_waitgroup wg = GORU_WAITGROUP_INIT;
		goru_chan *c = goru_chan_make(sizeof(int64_t), 0);

		goru_waitgroup_add(&wg, 1);
		GO(to_the_end, c, &wg);
		goru_chan_ref(c); /* the receiver's, for when it does not wait yet */
		goru_sleep(200 * GORU_USEC);
		CHECK_EQ(goru_chan_close(c), 0);
		goru_chan_unref(c);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

static void bracket(goru_waitgroup *wg, unsigned us)
{
	for (int i = 0; i < 20; i++)
		goru_blocking(usleep(us));
	goru_waitgroup_done(wg);
}

/* More goroutines in the kernel than threads that exist: the monitor makes them while others come back. */
static void test_brackets(void **state)
{
	int n = stress_many(256);

	(void)state;
	while (stress_more()) {
		goru_waitgroup wg = GORU_WAITGROUP_INIT;

		goru_waitgroup_add(&wg, n);
		for (int i = 0; i < n; i++)
			GO(bracket, &wg, 1 + 4 * (unsigned)i);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

STRESS_MAIN("stress/freed", cmocka_unit_test(test_at_the_deadline),
	    cmocka_unit_test(test_close_and_unref), cmocka_unit_test(test_brackets))
