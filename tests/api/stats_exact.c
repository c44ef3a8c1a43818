/* stats_exact.c - goru_stats_get to the unit, where nothing but the test itself changes what it counts. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_stack_get not=migrate */
#include <stdatomic.h>
#include <unistd.h>

#include "fault.h"
#include "test.h"

#include "base/sanitizer.h"
#include "part/stack.h"

enum { STACK = 1 };

int __real_grt_stack_get(unsigned cls, struct g **out);
int __wrap_grt_stack_get(unsigned cls, struct g **out);

int __wrap_grt_stack_get(unsigned cls, struct g **out)
{
	return fault_hit(STACK) ? -ENOMEM : __real_grt_stack_get(cls, out);
}

static goru_chan *c;
static _Atomic int ran;
static _Atomic bool go_on;

/* What holds at any time. */
static goru_stats get(void)
{
	static const uint64_t zero[42];
	goru_stats st;

	memset(&st, 0xff, sizeof(st));
	CHECK_EQ(goru_stats_get(&st), 0);
	CHECK(!memcmp(st.spare, zero, sizeof(zero)));
	CHECK_EQ(st.polls, 0);
	CHECK(st.threads_idle <= st.threads);
	return st;
}

static void start(unsigned procs)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = procs;
	CHECK_EQ(goru_init(&cfg), 0);
	c = goru_chan_make(0, 0);
	atomic_store(&ran, 0);
	atomic_store(&go_on, true);
}

static void finish(void)
{
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

/* fn as the main goroutine, alone: one P, which stays where it is. */
static void alone(void (*fn)(void *))
{
	test_handoff(false);
	start(1);
	CHECK_EQ(goru_run(fn, NULL), 0);
	finish();
	test_handoff(true);
}

static void counts(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ran, 1);
}

static void waits(void *arg)
{
	CHECK_EQ(goru_chan_recv(c, arg), 0);
}

/* n more than the caller are ready, and wait for a turn on whatever queue; then they have it. */
static void ready(const goru_stats *before, unsigned n)
{
	goru_stats st = get();

	CHECK_EQ(st.goroutines, 1 + n);
	CHECK_EQ(st.runnable, n);
	CHECK_EQ(st.running, 1);
	CHECK_EQ(st.waiting, 0);
	CHECK_EQ(st.blocked, 0);
	CHECK_EQ(st.ended, before->ended);
	while (st.goroutines > 1) {
		goru_yield();
		st = get();
		CHECK_EQ(st.runnable, st.goroutines - 1);
	}
	CHECK_EQ(st.ended, before->ended + n);
}

/* The newest, those behind it, and so many that half of them go to the shared queue. */
static void those_spawned(void)
{
	static const unsigned many[] = { 1, 2, 300, 1500 };

	for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		goru_stats before = get();

		for (unsigned k = 0; k < many[i]; k++)
			CHECK_EQ(goru_go(counts, NULL), 0);
		CHECK_EQ(get().spawned, before.spawned + many[i]);
		ready(&before, many[i]);
	}
}

static void looks(void *arg)
{
	if (atomic_fetch_add(&ran, 1) % 16 == 0) {
		goru_stats st = get();

		CHECK_EQ(st.runnable, st.goroutines - 2);
		CHECK_EQ(st.waiting, 1);
	}
	goru_waitgroup_done(arg);
}

