/* lock_thread_ends.c - goroutines that end locked, and threads that are short: who goes on where, and what is left. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4,16 */
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"
#include "rt/rt.h"

/* The thread's own end is seen by the destructor of a value of the thread's; no other goroutine may find the value. */
static pthread_key_t key;
static _Atomic int gone;

static void thread_ends(void *arg)
{
	(void)arg;
	atomic_fetch_add(&gone, 1);
}

static void runs_elsewhere(_Atomic int *ran)
{
	CHECK(!pthread_getspecific(key));
	atomic_fetch_add(ran, 1);
}

static void tie_for_good(void)
{
	CHECK_EQ(goru_lock_thread(), 0);
	CHECK_EQ(pthread_setspecific(key, &key), 0);
	goru_yield();
}

static void returns(void)
{
	tie_for_good();
}

static void exits(void)
{
	tie_for_good();
	goru_exit();
}

static void returns_without_p(void)
{
	tie_for_good();
	goru_block_enter();
}

static void exits_deep(void *arg)
{
	(void)arg;
	goru_sleep(1000);
	goru_exit();
}

static void exits_on_big_stack(void)
{
	tie_for_good();
	goru_call_on_big_stack(1 << 20, exits_deep, NULL);
}

static void nested(void)
{
	tie_for_good();
	tie_for_good();
	CHECK_EQ(goru_unlock_thread(), 0);
}

/* Tied only by a destructor of its locals. */
static goru_local_key local;

static void ties(void *arg)
{
	(void)arg;
	tie_for_good();
}

static void tied_at_its_end(void)
{
	CHECK_EQ(goru_local_set(local, &local), 0);
}

static void *task_returns(void *arg)
{
	tie_for_good();
	return arg;
}

static void main_returns(void *arg)
{
	(void)arg;
	tie_for_good();
}

static void ends_tied(void)
{
	static void (*const how[])(void) = {
		returns, exits, returns_without_p, exits_on_big_stack, nested, tied_at_its_end
	};
	enum { N = sizeof(how) / sizeof(how[0]) };
	_Atomic int ran = 0;
	goru_task *task;
	void *r = NULL;

	CHECK_EQ(pthread_key_create(&key, thread_ends), 0);
	CHECK_EQ(goru_local_create(&local, ties), 0);
	atomic_store(&gone, 0);
	for (int i = 0; i < 3 * N; i++) {
		CHECK_EQ(go(how[i % N]), 0);
		UNTIL(atomic_load(&gone) == i + 1);
		CHECK_EQ(go(runs_elsewhere, &ran), 0);
		UNTIL(atomic_load(&ran) == i + 1);
	}
	CHECK_EQ(goru_task_start(&task, task_returns, &task), 0);
	CHECK_EQ(goru_task_join(task, &r), 0);
	CHECK(r == &task);
	UNTIL(atomic_load(&gone) == 3 * N + 1);
	if (!goru_id()) {
		CHECK_EQ(goru_run(main_returns, NULL), 0);
		UNTIL(atomic_load(&gone) == 3 * N + 2);
	}
	CHECK_EQ(goru_local_delete(local), 0);
	CHECK_EQ(pthread_key_delete(key), 0);
}

/* Their threads are joined as they end, not only at shutdown. */
static void threads_do_not_pile_up(void)
{
	CHECK_EQ(pthread_key_create(&key, thread_ends), 0);
	atomic_store(&gone, 0);
	for (int i = 0; i < 300; i += 10) {
		for (int k = 0; k < 10; k++)
			CHECK_EQ(go(returns), 0);
		UNTIL(atomic_load(&gone) == i + 10);
	}
	UNTIL(!grt_load(&grt_rt.ended));
	CHECK_EQ(pthread_key_delete(key), 0);
}

/* Below here each begins with the runtime off. */
static void off(void)
{
	CHECK_EQ(goru_shutdown(), 0);
}

static void start(unsigned procs, unsigned max_threads)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = procs;
	cfg.max_threads = max_threads;
	off();
	CHECK_EQ(goru_init(&cfg), 0);
}

static void locks_and_waits(goru_chan *c, _Atomic int *rc)
{
	int r = goru_lock_thread();

	if (r < 0)
		CHECK_EQ(goru_unlock_thread(), -EPERM);
	atomic_store(rc, r);
	goru_chan_recv(c, NULL);
	if (r == 0)
		CHECK_EQ(goru_unlock_thread(), 0);
	atomic_store(rc, 2);
}

/* One thread stays for the others. */
static void one_thread_stays(void)
{
	goru_chan *c = goru_chan_make(0, 0);
	_Atomic int rc = 1;

	start(1, 1);
	CHECK_EQ(go(locks_and_waits, c, &rc), 0);
	UNTIL(atomic_load(&rc) == -EAGAIN);
	CHECK_EQ(goru_chan_send(c, NULL), 0);
	UNTIL(atomic_load(&rc) == 2);

	start(1, 3);
	for (int i = 0; i < 10; i++) {
		_Atomic int first = 1, second = 1, third = 1;
		goru_stats st;

		CHECK_EQ(go(locks_and_waits, c, &first), 0);
		UNTIL(atomic_load(&first) == 0);
		CHECK_EQ(go(locks_and_waits, c, &second), 0);
		UNTIL(atomic_load(&second) == 0);
		CHECK_EQ(go(locks_and_waits, c, &third), 0);
		UNTIL(atomic_load(&third) == -EAGAIN);
		CHECK_EQ(goru_stats_get(&st), 0);
		CHECK(st.threads <= 3);
		for (int k = 0; k < 3; k++)
			CHECK_EQ(goru_chan_send(c, NULL), 0);
		UNTIL(atomic_load(&first) == 2 && atomic_load(&second) == 2 &&
		      atomic_load(&third) == 2);
	}
	goru_chan_unref(c);
	off();
}

