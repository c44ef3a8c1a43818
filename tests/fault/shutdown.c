/* shutdown.c - a thread that is in the middle of starting a goroutine keeps a shutdown from going on, or has it given up. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2 wrap=grt_stack_get */
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

#include "part/stack.h"

static _Atomic bool armed, inside, release;
static _Atomic int ran, rc;

int __real_grt_stack_get(unsigned cls, struct g **out);
int __wrap_grt_stack_get(unsigned cls, struct g **out);

int __wrap_grt_stack_get(unsigned cls, struct g **out)
{
	if (atomic_exchange(&armed, false)) {
		atomic_store(&inside, true);
		while (!atomic_load(&release))
			usleep(100);
	}
	return __real_grt_stack_get(cls, out);
}

static void runs(void)
{
	atomic_fetch_add(&ran, 1);
}

static void starts_one(void)
{
	atomic_store(&rc, go(runs));
}

static void a_thread_is_inside(void)
{
	pthread_t t;

	CHECK_EQ(goru_init(NULL), 0);
	UNTIL(test_workers_asleep());
	atomic_store(&rc, 77);
	atomic_store(&armed, true);
	test_thread(&t, starts_one);
	UNTIL(atomic_load(&inside));
	for (int i = 0; i < 2; i++) {
		test_capture_begin();
		CHECK_EQ(goru_shutdown_until(goru_in(i * GORU_MSEC)), -ETIMEDOUT);
		CHECK(!strcmp(test_capture_end(),
			      "goru: shutdown given up: a thread of the program is inside goru\n"));
	}
	CHECK_EQ(atomic_load(&rc), 77);
	atomic_store(&release, true);
	test_join(t);
	CHECK_EQ(atomic_load(&rc), 0);
	UNTIL(atomic_load(&ran) == 1);
	CHECK_EQ(goru_shutdown(), 0);
}

TEST_MAIN(TEST(a_thread_is_inside))