/* Seen by one of them, while the caller waits: those that were taken from the shared queue together lie in the ring. */
static void those_shared(void)
{
	enum { MANY = 3000 };
	goru_waitgroup wg = GORU_WAITGROUP_INIT;

	goru_waitgroup_add(&wg, MANY);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(goru_go(looks, &wg), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	while (get().goroutines > 1)
		goru_yield();
	atomic_store(&ran, 0);
}

static void those_woken(void)
{
	enum { MANY = 5 };
	goru_stats before = get(), st;

	for (int i = 0; i < MANY; i++)
		CHECK_EQ(goru_go(waits, NULL), 0);
	while (get().parks < before.parks + MANY)
		goru_yield();
	st = get();
	CHECK_EQ(st.parks, before.parks + MANY);
	CHECK_EQ(st.waiting, MANY);
	CHECK_EQ(st.runnable, 0);
	CHECK_EQ(st.running, 1);
	CHECK_EQ(st.spawned, before.spawned + MANY);
	goru_chan_close(c);
	ready(&before, MANY);
}

static void yields(void *arg)
{
	(void)arg;
	while (atomic_load(&go_on))
		goru_yield();
}

/* Two that take turns: each turn is a switch, and none is a wait. */
static void those_that_yield(void)
{
	enum { TURNS = 200 };
	goru_stats before, st;

	CHECK_EQ(goru_go(yields, NULL), 0);
	goru_yield();
	before = get();
	for (int i = 0; i < TURNS; i++) {
		goru_yield();
		CHECK_EQ(get().runnable, 1);
	}
	st = get();
	CHECK_EQ(st.switches, before.switches + 2 * TURNS);
	CHECK_EQ(st.parks, before.parks);
	atomic_store(&go_on, false);
	while (get().goroutines > 1)
		goru_yield();
}

static void queues(void *arg)
{
	goru_stats st = get();

	CHECK_EQ(st.goroutines, 1);
	CHECK_EQ(st.spawned, 1);
	CHECK_EQ(st.switches, 1);
	CHECK_EQ(st.parks + st.ended + st.runnable + st.waiting + st.blocked, 0);
	those_spawned();
	those_shared();
	those_woken();
	those_that_yield();
	(void)arg;
}

static void of_queues(void)
{
	alone(queues);
}

/* Waits that end by their deadline, and timers; not what came before its deadline. */
static void fires_more(const goru_stats *before, uint64_t n, const char *what)
{
	if (!CHECK_EQ(get().timer_fires - before->timer_fires, n))
		print_message("that was %s\n", what);
}

/* Gives up; before the wait has begun when the machine is that late. */
static void gives_up(bool sleep)
{
	goru_stats st;

	do {
		st = get();
		if (sleep)
			CHECK_EQ(goru_sleep(GORU_MSEC), 0);
		else
			CHECK_EQ(goru_chan_recv_until(c, NULL, goru_in(GORU_MSEC)), -ETIMEDOUT);
		fires_more(&st, get().parks - st.parks, sleep ? "a sleep" : "a wait");
	} while (get().parks == st.parks);
}

static void takes_one(void *arg)
{
	CHECK_EQ(goru_chan_recv(c, arg), 1);
}

static void is_in_time(void)
{
	goru_stats st = get();
	goru_chan *full = goru_chan_make(0, 1);

	CHECK_EQ(goru_chan_recv_until(c, NULL, 0), -ETIMEDOUT);
	CHECK_EQ(goru_chan_send_until(full, NULL, goru_in(3600 * GORU_SEC)), 0);
	CHECK_EQ(goru_go(takes_one, NULL), 0);
	CHECK_EQ(goru_chan_send_until(c, NULL, goru_in(3600 * GORU_SEC)), 0);
	fires_more(&st, 0, "nobody");
	goru_chan_unref(full);
}

static void alarms(void)
{
	goru_timer t = GORU_TIMER_INIT;
	goru_stats st = get();
	goru_chan *at;

	CHECK_EQ(goru_timer_start(&t, goru_in(3600 * GORU_SEC), 0, counts, NULL), 0);
	CHECK_EQ(goru_timer_stop(&t), 1);
	CHECK_EQ(goru_timer_start(&t, goru_now(), 0, counts, NULL), 0);
	while (!atomic_load(&ran))
		goru_yield();
	fires_more(&st, 1, "a timer");
	CHECK_EQ(get().spawned, st.spawned + 1);
	at = goru_after(100);
	CHECK_EQ(goru_chan_recv(at, NULL), 1);
	goru_chan_unref(at);
	fires_more(&st, 2, "goru_after");
}

/* Its end is one, the waits that it ends are none. */
static void ends_a_scope(void)
{
	goru_stats st;

	do {
		goru_scope s = GORU_SCOPE_INIT;

		st = get();
		CHECK_EQ(goru_scope_open(&s, goru_in(GORU_MSEC)), 0);
		CHECK_EQ(goru_sleep(GORU_FOREVER), -ETIMEDOUT);
		if (get().parks > st.parks)
			fires_more(&st, 1, "a scope");
		CHECK_EQ(goru_scope_close(&s), -ETIMEDOUT);
	} while (get().parks == st.parks);
}

static void computes_a_while(void *arg)
{
	int64_t until = goru_in(30 * GORU_MSEC);

	(void)arg;
	while (goru_now() < until)
		;
}

/* True: by so much that it is counted. That it was not is known only if it was not. */
static bool sleeps_late(bool late)
{
	goru_stats st = get(), now;
	int64_t due, over;

	if (late)
		CHECK_EQ(goru_go(computes_a_while, NULL), 0);
	due = goru_in(GORU_MSEC);
	CHECK_EQ(goru_sleep_until(due), 0);
	over = goru_now() - due;
	now = get();
	CHECK(now.timer_fires <= st.timer_fires + 1);
	CHECK(now.timer_late - st.timer_late <= now.timer_fires - st.timer_fires);
	CHECK(over >= 10 * GORU_MSEC || now.timer_late == st.timer_late);
	return now.timer_late > st.timer_late;
}

static void fires(void *arg)
{
	int64_t end = goru_in(20 * GORU_SEC);

	gives_up(true);
	gives_up(false);
	is_in_time();
	alarms();
	ends_a_scope();
	for (int i = 0; i < 10; i++)
		(void)sleeps_late(false);
	while (!sleeps_late(true) && goru_now() < end)
		;
	CHECK(goru_now() < end);
	(void)arg;
}

static void of_timers(void)
{
	goru_stats st;

	alone(fires);
	/* a plain thread's waits are the kernel's */
	start(1);
	st = get();
	CHECK_EQ(goru_sleep(100), 0);
	CHECK_EQ(goru_chan_recv_until(c, NULL, goru_in(100)), -ETIMEDOUT);
	fires_more(&st, 0, "a plain thread");
	CHECK_EQ(get().parks, 0);
	finish();
}

/* All that one spawns, who computes then, are taken from its queue, once; several at once, as far as they lie there. On a
 * busy machine the monitor may take some out first, and the shared queue's are not stolen. */
enum { SPAWNED = 64 };

static void spawns(void *arg)
{
	for (int i = 0; i < SPAWNED; i++)
		CHECK_EQ(goru_go(counts, arg), 0);
	while (atomic_load(&ran) < SPAWNED)
		;
}

static bool all_are_stolen(void)
{
	goru_stats before = get(), st;

	atomic_store(&ran, 0);
	CHECK_EQ(goru_go(spawns, NULL), 0);
	UNTIL(test_alive() == 0);
	st = get();
	CHECK(st.stolen - before.stolen <= SPAWNED);
	CHECK(st.steals - before.steals <= st.stolen - before.stolen);
	CHECK_EQ(st.handoffs, 0);
	return st.stolen - before.stolen == SPAWNED && st.steals - before.steals < SPAWNED &&
	       st.retakes > before.retakes;
}

static void of_steals(void)
{
	test_handoff(false);
	start(2);
	UNTIL(all_are_stolen());
	finish();
	test_handoff(true);
}

static void computes(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ran, 1);
	while (atomic_load(&go_on))
		;
}

