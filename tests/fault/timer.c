/* timer.c - timers without memory for them, or for the goroutines that they start. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 wrap=malloc,realloc,aligned_alloc,grt_stack_get */
#include <stdatomic.h>

#include "fault.h"
#include "test.h"

#include "part/stack.h"

enum { HEAP = 1, STACK = 2 };

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
int __real_grt_stack_get(unsigned cls, struct g **out);
int __wrap_grt_stack_get(unsigned cls, struct g **out);

void *__wrap_malloc(size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_aligned_alloc(align, size);
}

int __wrap_grt_stack_get(unsigned cls, struct g **out)
{
	return fault_hit(STACK) ? -EAGAIN : __real_grt_stack_get(cls, out);
}

static _Atomic int fired;

static void fires(void *arg)
{
	atomic_fetch_add(&fired, arg ? *(int *)arg : 1);
}

static void never_runs(void *arg)
{
	(void)arg;
	CHECK(!"stopped, and runs");
}

/* The n-th allocation fails, for each n there is; then it works. */
static void no_memory(void)
{
	for (unsigned n = 1;; n++) {
		goru_timer t = GORU_TIMER_INIT;
		unsigned failed;
		int rc;

		CHECK_EQ(goru_init(NULL), 0);
		fault_set(HEAP, n, false);
		rc = goru_timer_start(&t, GORU_FOREVER, 0, never_runs, NULL);
		failed = fault_count();
		fault_set(0, 0, false);
		CHECK_EQ(rc, failed ? -ENOMEM : 0);
		CHECK_EQ(goru_timer_stop(&t), !failed);
		CHECK_EQ(goru_timer_start(&t, GORU_FOREVER, 0, never_runs, NULL), 0);
		CHECK_EQ(goru_timer_stop(&t), 1);
		CHECK_EQ(goru_shutdown(), 0);
		if (!failed)
			break;
		CHECK(n < 10);
	}
}

static void no_memory_for_a_channel(void)
{
	for (unsigned n = 1;; n++) {
		goru_chan *c;
		unsigned failed;

		CHECK_EQ(goru_init(NULL), 0);
		fault_set(HEAP, n, false);
		c = n % 2 ? goru_after(GORU_SEC) : goru_tick(GORU_SEC);
		failed = fault_count();
		fault_set(0, 0, false);
		CHECK_EQ(c != NULL, !failed);
		goru_chan_unref(c);
		CHECK_EQ(goru_shutdown(), 0);
		if (!failed)
			break;
		CHECK(n < 10);
	}
}

/* One that cannot be moved stays what it was. */
static void not_moved(void)
{
	enum { MANY = 300 };
	goru_timer t[MANY] = { GORU_TIMER_INIT };
	int n;

	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_timer_start(&t[0], GORU_FOREVER, 0, never_runs, NULL), 0);
	fault_set(HEAP, 1, true);
	for (n = 1; n < MANY; n++) {
		int rc = goru_timer_start(&t[n], GORU_FOREVER, 0, never_runs, NULL);

		if (rc) {
			CHECK_EQ(rc, -ENOMEM);
			break;
		}
	}
	CHECK(n < MANY);
	CHECK_EQ(goru_timer_start(&t[0], goru_now(), 0, never_runs, NULL), -ENOMEM);
	fault_set(0, 0, false);
	for (int i = 0; i < n; i++)
		CHECK_EQ(goru_timer_stop(&t[i]), 1);
	CHECK_EQ(goru_shutdown(), 0);
}

static uint64_t refusals(void)
{
	goru_stats st;

	CHECK_EQ(goru_stats_get(&st), 0);
	return st.spawn_failed;
}

/* No goroutine can be made: tried again until it can, counted; and it can be stopped meanwhile. */
static void no_goroutine(void)
{
	goru_timer once = GORU_TIMER_INIT, often = GORU_TIMER_INIT, off = GORU_TIMER_INIT;
	goru_chan *c;
	int64_t at;

	CHECK_EQ(goru_init(NULL), 0);
	atomic_store(&fired, 0);
	fault_set(STACK, 1, true);
	CHECK_EQ(goru_timer_start(&once, goru_now(), 0, fires, NULL), 0);
	CHECK_EQ(goru_timer_start(&off, goru_now(), 0, never_runs, NULL), 0);
	UNTIL(refusals() >= 6); /* each three times, say */
	CHECK_EQ(atomic_load(&fired), 0);
	CHECK_EQ(goru_timer_stop(&off), 1);
	/* a channel needs none */
	c = goru_after(GORU_MSEC);
	CHECK_EQ(goru_chan_recv(c, &at), 1);
	goru_chan_unref(c);
	fault_set(0, 0, false);
	UNTIL(atomic_load(&fired) == 1);
	CHECK_EQ(goru_timer_stop(&once), 0);
	CHECK_EQ(goru_shutdown(), 0);

	CHECK_EQ(goru_init(NULL), 0);
	atomic_store(&fired, 0);
	fault_set(STACK, 1, true);
	CHECK_EQ(goru_timer_start(&often, goru_now(), GORU_MSEC, fires, NULL), 0);
	UNTIL(refusals() >= 3);
	fault_set(0, 0, false);
	UNTIL(atomic_load(&fired) >= 3);
	CHECK_EQ(goru_timer_stop(&often), 1);
	CHECK_EQ(goru_shutdown(), 0);
}

TEST_MAIN(TEST(no_memory), TEST(no_memory_for_a_channel), TEST(not_moved), TEST(no_goroutine))
