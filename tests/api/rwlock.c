/* rwlock.c - read-write locks: who comes in beside whom, every form and result, whose turn is next. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include "lock.h"

static goru_rwlock rw;
static _Atomic int ran, order;

static void anew(void)
{
	memset(&rw, 0, sizeof(rw));
	atomic_store(&ran, 0);
	atomic_store(&order, 0);
}

static void reads(void)
{
	CHECK_EQ(goru_rwlock_rdlock(&rw), 0);
	atomic_fetch_add(&ran, 1);
	UNTIL(atomic_load(&ran) == 4); /* all at once */
	goru_rwlock_rdunlock(&rw);
	goru_waitgroup_done(&wg);
}

static void readers_together(void)
{
	anew();
	start(4, reads);
	all_ended();
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), 0);
	goru_rwlock_wrunlock(&rw);
}

static void no_way_in(void)
{
	CHECK_EQ(goru_rwlock_try_rdlock(&rw), -EAGAIN);
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), -EAGAIN);
	CHECK_EQ(goru_rwlock_rdlock_until(&rw, 0), -ETIMEDOUT);
	CHECK_EQ(goru_rwlock_rdlock_until(&rw, goru_in(GORU_MSEC)), -ETIMEDOUT);
	CHECK_EQ(goru_rwlock_wrlock_until(&rw, 0), -ETIMEDOUT);
	CHECK_EQ(goru_rwlock_wrlock_until(&rw, goru_in(GORU_MSEC)), -ETIMEDOUT);
	goru_waitgroup_done(&wg);
}

static void rwlock_forms(void)
{
	pthread_t t;

	anew();
	CHECK_EQ(goru_rwlock_try_rdlock(&rw), 0);
	CHECK_EQ(goru_rwlock_rdlock_until(&rw, INT64_MIN), 0);
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), -EAGAIN);
	CHECK_EQ(goru_rwlock_wrlock_until(&rw, goru_in(GORU_MSEC)), -ETIMEDOUT);
	goru_rwlock_rdunlock(&rw);
	goru_rwlock_rdunlock(&rw);
	CHECK_EQ(goru_rwlock_wrlock_until(&rw, INT64_MIN), 0);
	CHECK_EQ(goru_rwlock_try_rdlock(&rw), -EAGAIN);
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), -EAGAIN);
	start(1, no_way_in);
	all_ended();
	goru_waitgroup_add(&wg, 1);
	test_thread(&t, no_way_in);
	test_join(t);
	goru_rwlock_wrunlock(&rw);
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
	goru_rwlock_wrunlock(&rw);
}

static void gets(int what, int64_t patience)
{
	int rc;

	rc = what == 'w' ? goru_rwlock_wrlock_until(&rw, goru_in(patience)) :
			   goru_rwlock_rdlock_until(&rw, goru_in(patience));
	if (rc) {
		CHECK_EQ(rc, -ETIMEDOUT);
		atomic_fetch_add(&order, 1000);
	} else {
		int before = atomic_load(&order);

		/* a digit each, in the order they came in: 1 reader, 2 writer */
		while (!atomic_compare_exchange_weak(&order, &before,
						     before * 10 + (what == 'w' ? 2 : 1)))
			;
		if (what == 'w')
			goru_rwlock_wrunlock(&rw);
		else
			goru_rwlock_rdunlock(&rw);
	}
	goru_waitgroup_done(&wg);
}

static void who_comes_next(int what, int64_t patience)
{
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(gets, what, patience), 0);
	UNTIL(test_asleep() == test_alive()); /* or its patience is over already */
}

/* A waiting writer holds readers back; one that gives up lets them go on. */
static void a_waiting_writer(void)
{
	anew();
	CHECK_EQ(goru_rwlock_rdlock(&rw), 0);
	who_comes_next('w', GORU_FOREVER);
	CHECK_EQ(goru_rwlock_try_rdlock(&rw), -EAGAIN);
	who_comes_next('r', GORU_FOREVER);
	CHECK_EQ(atomic_load(&order), 0);
	goru_rwlock_rdunlock(&rw);
	all_ended();
	CHECK_EQ(atomic_load(&order), 21);

	anew();
	CHECK_EQ(goru_rwlock_rdlock(&rw), 0);
	who_comes_next('w', 40 * GORU_MSEC);
	who_comes_next('r', GORU_FOREVER);
	all_ended(); /* with us inside all the time: the reader came in beside us, and may be back first */
	CHECK(atomic_load(&order) == 10001 || atomic_load(&order) == 1001);
	goru_rwlock_rdunlock(&rw);
}

/* After a writer the readers that wait go first, whoever came first; writers in their order. */
static void after_a_writer(void)
{
	anew();
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
	who_comes_next('w', GORU_FOREVER);
	who_comes_next('r', GORU_FOREVER);
	who_comes_next('w', GORU_FOREVER);
	who_comes_next('r', GORU_FOREVER);
	goru_rwlock_wrunlock(&rw);
	all_ended();
	CHECK_EQ(atomic_load(&order), 1122);
}

TEST_MAIN(TEST_BOTH(readers_together), TEST_BOTH(rwlock_forms), TEST_BOTH(a_waiting_writer),
	  TEST_BOTH(after_a_writer))
