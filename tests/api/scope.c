/* scope.c - scopes: who is a member, what ends one, what its end and its close give. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include "scope.h"

static void on_a_plain_thread(void)
{
	anew();
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), -EPERM);
	CHECK_EQ(goru_scope_close(&s), -EPERM);
	CHECK_EQ(goru_scope_go(&s, waits), -EINVAL);
	CHECK_EQ(goru_scope_fail(&s, -EIO), -EINVAL);
	CHECK_EQ(goru_scope_error(), 0);
	goru_scope_cancel(&s);
	goru_scope_cancel(NULL);
	goru_shield_enter();
	goru_shield_exit();
	goru_shield_exit();
	CHECK_EQ(goru_sleep(0), 0);
}

static void bad_arguments(void)
{
	anew();
	CHECK_EQ(goru_scope_open(NULL, GORU_FOREVER), -EINVAL);
	CHECK_EQ(goru_scope_close(NULL), -EINVAL);
	CHECK_EQ(goru_scope_go((goru_scope *)NULL, waits), -EINVAL);
	CHECK_EQ(goru_scope_fail(NULL, -EIO), -EINVAL);
	CHECK_EQ(goru_scope_fail(&s, -EIO), -EINVAL); /* not open */
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_fail(&s, 0), -EINVAL);
	CHECK_EQ(goru_scope_fail(&s, EIO), -EINVAL);
	CHECK_EQ(goru_scope_error(), 0);
	CHECK_EQ(goru_scope_close(&s), 0);
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_go(&s, waits), -EINVAL);
	CHECK_EQ(atomic_load(&ran), 0);
	CHECK_EQ(goru_scope_error(), 0);
}

/* Children: waited for, with their arguments. */

static long sum;

static void adds(signed char a, short b, int c, long d, const char *e, bool f)
{
	goru_yield();
	goru_sleep(GORU_MSEC);
	sum = a + b + c + d + e[0] + f;
}

static void one(void *arg)
{
	*(int *)arg += 1;
}

static void none(void)
{
	atomic_fetch_add(&ran, 1);
}

static goru_scope *evaluated(int *n)
{
	++*n;
	return &s;
}

static void children_are_waited_for(void)
{
	int n = 0, asked = 0;

	anew();
	sum = 0;
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, adds, -1, 20, 300, 4000, "A", true), 0);
	CHECK_EQ(goru_scope_close(&s), 0);
	CHECK_EQ(sum, -1 + 20 + 300 + 4000 + 'A' + 1);
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(evaluated(&asked), one, &n), 0);
	CHECK_EQ(goru_scope_go(evaluated(&asked), none), 0);
	CHECK_EQ(asked, 2);
	CHECK_EQ(goru_scope_close(&s), 0);
	CHECK_EQ(n, 1);
	CHECK_EQ(atomic_load(&ran), 1);
}

/* One that is started by a child, and by a plain thread, while close waits. */
static void starts_another(int depth)
{
	atomic_fetch_add(&ran, 1);
	goru_yield();
	if (depth)
		CHECK_EQ(goru_scope_go(&s, starts_another, depth - 1), 0);
	goru_yield();
}

static goru_chan *go_on;

static void held_up(void)
{
	CHECK_EQ(goru_chan_recv(go_on, NULL), 0);
	atomic_fetch_add(&ran, 1);
}

static void from_outside(void)
{
	CHECK_EQ(goru_scope_go(&s, starts_another, 5), 0);
	goru_sleep(GORU_MSEC);
	goru_chan_close(go_on);
}

static void children_start_children(void)
{
	pthread_t t;

	anew();
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, starts_another, 10), 0);
	CHECK_EQ(goru_scope_close(&s), 0);
	CHECK_EQ(atomic_load(&ran), 11);
	go_on = goru_chan_make(0, 0);
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, held_up), 0);
	test_thread(&t, from_outside);
	CHECK_EQ(goru_scope_close(&s), 0);
	CHECK_EQ(atomic_load(&ran), 11 + 6 + 1);
	test_join(t);
	goru_chan_unref(go_on);
}

static void exits(void)
{
	atomic_fetch_add(&ran, 1);
	goru_exit();
}

static goru_local_key key;

/* Values of a child's own are destroyed before its scope is closed, and that may wait. */
static void destroys(void *arg)
{
	(void)arg;
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	atomic_fetch_add(&ran, 1);
}

static void with_local(void)
{
	CHECK_EQ(goru_local_set(key, &key), 0);
}

