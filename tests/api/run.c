/* run.c - init, run, procs, go_attr, yield, exit: each result provoked. */
/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <unistd.h>

#include "deep.h"
#include "test.h"

static _Atomic int ran, flag;

static void nothing(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ran, 1);
}

static void off(void)
{
	CHECK_EQ(goru_shutdown(), 0);
}

/* The runtime is off before and after each of these. */

static void init_refuses(void)
{
	static const size_t sizes[] = { 1, 8192, ((size_t)1 << 30) + 1, (size_t)2 << 30, SIZE_MAX };
	int before = test_threads();
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = 1025;
	CHECK_EQ(goru_init(&cfg), -EINVAL);
	cfg.procs = 100000;
	CHECK_EQ(goru_init(&cfg), -EINVAL);
	cfg.procs = 0;
	cfg.flags = 8;
	CHECK_EQ(goru_init(&cfg), -EINVAL);
	cfg.flags = 0;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		cfg.stack_size = sizes[i];
		CHECK_EQ(goru_init(&cfg), -EINVAL);
	}
	cfg = (goru_config)GORU_CONFIG_INIT;
	cfg.struct_size = 0;
	CHECK_EQ(goru_init(&cfg), -EINVAL);
	CHECK_EQ(test_threads(), before); /* nothing was begun */
}

static void init_applies(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = 3;
	CHECK_EQ(goru_init(&cfg), 0);
	CHECK_EQ(goru_procs(), 3);
	cfg.procs = 5;
	CHECK_EQ(goru_init(&cfg), -EALREADY);
	CHECK_EQ(goru_init(NULL), -EALREADY);
	CHECK_EQ(goru_procs(), 3);
	cfg.procs = 100000; /* already running comes first */
	CHECK_EQ(goru_init(&cfg), -EALREADY);
	off();
	CHECK_EQ(goru_init(NULL), 0);
	off();
}

static void zero_is_the_default(void)
{
	unsigned n = goru_procs();
	goru_config cfg = GORU_CONFIG_INIT;

	CHECK(n >= 1 && n <= 1024);
	CHECK_EQ(goru_init(&cfg), 0);
	CHECK_EQ(goru_procs(), n);
	off();
}

/* Asking how many does not begin anything. */
static void procs_starts_nothing(void)
{
	int before = test_threads();

	CHECK(goru_procs() >= 1);
	CHECK_EQ(test_threads(), before);
	CHECK_EQ(goru_id(), 0);
	CHECK_EQ(test_threads(), before);
	CHECK_EQ(goru_init(NULL), 0);
	off();
}

static void environment_is_used(void)
{
	char old[32] = "";

	if (getenv("GORU_PROCS"))
		snprintf(old, sizeof(old), "%s", getenv("GORU_PROCS"));
	setenv("GORU_PROCS", "6", 1);
	CHECK_EQ(goru_procs(), 6);
	CHECK_EQ(goru_init(NULL), 0);
	CHECK_EQ(goru_procs(), 6);
	off();
	setenv("GORU_PROCS", "six", 1);
	test_capture_begin();
	CHECK_EQ(goru_init(NULL), 0);
	CHECK(strstr(test_capture_end(), "GORU_PROCS=six"));
	off();
	unsetenv("GORU_PROCS");
	if (*old)
		setenv("GORU_PROCS", old, 1);
}

static void set_procs_limits(void)
{
	unsigned n = goru_procs();

	CHECK_EQ(goru_set_procs(0), -EINVAL);
	CHECK_EQ(goru_set_procs(1025), -EINVAL);
	CHECK_EQ(goru_set_procs(100000), -EINVAL);
	CHECK_EQ(goru_set_procs(UINT32_MAX), -EINVAL);
	CHECK_EQ(goru_procs(), n);
}

static void spinner(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ran, 1);
	while (!atomic_load(&flag))
		;
}

