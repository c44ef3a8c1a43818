/* limits.c - the address space runs out: spawn says so, nothing is lost, and what has ended makes room. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 not=address,thread */
#include <malloc.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

static goru_chan *c;
static _Atomic int woken;

static void waits(void *arg)
{
	goru_chan_recv(arg, NULL);
	atomic_fetch_add(&woken, 1);
}

/* Starts goroutines until it is refused; how many. */
static int fill(size_t stack)
{
	goru_attr a = { .stack_size = stack };
	int n = 0, rc = 0;

	c = goru_chan_make(0, 0);
	while (n < 100000 && (rc = goru_go_attr(&a, waits, c)) == 0)
		n++;
	CHECK_EQ(rc, -ENOMEM);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(goru_go_attr(&a, waits, c), -ENOMEM);
	return n;
}

static void end_all(int n)
{
	atomic_store(&woken, 0);
	goru_chan_close(c);
	/* a worker gives the last one's stack back when it runs another, at the latest before it sleeps */
	UNTIL(test_alive() == 0 && test_workers_asleep());
	CHECK_EQ(atomic_load(&woken), n);
	goru_chan_unref(c);
}

static _Atomic unsigned busy;

static void waits_for_the_others(void *arg)
{
	(void)arg;
	atomic_fetch_add(&busy, 1);
	while (atomic_load(&busy) < goru_procs())
		;
}

/* So that their threads have what they need of the address space. */
static void start_workers(void)
{
	CHECK_EQ(goru_init(NULL), 0);
	for (unsigned i = goru_procs(); i > 0; i--)
		CHECK_EQ(goru_go(waits_for_the_others, NULL), 0);
	UNTIL(test_alive() == 0 && test_workers_asleep());
}

static void limited(void)
{
	struct rlimit l;
	int n, m;

#ifdef M_ARENA_MAX		 /* of glibc */
	mallopt(M_ARENA_MAX, 1); /* a thread's own reserves 128 MiB and gives half of it back */
#endif
	start_workers();
	getrlimit(RLIMIT_AS, &l);
	l.rlim_cur = test_address_space() + ((size_t)1 << 30);
	CHECK_EQ(setrlimit(RLIMIT_AS, &l), 0);
	n = fill(1 << 20);
	CHECK(n >= 100 && n < 1100);
	end_all(n);
	for (int i = 0; i < 3; i++) {
		m = fill(1 << 20); /* their stacks serve again */
		CHECK(m >= n);
		end_all(m);
	}
	CHECK_EQ(goru_shutdown(), 0);
	/* and all of it has gone back */
	start_workers();
	m = fill(1 << 20);
	CHECK(m >= n * 9 / 10);
	end_all(m);
	CHECK_EQ(goru_shutdown(), 0);
}

/* A thread made for a hand-off in between would need address space, too, and for a moment much of it. */
static void limited_quietly(void)
{
	setenv("GORU_DEBUG", "handoff=0", 1);
	limited();
}

static void address_space_runs_out(void)
{
	if (test_emulated()) /* the limit would be the emulator's, too */
		return;
	CHECK_LIVES(limited_quietly, "");
}

static void limited_and_told(void)
{
	setenv("GORU_DEBUG", "spawnfail=1,handoff=0", 1);
	limited();
}

static void too_big(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.flags = GORU_CONFIG_SPAWN_FATAL;
	cfg.procs = 1;
	CHECK_EQ(goru_init(&cfg), 0);
	(void)fill((size_t)1 << 30);
}

static void fatal_if_asked_for(void)
{
	static struct test_end e;
	struct rlimit old, l;

	if (test_emulated())
		return;
	getrlimit(RLIMIT_AS, &old);
	l = old;
	l.rlim_cur = (size_t)4 << 30;
	CHECK_EQ(setrlimit(RLIMIT_AS, &l), 0);
	CHECK_DIES(too_big, "goru: fatal: cannot start a goroutine: no memory or address space");
	CHECK_EQ(setrlimit(RLIMIT_AS, &old), 0);
	test_child(limited_and_told, &e);
	CHECK(strstr(e.err, "goru: cannot start a goroutine: no memory or address space\n"));
	CHECK_EQ(e.status, 0);
}

TEST_MAIN(TEST(address_space_runs_out), TEST(fatal_if_asked_for))