static void an_end_is_an_end(void)
{
	anew();
	CHECK_EQ(goru_local_create(&key, destroys), 0);
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, exits), 0);
	CHECK_EQ(goru_scope_go(&s, with_local), 0);
	CHECK_EQ(goru_scope_close(&s), 0);
	CHECK_EQ(atomic_load(&ran), 2);
	CHECK_EQ(goru_local_delete(key), 0);
}

/* Cancel. */

static void cancel_ends_waits(void)
{
	anew();
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(goru_scope_go(&s, waits), 0);
	UNTIL(test_asleep() == 100);
	CHECK_EQ(goru_scope_error(), 0);
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_error(), -ECANCELED);
	CHECK_EQ(goru_sleep(0), -ECANCELED);
	CHECK_EQ(goru_chan_recv(never, NULL), -ECANCELED);
	goru_scope_cancel(&s);
	/* what is started now runs, and finds out */
	CHECK_EQ(goru_scope_go(&s, waits), 0);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	CHECK_EQ(atomic_load(&canceled), 101);
	CHECK_EQ(goru_scope_error(), 0);
	CHECK_EQ(goru_sleep(0), 0);
}

static void cancels(void)
{
	goru_scope_cancel(&s);
}

static void cancels_by_timer(void *scope)
{
	goru_scope_cancel((goru_scope *)scope);
}

static void sleeps_long(void)
{
	count(goru_sleep(GORU_FOREVER));
}

/* While close waits: from a child, from a plain thread, from a timer. */
static void cancel_while_closing(void)
{
	goru_timer timer = GORU_TIMER_INIT;
	pthread_t t;

	for (int who = 0; who < 3; who++) {
		anew();
		CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
		for (int i = 0; i < 10; i++)
			CHECK_EQ(goru_scope_go(&s, sleeps_long), 0);
		if (who == 0)
			CHECK_EQ(goru_scope_go(&s, cancels), 0);
		else if (who == 1)
			test_thread(&t, cancels);
		else
			CHECK_EQ(goru_timer_start(&timer, goru_in(GORU_MSEC), 0, cancels_by_timer,
						  &s),
				 0);
		CHECK_EQ(goru_scope_close(&s), -ECANCELED);
		CHECK_EQ(atomic_load(&canceled), 10);
		if (who == 1)
			test_join(t);
	}
}

static void fails_twice(void)
{
	CHECK_EQ(goru_scope_fail(&s, -EIO), 0);
	CHECK_EQ(goru_scope_fail(&s, -ENOENT), 0);
}

static void fail_gives_the_first_error(void)
{
	anew();
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, waits), 0);
	CHECK_EQ(goru_scope_go(&s, fails_twice), 0);
	CHECK_EQ(goru_scope_close(&s), -EIO);
	CHECK_EQ(atomic_load(&canceled), 1);
	/* also if it had ended before; those in it are told what ended it */
	CHECK_EQ(goru_scope_open(&s, goru_now() - 1), 0);
	CHECK_EQ(goru_scope_fail(&s, -EIO), 0);
	CHECK_EQ(goru_sleep(0), -ETIMEDOUT);
	CHECK_EQ(goru_scope_close(&s), -EIO);
	/* and it is the scope's own */
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_open(&inner, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_fail(&s, -EIO), 0);
	CHECK_EQ(goru_scope_error(), -ECANCELED);
	CHECK_EQ(goru_scope_close(&inner), -ECANCELED);
	CHECK_EQ(goru_scope_close(&s), -EIO);
}

/* Deadlines. */

static void deadline_ends_waits(void)
{
	int64_t when = goru_in(20 * GORU_MSEC);

	anew();
	CHECK_EQ(goru_scope_open(&s, when), 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(goru_scope_go(&s, i % 2 ? waits : sleeps_long), 0);
	CHECK_EQ(goru_sleep_until(GORU_FOREVER), -ETIMEDOUT);
	CHECK(goru_now() >= when);
	CHECK_EQ(goru_scope_error(), -ETIMEDOUT);
	goru_scope_cancel(&s); /* the first stays */
	CHECK_EQ(goru_sleep(0), -ETIMEDOUT);
	CHECK_EQ(goru_scope_close(&s), -ETIMEDOUT);
	CHECK_EQ(atomic_load(&timedout), 10);
}

/* Past is past, although nobody has had the time to say so. */
static void deadline_is_seen_by_who_computes(void)
{
	int64_t when = goru_in(2 * GORU_MSEC);

	anew();
	CHECK_EQ(goru_scope_open(&s, when), 0);
	while (goru_now() < when)
		;
	CHECK_EQ(goru_scope_error(), -ETIMEDOUT);
	CHECK_EQ(goru_scope_close(&s), -ETIMEDOUT);
	when = goru_in(2 * GORU_MSEC);
	CHECK_EQ(goru_scope_open(&s, when), 0);
	CHECK_EQ(goru_scope_open(&inner, GORU_FOREVER), 0);
	while (goru_now() < when)
		;
	CHECK_EQ(goru_sleep(0), -ETIMEDOUT);
	goru_scope_cancel(&inner);
	CHECK_EQ(goru_sleep(0), -ETIMEDOUT);
	CHECK_EQ(goru_scope_close(&inner), -ETIMEDOUT);
	CHECK_EQ(goru_scope_close(&s), -ETIMEDOUT);
	/* cancel came after it, too */
	when = goru_in(2 * GORU_MSEC);
	CHECK_EQ(goru_scope_open(&s, when), 0);
	while (goru_now() < when)
		;
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_error(), -ETIMEDOUT);
	CHECK_EQ(goru_scope_close(&s), -ETIMEDOUT);
}