/* In one call: one who wakes now and then waits for a CPU then, on a busy machine, and does not block. */
static int fd[2];

static void blocks(void *arg)
{
	char b;

	(void)arg;
	CHECK_EQ(read(fd[0], &b, 1), 1);
}

static void threads_at_rest(int before)
{
	goru_stats st;

	UNTIL(test_workers_asleep());
	st = get();
	CHECK_EQ(st.threads_idle, st.threads);
	CHECK_EQ(test_threads(), before + (int)st.threads + 1); /* the monitor */
	CHECK_EQ(st.running + st.runnable + st.blocked + st.waiting + st.goroutines, 0);
	CHECK_EQ(st.ended, st.spawned);
}

/* Several at once on one P, by hand-off; each has a thread. */
static void of_threads(void)
{
	enum { MANY = 3 };
	int before = test_threads();

	start(1);
	threads_at_rest(before);
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(goru_go(computes, NULL), 0);
	UNTIL(atomic_load(&ran) == MANY);
	CHECK_EQ(get().running, MANY); /* most of them without a P */
	CHECK_EQ(get().goroutines, MANY);
	CHECK_EQ(get().runnable + get().waiting + get().blocked, 0);
	CHECK_EQ(get().procs, 1);
	CHECK(get().threads >= MANY);
	CHECK(get().handoffs >= MANY - 1 && get().retakes >= get().handoffs);
	UNTIL(get().threads - get().threads_idle == MANY);
	CHECK_EQ(goru_set_procs(5), 0);
	CHECK_EQ(get().procs, 5);
	CHECK_EQ(goru_set_procs(1), 0);
	CHECK_EQ(get().procs, 1);
	atomic_store(&go_on, false);
	UNTIL(test_alive() == 0); /* and some end without a P */
	threads_at_rest(before);
	CHECK_EQ(get().spawned, MANY);
	finish();
}

