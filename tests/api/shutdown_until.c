/* shutdown_until.c - a shutdown that gives up: who is named, that nothing is lost, and that a later one works. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

#include "rt/rt.h"

GORU_CHAN_OF(ints, int);

static ints *c;
static _Atomic int arrived, back, fired;
static _Atomic bool release;

static void arrive(void)
{
	atomic_fetch_add(&arrived, 1);
}

/* Until it is let go. */
static void computes(void *arg)
{
	(void)arg;
	arrive();
	while (!atomic_load(&release))
		usleep(200);
	atomic_fetch_add(&back, 1);
}

static void in_brackets(void *arg)
{
	(void)arg;
	goru_block_enter();
	arrive();
	while (!atomic_load(&release))
		usleep(200);
	goru_block_exit();
	atomic_fetch_add(&back, 1);
}

static void receives(void)
{
	int v;

	arrive();
	if (ints_recv(c, &v) == 1)
		atomic_fetch_add(&back, v);
}

static void fires(void *arg)
{
	(void)arg;
	atomic_fetch_add(&fired, 1);
}

static void nothing(void)
{
	atomic_fetch_add(&back, 1);
}

static void begin(void)
{
	atomic_store(&arrived, 0);
	atomic_store(&back, 0);
	atomic_store(&fired, 0);
	atomic_store(&release, false);
}

/* The goroutines that a shutdown would find on a worker: one that is seen to wait may be about to leave it. Of rt.lock,
 * and of who made the worker, ThreadSanitizer does not know. */
__attribute__((no_sanitize("thread"))) static int running(void)
{
	int n = 0;

	grt_spin_lock(&grt_rt.lock);
	for (struct m *m = grt_rt.allm; m; m = m->alllink)
		n += grt_peek(&m->curg) != NULL;
	grt_spin_unlock(&grt_rt.lock);
	return n;
}

static void off(void)
{
	CHECK_EQ(goru_shutdown(), 0);
}

/* It writes text, and gives up. */
static void gives_up(const char *text, int64_t deadline)
{
	const char *said;

	test_capture_begin();
	CHECK_EQ(goru_shutdown_until(deadline), -ETIMEDOUT);
	said = test_capture_end();
	if (!CHECK(strstr(said, text)))
		fprintf(stderr, "want %s; said %s\n", text, said);
}

static void off_and_at_once(void)
{
	begin();
	CHECK_EQ(goru_shutdown_until(0), 0);
	for (int i = 0; i < 50; i++) {
		c = ints_make(0);
		for (int k = 0; k < 4; k++)
			CHECK_EQ(go(receives), 0);
		UNTIL(test_asleep() == 4 && running() == 0);
		/* late already, but nobody runs */
		CHECK_EQ(goru_shutdown_until(i % 2 ? 0 : goru_now()), 0);
		CHECK_EQ(ints_try_send(c, 1), -EAGAIN);
		ints_unref(c);
	}
}

static void who_computes_is_named(void)
{
	goru_attr a = { .name = "stubborn" };

	begin();
	CHECK_EQ(goru_go_attr(&a, computes, NULL), 0);
	UNTIL(atomic_load(&arrived) == 1);
	gives_up("goru: shutdown given up: 1 goroutine has not stopped\n"
		 "goru:     goroutine ",
		 goru_in(5 * GORU_MSEC));
	gives_up(" (stubborn) [", 0);
	atomic_store(&release, true);
	UNTIL(atomic_load(&back) == 1);
	off();
}

static void who_blocks_is_named(void)
{
	goru_attr a = { .name = "blocked one" };

	begin();
	CHECK_EQ(goru_go_attr(&a, in_brackets, NULL), 0);
	UNTIL(atomic_load(&arrived) == 1);
	gives_up(" (blocked one) [", goru_in(5 * GORU_MSEC));
	atomic_store(&release, true);
	UNTIL(atomic_load(&back) == 1);
	off();
}

