/* cond.c - conditions: signal, broadcast, deadlines, whose a signal is when one gives up. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include "lock.h"

static goru_mutex mu;
static goru_cond cond;
static int counter; /* under mu */

static void anew(void)
{
	memset(&mu, 0, sizeof(mu));
	memset(&cond, 0, sizeof(cond));
	counter = 0;
}

static int stock;

static void takes_from_stock(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	while (!stock)
		CHECK_EQ(goru_cond_wait(&cond, &mu), 0);
	stock--;
	counter++;
	goru_mutex_unlock(&mu);
	goru_waitgroup_done(&wg);
}

static void waits_once(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_cond_wait(&cond, &mu), 0);
	counter++;
	goru_mutex_unlock(&mu);
	goru_waitgroup_done(&wg);
}

static int counted(void)
{
	int n;

	CHECK_EQ(goru_mutex_lock(&mu), 0);
	n = counter;
	goru_mutex_unlock(&mu);
	return n;
}

static void signal_and_broadcast(void)
{
	pthread_t t[2];

	anew();
	stock = 0;
	goru_cond_signal(&cond); /* nobody: nothing, and nothing is kept */
	goru_cond_broadcast(&cond);
	start(3, waits_once);
	goru_waitgroup_add(&wg, 2);
	for (int i = 0; i < 2; i++)
		test_thread(&t[i], waits_once);
	UNTIL(test_asleep() == 5);
	CHECK_EQ(counted(), 0);
	goru_cond_signal(&cond);
	UNTIL(counted() == 1);
	goru_sleep(2 * GORU_MSEC);
	CHECK_EQ(counted(), 1); /* one, and none without a cause */
	goru_cond_broadcast(&cond);
	all_ended();
	CHECK_EQ(counted(), 5);
	for (int i = 0; i < 2; i++)
		test_join(t[i]);

	anew();
	start(6, takes_from_stock);
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		stock++;
		goru_cond_signal(&cond);
		goru_mutex_unlock(&mu);
	}
	all_ended();
	CHECK_EQ(counter, 6);
}

static void cond_deadlines(void)
{
	int64_t t = goru_now();

	anew();
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_cond_wait_until(&cond, &mu, INT64_MIN), -ETIMEDOUT);
	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN); /* held, whatever the result */
	CHECK_EQ(goru_cond_wait_until(&cond, &mu, goru_in(3 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 3 * GORU_MSEC);
	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN);
	goru_mutex_unlock(&mu);
}

static int64_t moment;

static void gives_up_at_the_moment(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_cond_wait_until(&cond, &mu, moment + 1), -ETIMEDOUT);
	goru_mutex_unlock(&mu);
	goru_waitgroup_done(&wg);
}

static void signals_at_the_moment(void)
{
	CHECK_EQ(goru_sleep_until(moment), 0);
	goru_cond_signal(&cond);
	goru_waitgroup_done(&wg);
}

static void computes_past_it(void)
{
	while (goru_now() < moment + 2 * GORU_MSEC)
		;
	goru_waitgroup_done(&wg);
}

/* Both deadlines have come when the one P looks next: the first waiter's wait is over, but it has not run, and still
 * stands first on the list when the signal comes. The signal is the next one's. */
static void who_times_out_uses_no_signal(void)
{
	unsigned n = goru_procs();

	anew();
	CHECK_EQ(goru_set_procs(1), 0);
	moment = goru_in(30 * GORU_MSEC);
	start(1, gives_up_at_the_moment);
	UNTIL(test_asleep() == test_alive()); /* or it is late, and has given up already */
	start(1, waits_once);
	UNTIL(test_asleep() == test_alive());
	start(1, signals_at_the_moment);
	UNTIL(test_asleep() == test_alive());
	start(1, computes_past_it);
	all_ended();
	CHECK_EQ(counter, 1);
	CHECK_EQ(goru_set_procs(n), 0);
}

TEST_MAIN(TEST_BOTH(signal_and_broadcast), TEST_BOTH(cond_deadlines),
	  TEST_BOTH(who_times_out_uses_no_signal))