/* One that blocks, while nobody waits: it loses its P once. */
static void of_one_hand_off(void)
{
	goru_stats st;

	CHECK_EQ(pipe(fd), 0);
	start(1);
	CHECK_EQ(goru_go(blocks, NULL), 0);
	UNTIL(get().handoffs > 0);
	st = get();
	CHECK_EQ(st.handoffs, 1);
	CHECK_EQ(st.retakes, 1);
	CHECK_EQ(st.blocked, 1);
	CHECK_EQ(st.running, 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	UNTIL(test_alive() == 0);
	CHECK_EQ(get().handoffs, 1);
	finish();
	close(fd[0]);
	close(fd[1]);
}

/* Each start that is refused, from a thread and from a goroutine; not one that was wrong. */
static void refused(void)
{
	goru_attr wrong = { .stack_size = 1 };
	goru_task *t;
	uint64_t n = get().spawn_failed;

	fault_set(STACK, 1, true);
	for (uint64_t i = 1; i <= 3; i++) {
		goru_attr big = { .stack_size = (size_t)1 << 22 }; /* of which none is left over */

		CHECK_EQ(goru_go_attr(&big, counts, NULL), -ENOMEM);
		CHECK_EQ(get().spawn_failed, n + i);
	}
	CHECK_EQ(goru_go_attr(&wrong, counts, NULL), -EINVAL);
	CHECK_EQ(goru_task_start(&t, NULL, NULL), -EINVAL);
	CHECK_EQ(get().spawn_failed, n + 3);
	fault_set(0, 0, false);
}

static void refused_there(void *arg)
{
	(void)arg;
	refused();
}

/* Keeps the shutdown waiting. */
static void refused_late(void)
{
	uint64_t n = get().spawn_failed;

	atomic_store(&ran, 1);
	test_await_shutdown();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(goru_go(waits, NULL), -ESHUTDOWN);
	CHECK_EQ(get().spawn_failed, n + 3);
}

static void of_refusals(void)
{
	start(1);
	refused();
	CHECK_EQ(goru_run(refused_there, NULL), 0);
	CHECK_EQ(get().spawn_failed, 6);
	CHECK_EQ(go(refused_late), 0);
	UNTIL(atomic_load(&ran));
	finish();
	CHECK_EQ(get().spawn_failed, 0);
}

static void touches(void *arg)
{
	volatile char deep[1 << 20];

	for (size_t i = 0; i < sizeof(deep); i += 512)
		deep[i] = 1;
	waits(arg);
}

/* Of address space as much as the kernel says; of memory no less than was touched, and not much more. */
static void of_stacks(void)
{
	goru_attr huge = { .stack_size = (size_t)1 << 30 }, big = { .stack_size = 4 << 20 };
	size_t space, has;
	goru_stats st, now;

	start(1);
	CHECK_EQ(goru_go(waits, NULL), 0);
	UNTIL(test_asleep() == 1 && test_workers_asleep());
	st = get();
	space = test_address_space();
	CHECK_EQ(goru_go_attr(&huge, waits, NULL), 0);
	UNTIL(test_asleep() == 2 && test_workers_asleep());
	now = get();
	has = test_address_space() - space;
	CHECK(now.stack_reserved - st.stack_reserved >= (size_t)1 << 30);
	/* what else there is by now is much less */
	if (!test_emulated())
		CHECK(now.stack_reserved - st.stack_reserved <= has &&
		      has - (now.stack_reserved - st.stack_reserved) < (size_t)1 << 28);

	st = now;
	CHECK_EQ(goru_go_attr(&big, touches, NULL), 0);
	UNTIL(test_asleep() == 3 && test_workers_asleep());
	now = get();
	if (!test_emulated() && !GRT_ASAN_ON)
		CHECK(now.stack_resident >= st.stack_resident + (1 << 20) &&
		      now.stack_resident < st.stack_resident + (3 << 20));
	goru_chan_close(c);
	UNTIL(test_alive() == 0);
	finish();
	CHECK_EQ(get().stack_reserved + get().stack_resident, 0);
}

TEST_MAIN(TEST(of_queues), TEST(of_timers), TEST(of_steals), TEST(of_threads),
	  TEST(of_one_hand_off), TEST(of_refusals), TEST(of_stacks))
