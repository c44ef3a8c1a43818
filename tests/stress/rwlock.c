/* rwlock.c - read-write locks: writers alone, readers see what one writer left, neither keeps the other out. */
/* SPDX-License-Identifier: MIT */
#include "lock.h"

static goru_rwlock rw;
static uint64_t pair[2];
static _Atomic int readers, writers;

static void reads_or_writes(uint64_t salt)
{
	uint64_t r = stress_rand(200 + salt);

	while (stress_more()) {
		bool write = grt_rand_below(&r, 4) == 0, mine;
		int64_t until = grt_rand_below(&r, 4) ? GORU_FOREVER : soon(&r);
		bool try = grt_rand_below(&r, 8) == 0;

		if (write)
			mine = took(try ? goru_rwlock_try_wrlock(&rw) :
					  goru_rwlock_wrlock_until(&rw, until));
		else
			mine = took(try ? goru_rwlock_try_rdlock(&rw) :
					  goru_rwlock_rdlock_until(&rw, until));
		if (!mine) {
			dally(&r);
		} else if (write) {
			CHECK_EQ(atomic_fetch_add(&writers, 1), 0);
			CHECK_EQ(atomic_load(&readers), 0);
			pair[0]++;
			dally(&r);
			pair[1]++;
			CHECK_EQ(atomic_fetch_sub(&writers, 1), 1);
			goru_rwlock_wrunlock(&rw);
		} else {
			atomic_fetch_add(&readers, 1);
			CHECK_EQ(atomic_load(&writers), 0);
			CHECK_EQ(pair[0], pair[1]);
			dally(&r);
			CHECK_EQ(pair[0], pair[1]);
			atomic_fetch_sub(&readers, 1);
			goru_rwlock_rdunlock(&rw);
		}
	}
}

static void test_rwlock(void **state)
{
	(void)state;
	together(reads_or_writes);
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), 0);
	goru_rwlock_wrunlock(&rw);
}

/* A stream of readers does not keep a writer out, nor the other way round. */
static _Atomic uint64_t had[2];

static void stream(bool write)
{
	while (more_turns(had)) {
		CHECK_EQ(write ? goru_rwlock_wrlock(&rw) : goru_rwlock_rdlock(&rw), 0);
		goru_yield();
		if (write)
			goru_rwlock_wrunlock(&rw);
		else
			goru_rwlock_rdunlock(&rw);
		atomic_fetch_add(&had[write], 1);
	}
	goru_waitgroup_done(&all);
}

static void test_streams(void **state)
{
	(void)state;
	for (int many = 0; many < 2; many++) {
		stress_again();
		atomic_store(&had[0], 0);
		atomic_store(&had[1], 0);
		goru_waitgroup_add(&all, 5);
		for (int i = 0; i < 5; i++)
			GO(stream, i ? many : !many);
		CHECK_EQ(goru_waitgroup_wait(&all), 0);
	}
}

STRESS_MAIN("stress/rwlock", cmocka_unit_test(test_rwlock), cmocka_unit_test(test_streams))
