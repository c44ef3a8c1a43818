/* lock_thread.c - goroutines that lock and unlock their threads at random, among others: each thread is one's alone. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "stress.h"

#include <sys/syscall.h>
#include <unistd.h>

static goru_waitgroup wg;
static goru_chan *c;

/* Who has the thread for itself, looked up anew: compilers keep the address of a thread-local. */
static __thread uint64_t owner;

static __attribute__((noinline)) uint64_t *owner_at(void)
{
	uint64_t *at = &owner;

	__asm__ volatile("" : "+r"(at) : : "memory");
	return at;
}

/* For those that are not tied: to ThreadSanitizer they race with those that were. */
static __attribute__((noinline, no_sanitize("thread"))) uint64_t owner_now(void)
{
	return *owner_at();
}

static int here(void)
{
	return (int)syscall(SYS_gettid);
}

/* One of the ways to wait, or to let others go first. */
static void wait_somehow(uint64_t *r)
{
	uint64_t v = 1;

	switch (grt_rand_below(r, 8)) {
	case 0:
		goru_yield();
		break;
	case 1:
		CHECK_EQ(goru_sleep(grt_rand_below(r, 50000)), 0);
		break;
	case 2:
		goru_chan_send_until(c, &v, goru_in(grt_rand_below(r, 100000)));
		break;
	case 3:
		goru_chan_recv_until(c, &v, goru_in(grt_rand_below(r, 100000)));
		break;
	case 4:
		goru_block_enter();
		stress_pause(r, 100);
		if (grt_rand_below(r, 2))
			goru_sleep(1000);
		goru_block_exit();
		break;
	case 5:
		stress_spin(grt_rand_below(r, 20000));
		break;
	case 6:
		goru_chan_try_send(c, &v);
		break;
	case 7:
		goru_chan_try_recv(c, &v);
		break;
	}
}

static void free_one(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	while (stress_more()) {
		CHECK_EQ(owner_now(), 0);
		wait_somehow(&r);
	}
	goru_waitgroup_done(&wg);
}

/* Its thread is its own from lock to unlock, and free again then. */
static void lock_for_a_while(uint64_t *r, int depth)
{
	uint64_t was;
	int tid;

	if (goru_lock_thread() < 0)
		return; /* a limit */
	tid = here();
	was = *owner_at();
	*owner_at() = goru_id();
	for (uint32_t n = grt_rand_below(r, 8); n--;) {
		wait_somehow(r);
		CHECK_EQ(here(), tid);
		CHECK_EQ(*owner_at(), goru_id());
		if (depth < 2 && grt_rand_below(r, 8) == 0)
			lock_for_a_while(r, depth + 1);
	}
	CHECK_EQ(here(), tid);
	CHECK_EQ(was, depth ? goru_id() : 0);
	*owner_at() = was;
	CHECK_EQ(goru_unlock_thread(), 0);
}

static void locks(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	while (stress_more()) {
		CHECK_EQ(owner_now(), 0);
		lock_for_a_while(&r, 0);
		for (uint32_t n = grt_rand_below(&r, 4); n--;)
			wait_somehow(&r);
	}
	goru_waitgroup_done(&wg);
}

static void finish(void)
{
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	goru_chan_unref(c);
}

static void test_among_others(void **state)
{
	int n = stress_many(8);

	(void)state;
	c = goru_chan_make(sizeof(uint64_t), 2);
	goru_waitgroup_add(&wg, 2 * n);
	for (int i = 0; i < n; i++) {
		GO(locks, (uint64_t)i + 1);
		GO(free_one, (uint64_t)i + 100);
	}
	finish();
}

/* They end tied, one after the other, and their threads with them; each makes the next. */
static void ends_tied(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	CHECK_EQ(owner_now(), 0);
	if (goru_lock_thread() == 0)
		*owner_at() = goru_id();
	for (uint32_t n = grt_rand_below(&r, 4); n--;)
		wait_somehow(&r);
	if (!stress_more()) {
		goru_waitgroup_done(&wg);
		return;
	}
	GO(ends_tied, salt + 1000);
	if (grt_rand_below(&r, 4) == 0)
		goru_block_enter();
	if (grt_rand_below(&r, 2))
		goru_exit();
}

static void test_ends_tied(void **state)
{
	(void)state;
	c = goru_chan_make(sizeof(uint64_t), 2);
	goru_waitgroup_add(&wg, 6);
	for (int i = 0; i < 4; i++)
		GO(ends_tied, (uint64_t)i + 200);
	for (int i = 0; i < 2; i++)
		GO(free_one, (uint64_t)i + 300);
	finish();
}

/* Ps come and go. */
static void test_procs(void **state)
{
	unsigned procs = goru_procs();
	uint64_t r = stress_rand(400);

	(void)state;
	c = goru_chan_make(sizeof(uint64_t), 2);
	goru_waitgroup_add(&wg, 8);
	for (int i = 0; i < 4; i++) {
		GO(locks, (uint64_t)i + 401);
		GO(free_one, (uint64_t)i + 500);
	}
	while (stress_more()) {
		CHECK_EQ(goru_set_procs(1 + grt_rand_below(&r, 6)), 0);
		stress_pause(&r, 300);
	}
	finish();
	CHECK_EQ(goru_set_procs(procs), 0);
}

static void locks_for_ever(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	if (grt_rand_below(&r, 4))
		goru_lock_thread();
	for (;;) {
		wait_somehow(&r);
		if (grt_rand_below(&r, 16) == 0)
			goru_yield(); /* the program's end of it, whatever else it did */
		if (grt_rand_below(&r, 64) == 0)
			return;
	}
}

/* Shutdown at any moment, and again. */
static void test_shutdown(void **state)
{
	uint64_t r = stress_rand(600);

	(void)state;
	while (stress_more()) {
		c = goru_chan_make(sizeof(uint64_t), 2);
		for (int i = 0; i < 6; i++)
			GO(locks_for_ever, (uint64_t)grt_rand_below(&r, 1u << 30));
		stress_pause(&r, 500);
		CHECK_EQ(goru_shutdown(), 0);
		goru_chan_unref(c);
	}
}

STRESS_MAIN("stress/lock_thread", cmocka_unit_test(test_among_others),
	    cmocka_unit_test(test_ends_tied), cmocka_unit_test(test_procs),
	    cmocka_unit_test(test_shutdown))