/* Up, down and up again, with work in all queues: nothing is lost. */
static void set_procs_moves_the_work(void)
{
	static const unsigned steps[] = { 4, 1, 7, 2, 64, 3, 1, 1, 5 };
	unsigned n = goru_procs();

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		atomic_store(&ran, 0);
		for (int k = 0; k < 300; k++)
			CHECK_EQ(goru_go(nothing, NULL), 0);
		CHECK_EQ(goru_set_procs(steps[i]), 0);
		CHECK_EQ(goru_procs(), steps[i]);
		UNTIL(atomic_load(&ran) == 300);
	}
	CHECK_EQ(goru_set_procs(n), 0);
}

/* Two that compute at the same time need two Ps. */
static void procs_is_how_many_run_at_once(void)
{
	test_handoff(false);
	CHECK_EQ(goru_set_procs(2), 0);
	UNTIL(test_workers_asleep()); /* one that was looking for work may still find some */
	atomic_store(&ran, 0);
	atomic_store(&flag, 0);
	CHECK_EQ(goru_go(spinner, NULL), 0);
	CHECK_EQ(goru_go(spinner, NULL), 0);
	UNTIL(atomic_load(&ran) == 2);
	CHECK_EQ(goru_go(spinner, NULL), 0);
	for (int i = 0; i < 50; i++)
		test_nap();
	CHECK_EQ(atomic_load(&ran), 2); /* the third waits for one of them */
	atomic_store(&flag, 1);
	UNTIL(atomic_load(&ran) == 3);
	test_handoff(true);
}

static void main_goroutine(void *arg)
{
	CHECK(goru_id() > 0);
	CHECK_EQ(goru_run(nothing, NULL), -EPERM);
	CHECK_EQ(goru_shutdown(), -EPERM);
	usleep(2000);
	*(int *)arg = 42;
}

static void exits(void *arg)
{
	*(int *)arg = 43;
	goru_exit();
}

static void run_returns_after_fn(void)
{
	int v = 0;

	CHECK_EQ(goru_run(NULL, NULL), -EINVAL);
	CHECK_EQ(goru_run(main_goroutine, &v), 0);
	CHECK_EQ(v, 42);
	CHECK_EQ(goru_run(exits, &v), 0);
	CHECK_EQ(v, 43);
	CHECK_EQ(goru_id(), 0);
	off();
}

static void leaves_another(void *arg)
{
	CHECK_EQ(goru_go(spinner, NULL), 0);
	(void)arg;
}

static void others_go_on_after_run(void)
{
	atomic_store(&flag, 0);
	atomic_store(&ran, 0);
	CHECK_EQ(goru_run(leaves_another, NULL), 0);
	UNTIL(atomic_load(&ran) == 1);
	atomic_store(&flag, 1);
	off();
}

static void holds_run(void *arg)
{
	(void)arg;
	atomic_store(&ran, 1);
	while (!atomic_load(&flag))
		goru_sleep(GORU_MSEC);
}

static void run_thread(void)
{
	CHECK_EQ(goru_run(holds_run, NULL), 0);
}

static void one_run_at_a_time(void)
{
	pthread_t t;

	atomic_store(&flag, 0);
	atomic_store(&ran, 0);
	test_thread(&t, run_thread);
	UNTIL(atomic_load(&ran) == 1);
	CHECK_EQ(goru_run(nothing, NULL), -EBUSY);
	CHECK_EQ(goru_shutdown(), -EBUSY);
	CHECK_EQ(goru_go(nothing, NULL), 0); /* neither did any harm */
	UNTIL(atomic_load(&ran) == 2);
	atomic_store(&flag, 1);
	test_join(t);
	CHECK_EQ(goru_run(nothing, NULL), 0);
	off();
}