static void deadline_that_does_not_come(void)
{
	anew();
	CHECK_EQ(goru_scope_open(&s, goru_in(1000 * GORU_SEC)), 0);
	CHECK_EQ(goru_scope_go(&s, none), 0);
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	CHECK_EQ(goru_chan_recv_until(never, NULL, goru_in(GORU_MSEC)), -ETIMEDOUT);
	CHECK_EQ(goru_scope_error(), 0);
	CHECK_EQ(goru_scope_close(&s), 0);
	CHECK_EQ(goru_scope_open(&s, goru_in(1000 * GORU_SEC)), 0);
	CHECK_EQ(goru_scope_go(&s, waits), 0);
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	CHECK_EQ(goru_scope_open(&s, -5), 0);
	CHECK_EQ(goru_sleep(0), -ETIMEDOUT);
	CHECK_EQ(goru_scope_close(&s), -ETIMEDOUT);
}

static int64_t live(void)
{
	goru_stats st;

	CHECK_EQ(goru_stats_get(&st), 0);
	return (int64_t)st.goroutines;
}

static void nothing_is_left_behind(void)
{
	anew();
	UNTIL(live() == 1);
	for (int i = 0; i < 20000; i++) {
		goru_scope own = GORU_SCOPE_INIT;

		CHECK_EQ(goru_scope_open(&own, i % 2 ? GORU_FOREVER : goru_in(1000 * GORU_SEC)), 0);
		if (i % 4 > 1)
			CHECK_EQ(goru_scope_go(&own, none), 0);
		if (i % 8 > 3)
			goru_scope_cancel(&own);
		CHECK_EQ(goru_scope_close(&own), i % 8 > 3 ? -ECANCELED : 0);
	}
	CHECK_EQ(atomic_load(&ran), 10000);
	UNTIL(live() == 1);
}

/* Shutdown drops whoever waits in scopes; the scope's memory is the program's. */

static void never_closes(void)
{
	goru_scope own = GORU_SCOPE_INIT;

	CHECK_EQ(goru_scope_open(&s, goru_in(1000 * GORU_SEC)), 0);
	CHECK_EQ(goru_scope_open(&own, goru_in(900 * GORU_SEC)), 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(goru_scope_go(i % 2 ? &s : &own, waits), 0);
	goru_scope_close(&own);
}

static void survives_shutdown(void)
{
	anew();
	CHECK_EQ(go(never_closes), 0);
	UNTIL(test_asleep() == 6);
	CHECK_EQ(goru_shutdown(), 0);
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_fail(&s, -EIO), -EINVAL);
	CHECK_EQ(goru_scope_go(&s, waits), -EINVAL);
	RUN_ON_GOROUTINE(cancel_ends_waits);
}

static void dumped(void)
{
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(go(never_closes), 0);
	UNTIL(test_parked() == 6);
	goru_dump(2);
}

static void dump_says_that_it_closes(void)
{
	static struct test_end e;

	CHECK_EQ(goru_shutdown(), 0);
	anew();
	test_child(dumped, &e);
	CHECK(strstr(e.err, " [waiting: scope, to close]\n"));
}

TEST_MAIN(TEST(on_a_plain_thread), TEST_GO(bad_arguments), TEST_GO(children_are_waited_for),
	  TEST_GO(children_start_children), TEST_GO(an_end_is_an_end), TEST_GO(cancel_ends_waits),
	  TEST_GO(cancel_while_closing), TEST_GO(fail_gives_the_first_error),
	  TEST_GO(deadline_ends_waits), TEST_GO(deadline_is_seen_by_who_computes),
	  TEST_GO(deadline_that_does_not_come), TEST_GO(nothing_is_left_behind),
	  TEST(survives_shutdown), TEST(dump_says_that_it_closes))
