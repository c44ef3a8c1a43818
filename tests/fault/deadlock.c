/* deadlock.c - goru_run's caller falls asleep last, when the monitor sleeps already and took it for awake. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_life_unlock */
#include <stdatomic.h>
#include <stdlib.h>

#include "test.h"

#include "base/sanitizer.h"
#include "rt/life.h"
#include "rt/rt.h"

static bool late;
static _Atomic int told;

void __real_grt_life_unlock(void);
void __wrap_grt_life_unlock(void);

/* The last thing it does before; the main goroutine is queued. */
void __wrap_grt_life_unlock(void)
{
	__real_grt_life_unlock();
	if (!late)
		return;
	late = false;
	UNTIL(test_workers_asleep());
	for (int i = 0; i < 50; i++) /* and the monitor, as far as one can tell */
		test_nap();
}

static void waits(void *arg)
{
	(void)goru_chan_recv(arg, NULL);
}

static void on_deadlock(void *arg)
{
	(void)arg;
	atomic_fetch_add(&told, 1);
}

static void caller_is_last(void)
{
	goru_chan *c = goru_chan_make(0, 0);
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.on_deadlock = on_deadlock;
	unsetenv("GORU_DEBUG"); /* with hang=S it looks all the time */
	CHECK_EQ(goru_init(&cfg), 0);
	late = true;
	CHECK_EQ(goru_run(waits, c), -EDEADLK);
	CHECK_EQ(atomic_load(&told), 1);
	CHECK(!late);
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

static void is_seen(void)
{
	if (GRT_TSAN_ON || test_emulated())
		return; /* they have a thread of their own, which might wake somebody */
	CHECK_LIVES(caller_is_last, "");
}

TEST_MAIN(TEST(is_seen))