/* A goroutine that ended tied makes room for another one. */
static void room_again(void)
{
	CHECK_EQ(pthread_key_create(&key, thread_ends), 0);
	atomic_store(&gone, 0);
	start(1, 2);
	for (int i = 0; i < 10; i++) {
		_Atomic int rc = 1;
		goru_chan *c = goru_chan_make(0, 0);

		CHECK_EQ(go(returns), 0);
		UNTIL(atomic_load(&gone) == i + 1);
		CHECK_EQ(go(locks_and_waits, c, &rc), 0);
		UNTIL(atomic_load(&rc) == 0);
		CHECK_EQ(goru_chan_send(c, NULL), 0);
		UNTIL(atomic_load(&rc) == 2);
		goru_chan_unref(c);
	}
	off();
	CHECK_EQ(pthread_key_delete(key), 0);
}

static _Atomic int at_once;

/* Without giving its thread to another one. */
static void meets_two(void)
{
	int64_t end = goru_in(20 * GORU_SEC);

	atomic_fetch_add(&at_once, 1);
	while (atomic_load(&at_once) < 3 && goru_now() < end)
		;
	CHECK_EQ(atomic_load(&at_once), 3);
}

/* More Ps than max_threads: it has risen, so a thread that ended with its goroutine is replaced. */
static void more_procs_than_threads(void)
{
	CHECK_EQ(pthread_key_create(&key, thread_ends), 0);
	atomic_store(&gone, 0);
	start(1, 1);
	CHECK_EQ(goru_set_procs(3), 0);
	CHECK_EQ(go(returns), 0);
	UNTIL(atomic_load(&gone) == 1);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(go(meets_two), 0);
	UNTIL(atomic_load(&at_once) == 3 && test_alive() == 0);
	off();
	CHECK_EQ(pthread_key_delete(key), 0);
}

static _Atomic int locked_now;

static void waits_for_ever(goru_chan *c)
{
	CHECK_EQ(goru_lock_thread(), 0);
	atomic_fetch_add(&locked_now, 1);
	goru_chan_recv(c, NULL);
	CHECK(false);
}

static void sleeps_long(void)
{
	CHECK_EQ(goru_lock_thread(), 0);
	atomic_fetch_add(&locked_now, 1);
	goru_sleep(3600 * GORU_SEC);
	CHECK(false);
}

static void keeps_yielding(void)
{
	CHECK_EQ(goru_lock_thread(), 0);
	atomic_fetch_add(&locked_now, 1);
	for (;;)
		goru_yield();
}

static void blocks_and_waits(goru_chan *c)
{
	CHECK_EQ(goru_lock_thread(), 0);
	goru_block_enter();
	atomic_fetch_add(&locked_now, 1);
	usleep(100);
	goru_chan_recv(c, NULL);
	CHECK(false);
}

/* Shutdown drops those that wait and those that are ready, and their threads are gone after it. */
static void shutdown_drops(void)
{
	goru_chan *c = goru_chan_make(0, 0);
	int before;

	off();
	before = test_threads();
	for (int i = 0; i < 10; i++) {
		atomic_store(&locked_now, 0);
		for (int k = 0; k < 4; k++) {
			CHECK_EQ(go(waits_for_ever, c), 0);
			CHECK_EQ(go(sleeps_long), 0);
			CHECK_EQ(go(keeps_yielding), 0);
			CHECK_EQ(go(blocks_and_waits, c), 0);
		}
		if (i % 2)
			UNTIL(atomic_load(&locked_now) == 16);
		off();
		UNTIL(test_threads() == before);
	}
	CHECK_EQ(goru_chan_try_send(c, NULL), -EAGAIN);
	goru_chan_unref(c);
}

/* Threads that wait for their goroutine are asleep: a deadlock is one. */
static _Atomic int told;

static void on_deadlock(void *arg)
{
	CHECK(arg == &told);
	atomic_fetch_add(&told, 1);
}

static void main_waits(void *arg)
{
	CHECK_EQ(go(waits_for_ever, (goru_chan *)arg), 0);
	CHECK_EQ(goru_lock_thread(), 0);
	goru_chan_recv(arg, NULL);
}

static void deadlock(void)
{
	goru_chan *c;
	goru_config cfg = GORU_CONFIG_INIT;

	if (GRT_TSAN_ON || test_emulated())
		return;	     /* they have a thread of their own, which might wake somebody */
	test_watch(NULL, 0); /* and so has this program */
	c = goru_chan_make(0, 0);
	cfg.on_deadlock = on_deadlock;
	cfg.on_deadlock_arg = &told;
	off();
	CHECK_EQ(goru_init(&cfg), 0);
	CHECK_EQ(goru_run(main_waits, c), -EDEADLK);
	CHECK_EQ(atomic_load(&told), 1);
	off();
	goru_chan_unref(c);
}

TEST_MAIN(TEST_BOTH(ends_tied), TEST_BOTH(threads_do_not_pile_up), TEST(one_thread_stays),
	  TEST(room_again), TEST(more_procs_than_threads), TEST(shutdown_drops), TEST(deadlock))