static void attr_limits(void)
{
	static const size_t bad[] = { 1,       4096, 8192, ((size_t)1 << 30) + 1, (size_t)2 << 30,
				      SIZE_MAX };
	static const size_t good[] = { 0, 8193, 16384, 65536, 262144, 1 << 20, (size_t)1 << 30 };
	goru_attr a = { 0 };
	int want = 0;

	atomic_store(&ran, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a.stack_size = bad[i];
		CHECK_EQ(goru_go_attr(&a, nothing, NULL), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		a.stack_size = good[i];
		CHECK_EQ(goru_go_attr(&a, nothing, NULL), 0);
		want++;
	}
	CHECK_EQ(goru_go_attr(NULL, nothing, NULL), 0);
	UNTIL(atomic_load(&ran) == want + 1);
}

static void uses_700k(void *arg)
{
	atomic_store((_Atomic int *)arg, test_deep(700));
}

/* The stack asked for is there. */
static void attr_stack_is_usable(void)
{
	goru_attr a = { .stack_size = 1 << 20, .name = "deep" };
	_Atomic int done = 0;

	CHECK_EQ(goru_go_attr(&a, uses_700k, (void *)&done), 0);
	UNTIL(atomic_load(&done));
	CHECK_EQ(atomic_load(&done), 701);
}

static _Atomic int turn;

static void other_turns(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		while (atomic_load(&turn) % 2 == 0)
			goru_yield();
		atomic_fetch_add(&turn, 1);
	}
}

/* Works on a goroutine even where one P has to carry both. */
static void yield_lets_others_go(void)
{
	atomic_store(&turn, 0);
	CHECK_EQ(goru_go(other_turns, NULL), 0);
	for (int i = 0; i < 100; i++) {
		while (atomic_load(&turn) % 2 == 1)
			goru_yield();
		atomic_fetch_add(&turn, 1);
	}
	UNTIL(atomic_load(&turn) == 200);
}

static void deeper(void)
{
	goru_exit();
}

static void exits_from_below(void *arg)
{
	atomic_store(&flag, 1);
	deeper();
	CHECK(!"after goru_exit");
	(void)arg;
}

static void exit_ends_from_anywhere(void)
{
	atomic_store(&flag, 0);
	CHECK_EQ(goru_go(exits_from_below, NULL), 0);
	UNTIL(atomic_load(&flag));
}

static _Atomic int spawn_rc, seen;

/* Computes while the runtime stops, then tries. */
static void spawns_late(void *arg)
{
	(void)arg;
	atomic_store(&ran, 1);
	while (goru_go(nothing, NULL) == 0)
		usleep(100);
	atomic_store(&spawn_rc, goru_go(nothing, NULL));
	CHECK_EQ(goru_go_attr(NULL, nothing, NULL), -ESHUTDOWN);
	CHECK_EQ(go(nothing, NULL), -ESHUTDOWN);
	while (!atomic_load(&seen)) /* by the thread below, too */
		usleep(100);
}

static void shuts_down(void)
{
	CHECK_EQ(goru_shutdown(), 0);
}

static void no_spawn_once_shutdown_has_begun(void)
{
	pthread_t t;

	atomic_store(&ran, 0);
	atomic_store(&seen, 0);
	atomic_store(&spawn_rc, 0);
	CHECK_EQ(goru_go(spawns_late, NULL), 0);
	UNTIL(atomic_load(&ran));
	test_thread(&t, shuts_down);
	UNTIL(atomic_load(&spawn_rc));
	CHECK_EQ(atomic_load(&spawn_rc), -ESHUTDOWN);
	CHECK_EQ(goru_go(nothing, NULL), -ESHUTDOWN);
	atomic_store(&seen, 1);
	test_join(t);
	off();
	CHECK_EQ(goru_go(nothing, NULL), 0); /* starts it again */
	off();
}

TEST_MAIN(TEST(init_refuses), TEST(init_applies), TEST(zero_is_the_default),
	  TEST(procs_starts_nothing), TEST(environment_is_used), TEST(run_returns_after_fn),
	  TEST(others_go_on_after_run), TEST(one_run_at_a_time), TEST_BOTH(set_procs_limits),
	  TEST_BOTH(set_procs_moves_the_work), TEST(procs_is_how_many_run_at_once),
	  TEST_BOTH(attr_limits), TEST(attr_stack_is_usable), TEST_BOTH(yield_lets_others_go),
	  TEST_BOTH(exit_ends_from_anywhere), TEST(no_spawn_once_shutdown_has_begun))