/* Parked, timed, queued, spawned after: all of it comes to its end; thread and goroutine do. */
static void nothing_is_lost(void)
{
	goru_timer t = GORU_TIMER_INIT;
	int threads;

	begin();
	c = ints_make(0);
	CHECK_EQ(go(computes, NULL), 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(go(receives), 0);
	/* with one P the receivers have their turn when it is handed off */
	UNTIL(atomic_load(&arrived) == 9 && test_asleep() == 8 && running() == 1);
	threads = test_threads();
	for (int i = 0; i < 30; i++)
		gives_up("1 goroutine has not stopped", goru_in((i % 3) * GORU_MSEC));
	CHECK(test_threads() <= threads + 8); /* none at each turn */
	CHECK_EQ(goru_timer_start(&t, goru_in(GORU_MSEC), 0, fires, NULL), 0);
	gives_up("shutdown given up: ", goru_in(3 * GORU_MSEC)); /* fires may run, too */
	CHECK_EQ(go(nothing), 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(ints_send(c, 10), 0);
	UNTIL(atomic_load(&back) == 81);
	UNTIL(atomic_load(&fired) == 1);
	atomic_store(&release, true);
	UNTIL(atomic_load(&back) == 82);
	off();
	ints_unref(c);
}

static _Atomic int refused;

/* Asks for a goroutine until it is refused, and then until it is not. */
static void spawns_over_it(void)
{
	int rc;

	arrive();
	while ((rc = go(nothing)) == 0)
		usleep(200);
	CHECK_EQ(rc, -ESHUTDOWN);
	atomic_store(&refused, 1);
	while ((rc = go(nothing)) != 0)
		usleep(200);
	atomic_store(&refused, 2);
}

static void spawning_works_again(void)
{
	begin();
	atomic_store(&refused, 0);
	CHECK_EQ(go(spawns_over_it), 0);
	UNTIL(atomic_load(&arrived) == 1);
	/* a deadline may be over before the goroutine has asked */
	while (atomic_load(&refused) == 0)
		gives_up("shutdown given up: ", goru_in(20 * GORU_MSEC));
	UNTIL(atomic_load(&refused) == 2);
	off();
}

static _Atomic int waited_rc;

static void waits_as_thread(void)
{
	int v;

	arrive();
	atomic_store(&waited_rc, ints_recv(c, &v));
}

/* A plain thread that waits is not cancelled by what is given up, and is by what is not. */
static void threads_wait_on(void)
{
	pthread_t t;

	begin();
	c = ints_make(0);
	CHECK_EQ(go(computes, NULL), 0);
	atomic_store(&waited_rc, 77);
	test_thread(&t, waits_as_thread);
	UNTIL(atomic_load(&arrived) == 2 && test_asleep() == 1);
	gives_up("1 goroutine has not stopped", goru_in(2 * GORU_MSEC));
	CHECK_EQ(test_asleep(), 1);
	CHECK_EQ(atomic_load(&waited_rc), 77);
	atomic_store(&release, true);
	UNTIL(atomic_load(&back) == 1);
	off();
	test_join(t);
	CHECK_EQ(atomic_load(&waited_rc), -ECANCELED);
	ints_unref(c);
}

static void locked(void *arg)
{
	(void)arg;
	CHECK_EQ(goru_lock_thread(), 0);
	receives();
	CHECK_EQ(goru_unlock_thread(), 0);
}

static _Atomic bool under_way;

/* Ties itself while the runtime stops: room for the others must be there afterwards as well. */
static void locks_late(void *arg)
{
	(void)arg;
	arrive();
	test_await_shutdown();
	CHECK_EQ(goru_lock_thread(), 0);
	atomic_store(&under_way, true);
	while (!atomic_load(&release))
		usleep(200);
	goru_yield();
	CHECK_EQ(goru_unlock_thread(), 0);
	atomic_fetch_add(&back, 1);
}

static void locked_ones_go_on(void)
{
	begin();
	atomic_store(&under_way, false);
	c = ints_make(0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(goru_go(locked, NULL), 0);
	UNTIL(test_asleep() == 3);
	CHECK_EQ(goru_go(locks_late, NULL), 0);
	UNTIL(atomic_load(&arrived) == 4);
	while (!atomic_load(&under_way))
		gives_up("goroutine", goru_in(20 * GORU_MSEC));
	CHECK_EQ(go(nothing), 0);
	UNTIL(atomic_load(&back) == 1);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(ints_send(c, 10), 0);
	UNTIL(atomic_load(&back) == 31);
	atomic_store(&release, true);
	UNTIL(atomic_load(&back) == 32);
	off();
	ints_unref(c);
}

static void many_are_counted(void)
{
	begin();
	CHECK_EQ(goru_set_procs(20), 0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(goru_go(in_brackets, NULL), 0);
	UNTIL(atomic_load(&arrived) == 20);
	gives_up("20 goroutines have not stopped", goru_in(GORU_MSEC));
	gives_up("goru:     and 4 more\n", 0);
	atomic_store(&release, true);
	UNTIL(atomic_load(&back) == 20);
	off();
}

static void from_a_goroutine(void)
{
	CHECK_EQ(goru_shutdown_until(goru_in(GORU_SEC)), -EPERM);
}

static void under_run(void *arg)
{
	(void)arg;
	arrive();
	while (!atomic_load(&release))
		goru_sleep(GORU_MSEC);
}

static void runs(void)
{
	CHECK_EQ(goru_run(under_run, NULL), 0);
}

static void busy_under_run(void)
{
	pthread_t t;

	begin();
	test_thread(&t, runs);
	UNTIL(atomic_load(&arrived) == 1);
	CHECK_EQ(goru_shutdown_until(goru_in(GORU_SEC)), -EBUSY);
	atomic_store(&release, true);
	test_join(t);
	off();
}

static void shuts_down(void)
{
	CHECK_EQ(goru_shutdown(), 0);
}

/* Another thread stops the runtime for as long as a goroutine computes. */
static void behind_another(void)
{
	pthread_t t;

	begin();
	CHECK_EQ(go(computes, NULL), 0);
	UNTIL(atomic_load(&arrived) == 1);
	test_thread(&t, shuts_down);
	UNTIL(test_stopping());
	gives_up("another thread starts or stops the runtime\n", goru_in(2 * GORU_MSEC));
	atomic_store(&release, true);
	test_join(t);
	CHECK_EQ(atomic_load(&back), 1);
}

TEST_MAIN(TEST(off_and_at_once), TEST(who_computes_is_named), TEST(who_blocks_is_named),
	  TEST(nothing_is_lost), TEST(spawning_works_again), TEST(threads_wait_on),
	  TEST(locked_ones_go_on), TEST(many_are_counted), TEST(busy_under_run),
	  TEST(behind_another), TEST_GO(from_a_goroutine))
