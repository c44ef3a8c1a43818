/* cond.c - conditions: a bounded buffer, turns by signals alone, and no signal is lost with one who gives up. */
/* SPDX-License-Identifier: MIT */
#include "lock.h"

static goru_mutex mu;

/* A bounded buffer: what goes in comes out, once. */
static goru_cond not_full, not_empty;
static uint64_t buffer[3], nbuffer, in_sum, out_sum;
static _Atomic int producers;

static void put_or_take(uint64_t salt)
{
	uint64_t r = stress_rand(300 + salt);
	bool puts = salt % 2;

	while (puts ? stress_more() : true) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		while (puts ? nbuffer == 3 : nbuffer == 0 && atomic_load(&producers)) {
			goru_cond *c = puts ? &not_full : &not_empty;
			int rc = grt_rand_below(&r, 4) ? goru_cond_wait(c, &mu) :
							 goru_cond_wait_until(c, &mu, soon(&r));

			CHECK(rc == 0 || rc == -ETIMEDOUT);
		}
		if (puts) {
			buffer[nbuffer] = grt_rand64(&r);
			in_sum += buffer[nbuffer++];
		} else if (nbuffer) {
			out_sum += buffer[--nbuffer];
		} else {
			goru_mutex_unlock(&mu);
			return;
		}
		dally(&r);
		/* with the mutex or after it */
		if (grt_rand_below(&r, 2)) {
			goru_cond_signal(puts ? &not_empty : &not_full);
			goru_mutex_unlock(&mu);
		} else {
			goru_mutex_unlock(&mu);
			goru_cond_signal(puts ? &not_empty : &not_full);
		}
		stress_progress();
	}
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	if (atomic_fetch_sub(&producers, 1) == 1)
		goru_cond_broadcast(&not_empty);
	goru_mutex_unlock(&mu);
}

static void test_buffer(void **state)
{
	(void)state;
	atomic_store(&producers, ALL / 2);
	together(put_or_take);
	CHECK_EQ(nbuffer, 0);
	CHECK(in_sum == out_sum);
}

/* Two take turns by signals alone: none may be lost, none come twice. */
static uint64_t turn;
static bool last;

static void ping_pong(uint64_t salt)
{
	bool go_on = true;

	while (go_on) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		while (turn % ALL != salt && !last)
			CHECK_EQ(goru_cond_wait(&not_full, &mu), 0);
		if (!last) {
			turn++;
			last = turn > ALL && !stress_more();
			goru_cond_broadcast(&not_full);
		}
		go_on = !last;
		goru_mutex_unlock(&mu);
	}
}

static void test_turns(void **state)
{
	(void)state;
	together(ping_pong);
}

/* A signal by one who times out is the next one's: as many signals as waits that had one. */
static uint64_t signals, heard;

static void hears(uint64_t salt)
{
	uint64_t r = stress_rand(400 + salt);

	while (stress_more()) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		if (grt_rand_below(&r, 2)) {
			if (heard + 1 <= signals || grt_rand_below(&r, 2))
				goru_cond_signal(&not_empty);
			signals++;
		} else if (goru_cond_wait_until(&not_empty, &mu, soon(&r)) == 0) {
			heard++;
		}
		CHECK(heard <= signals);
		goru_mutex_unlock(&mu);
	}
}

static void test_signals(void **state)
{
	(void)state;
	together(hears);
}

STRESS_MAIN("stress/cond", cmocka_unit_test(test_buffer), cmocka_unit_test(test_turns),
	    cmocka_unit_test(test_signals))
