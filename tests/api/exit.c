/* exit.c - the process ends while goroutines run, wait, compute and block: by exit, quick_exit, _exit, from anywhere. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { STATUS = 7 };

static _Atomic int arrived;
static void (*the_way)(int);
static bool on_the_stack;

static void computes(void)
{
	atomic_fetch_add(&arrived, 1);
	for (;;)
		;
}

static void blocks(void)
{
	goru_block_enter();
	atomic_fetch_add(&arrived, 1);
	for (;;)
		pause();
}

static void parks(void)
{
	atomic_fetch_add(&arrived, 1);
	goru_select(NULL, 0);
}

static void yields(void)
{
	atomic_fetch_add(&arrived, 1);
	for (;;)
		goru_yield();
}

static void never(void *arg)
{
	(void)arg;
	_exit(1);
}

/* In the handlers of the end, goru still works: they run where exit was called. */
static void handler(void)
{
	uint64_t id = goru_id();
	goru_chan *c = goru_chan_make(sizeof(id), 1);

	if (c && goru_chan_send(c, &id) == 0 && goru_chan_recv(c, &id) == 1)
		(void)!write(STDERR_FILENO, id ? "on a goroutine\n" : "on a thread\n",
			     id ? 15 : 12);
	goru_chan_unref(c);
}

static void ends(void *arg)
{
	while (atomic_load(&arrived) < 4)
		usleep(100);
	the_way(STATUS);
	never(arg);
}

static void child(void)
{
	static goru_timer t;

	if (atexit(handler) || at_quick_exit(handler))
		_exit(1);
	if (go(computes) || go(blocks) || go(parks) || go(yields))
		_exit(1);
	if (goru_timer_start(&t, goru_in(3600 * GORU_SEC), 0, never, NULL))
		_exit(1);
	if (on_the_stack)
		goru_run(ends, NULL);
	ends(NULL);
}

static void ends_so(void (*way)(int), bool goroutine, const char *said)
{
	static struct test_end e;

	the_way = way;
	on_the_stack = goroutine;
	test_child(child, &e);
	if (!CHECK(WIFEXITED(e.status)) || !CHECK_EQ(WEXITSTATUS(e.status), STATUS) ||
	    !CHECK(!strcmp(e.err, said)))
		fprintf(stderr, "status 0x%x, said: %s\n", (unsigned)e.status, e.err);
}

static void by_exit(void)
{
	ends_so(exit, true, "on a goroutine\n");
}

/* As main does when it returns. */
static void main_returns(void)
{
	ends_so(exit, false, "on a thread\n");
}

static void by_quick_exit(void)
{
	ends_so(quick_exit, true, "on a goroutine\n");
	ends_so(quick_exit, false, "on a thread\n");
}

static void at_once(void)
{
	ends_so(_exit, true, "");
	ends_so(_exit, false, "");
}

TEST_MAIN(TEST(by_exit), TEST(main_returns), TEST(by_quick_exit), TEST(at_once))
