/* waiter.c - a wait ends exactly once, and an old one cannot end a new one. */
/* SPDX-License-Identifier: MIT */
#include <sched.h>

#include "test.h"

#include "part/waiter.h"

static void goroutine_claim_is_in_its_record(void)
{
	static struct g g;
	struct waiter w = { .won = -1 };
	uint64_t first;

	grt_store(&g.claim, (UINT64_C(5) << 40) | END_TIMEDOUT);
	grt_waiter_begin(&w, &g);
	CHECK(w.g == &g && w.claim == &g.claim);
	CHECK_EQ(grt_waiter_ending(&w), END_NONE);
	first = w.open;
	CHECK(first > UINT64_C(5) << 40);
	CHECK(grt_waiter_claim(&w, END_READY));
	CHECK_EQ(grt_waiter_ending(&w), END_READY);
	grt_waiter_begin(&w, &g);
	CHECK_EQ(w.open, first + CLAIM_STEP);
	CHECK_EQ(grt_waiter_ending(&w), END_NONE);
}

static void thread_has_its_own(void)
{
	struct waiter w = { .won = -1 };

	grt_waiter_begin(&w, NULL);
	CHECK(!w.g && w.claim == &w.own);
	CHECK_EQ(grt_waiter_ending(&w), END_NONE);
	CHECK(grt_waiter_claim(&w, END_CANCELED));
	CHECK_EQ(grt_waiter_ending(&w), END_CANCELED);
	CHECK(!grt_waiter_claim(&w, END_READY)); /* it may give up by itself: always by CAS */
}

static void shared_ends_once(void)
{
	static struct g g;
	struct waiter w = { .won = -1 };

	grt_waiter_begin(&w, &g);
	w.shared = true;
	CHECK(grt_waiter_claim(&w, END_READY));
	CHECK(!grt_waiter_claim(&w, END_READY));
	CHECK(!grt_claim_word(&g.claim, w.open, END_TIMEDOUT));
	CHECK_EQ(grt_waiter_ending(&w), END_READY);
}

/* A timer entry names its wait by number. */
static void stale_entry_ends_nothing(void)
{
	static struct g g;
	struct waiter w = { .won = -1 };
	uint64_t old;

	grt_waiter_begin(&w, &g);
	old = w.open;
	CHECK(grt_waiter_claim(&w, END_READY));
	grt_waiter_begin(&w, &g);
	CHECK(!grt_claim_word(&g.claim, old, END_TIMEDOUT));
	CHECK_EQ(grt_waiter_ending(&w), END_NONE);
	CHECK(grt_claim_word(&g.claim, w.open, END_TIMEDOUT));
}

enum { ROUNDS = 3000, SECONDS = 5, RIVALS = 3, OVER = 1 };
static struct g contended;
static _Atomic uint64_t open_wait; /* OVER at the end */
static _Atomic int wins, at_round[RIVALS];
static _Atomic int rival_number;

static void rival(void)
{
	int me = atomic_fetch_add(&rival_number, 1);
	uint64_t last = 0, open;

	for (int i = 0;; i++) {
		/* all at the same moment, if there are CPUs */
		for (int k = 1; (open = atomic_load(&open_wait)) == last; k++)
			if (k % 1000)
				grt_relax();
			else
				sched_yield();
		if (open == OVER)
			break;
		last = open;
		if (grt_claim_word(&contended.claim, open, END_READY))
			atomic_fetch_add(&wins, 1);
		atomic_store(&at_round[me], i + 1);
	}
}

static void rivals_win_once(void)
{
	struct waiter w = { .won = -1 };
	pthread_t t[RIVALS];
	int64_t end = goru_in(SECONDS * GORU_SEC);

	for (int k = 0; k < RIVALS; k++)
		test_thread(&t[k], rival);
	for (int i = 0; i < ROUNDS && goru_now() < end; i++) {
		grt_waiter_begin(&w, &contended);
		atomic_store(&open_wait, w.open);
		for (int k = 0; k < RIVALS; k++)
			while (atomic_load(&at_round[k]) <= i)
				sched_yield();
		CHECK_EQ(atomic_load(&wins), i + 1);
	}
	atomic_store(&open_wait, OVER);
	for (int k = 0; k < RIVALS; k++)
		test_join(t[k]);
}

TEST_MAIN(TEST(goroutine_claim_is_in_its_record), TEST(thread_has_its_own), TEST(shared_ends_once),
	  TEST(stale_entry_ends_nothing), TEST(rivals_win_once))
