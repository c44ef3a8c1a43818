/* futex.c - sleeping on a word, deadlines of every kind, errno left alone, the barrier. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "os/os.h"

static _Atomic uint32_t word;

static void changed_word_returns_at_once(void)
{
	atomic_store(&word, 2);
	CHECK_EQ(grt_os_futex_wait(&word, 1, INT64_MAX), 0);
}

static void deadlines(void)
{
	static const int64_t past[] = { INT64_MIN, -1, 0, 1, 999999999, 1000000000 };
	int64_t t = grt_os_now();

	atomic_store(&word, 1);
	for (size_t i = 0; i < grt_countof(past); i++)
		CHECK_EQ(grt_os_futex_wait(&word, 1, past[i]), -ETIMEDOUT);
	CHECK(grt_os_now() - t < 20 * GORU_SEC);
	t = grt_os_now() + 30 * GORU_MSEC;
	CHECK_EQ(grt_os_futex_wait(&word, 1, t), -ETIMEDOUT);
	CHECK(grt_os_now() >= t);
}

static _Atomic int awake;

static void sleeper(void)
{
	while (atomic_load(&word) == 1)
		CHECK_EQ(grt_os_futex_wait(&word, 1, INT64_MAX), 0);
	atomic_fetch_add(&awake, 1);
}

static void wake_wakes(void)
{
	pthread_t t[3];

	atomic_store(&word, 1);
	atomic_store(&awake, 0);
	for (int i = 0; i < 3; i++)
		test_thread(&t[i], sleeper);
	for (int i = 0; i < 20; i++)
		test_nap();
	CHECK_EQ(atomic_load(&awake), 0);
	atomic_store(&word, 0);
	grt_os_futex_wake(&word, 1);
	UNTIL(atomic_load(&awake) >= 1);
	grt_os_futex_wake(&word, INT32_MAX);
	for (int i = 0; i < 3; i++)
		test_join(t[i]);
	CHECK_EQ(atomic_load(&awake), 3);
}

static void errno_is_the_programs(void)
{
	errno = 12345;
	atomic_store(&word, 1);
	CHECK_EQ(grt_os_futex_wait(&word, 1, 0), -ETIMEDOUT);
	CHECK_EQ(errno, 12345);
	CHECK_EQ(grt_os_futex_wait(&word, 7, INT64_MAX), 0);
	CHECK_EQ(errno, 12345);
	grt_os_futex_wake(&word, 1);
	/* a word that is gone: nobody sleeps there */
	grt_os_futex_wake((_Atomic uint32_t *)(uintptr_t)4096, 1);
	CHECK_EQ(errno, 12345);
}

static void membarrier_answers(void)
{
	int rc = grt_os_membarrier_init();

	CHECK(rc == 0 || rc == -ENOSYS);
	if (rc == 0)
		CHECK_EQ(grt_os_membarrier(), 0);
	CHECK_EQ(grt_os_membarrier_init(), rc);
}

TEST_MAIN(TEST(changed_word_returns_at_once), TEST(deadlines), TEST(wake_wakes),
	  TEST(errno_is_the_programs), TEST(membarrier_answers))
