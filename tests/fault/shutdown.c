/* shutdown.c - a worker that searches while the runtime stops may still look at the record of one that has ended. */
/* SPDX-License-Identifier: MIT */
/* test: procs=2 wrap=grt_watch,grt_os_thread_join */
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

#include "engine/watch.h"

/*
 * One worker runs a goroutine that has others behind it, the other begins to search for work and is held there. The
 * shutdown begins; the first worker ends, with the others' goroutines still in its P. Once the shutdown waits for the
 * second one, that goes on, finds a P that does not move, and looks into the record of the first.
 *
 * Nobody searches for as long as goroutines are made faster than they are run: the attempt is given up then.
 */
static _Atomic bool armed, held, released, given_up;
static _Atomic bool first_joined, second_last;
static pthread_t first, second; /* set before armed, and before held */

bool __real_grt_watch(struct watch *w, struct p *self, int64_t now);
bool __wrap_grt_watch(struct watch *w, struct p *self, int64_t now);
void __real_grt_os_thread_join(pthread_t t);
void __wrap_grt_os_thread_join(pthread_t t);

bool __wrap_grt_watch(struct watch *w, struct p *self, int64_t now)
{
	if (atomic_exchange(&armed, false)) {
		second = pthread_self();
		atomic_store(&held, true);
		while (!atomic_load(&released))
			usleep(50);
	}
	return __real_grt_watch(w, self, now);
}

void __wrap_grt_os_thread_join(pthread_t t)
{
	bool is_second = atomic_load(&held) && pthread_equal(t, second);

	if (is_second) {
		atomic_store(&second_last, atomic_load(&first_joined));
		atomic_store(&released, true);
	}
	__real_grt_os_thread_join(t);
	if (!is_second && pthread_equal(t, first))
		atomic_store(&first_joined, true);
}

static void waits(void *arg)
{
	(void)arg;
	goru_select(NULL, 0);
}

static void has_others_behind(void *arg)
{
	first = pthread_self();
	atomic_store(&armed, true);
	for (int n = 0; n < 200 && !atomic_load(&held); n++) {
		for (int i = 0; i < 8; i++)
			(void)goru_go(waits, arg); /* or it is being shut down already */
		usleep(100);
	}
	/* who is no longer armed is held, or is about to be */
	if (atomic_exchange(&armed, false))
		atomic_store(&given_up, true);
	test_await_shutdown();
}

/* True: the two were waited for in this order, so that the second could look at what was left of the first. */
static bool once(void)
{
	atomic_store(&held, false);
	atomic_store(&released, false);
	atomic_store(&first_joined, false);
	atomic_store(&second_last, false);
	atomic_store(&given_up, false);
	CHECK_EQ(goru_go(has_others_behind, NULL), 0);
	UNTIL(atomic_load(&held) || atomic_load(&given_up));
	CHECK_EQ(goru_shutdown(), 0);
	return atomic_load(&second_last);
}

/* Which of the workers gets the goroutine is chance, and so is whether one searches. */
static void records_outlive_searchers(void)
{
	int64_t end = goru_in(10 * GORU_SEC);

	for (int n = 0; n < 5 && goru_now() < end;)
		n += once();
}

TEST_MAIN(TEST(records_outlive_searchers))
