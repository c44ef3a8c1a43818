/* dump.c - the list of goroutines: a line each, with name, state and what it waits for. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#include "debug/dump.h"
#include "part/waiter.h"
#include "rt/self.h"

static char *text;
static goru_chan *c;
static goru_waitgroup wg;
static _Atomic int go_on;

static const char *dump(void)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	off_t size;

	free(text);
	grt_dump(fd);
	size = lseek(fd, 0, SEEK_END);
	text = calloc(1, (size_t)size + 1);
	if (pread(fd, text, (size_t)size, 0) != size)
		abort();
	close(fd);
	return test_drop_ages(text);
}

static bool has(const char *line)
{
	return strstr(dump(), line);
}

static void in_recv(void *arg)
{
	goru_chan_recv(c, arg);
}

static void in_send(void *arg)
{
	goru_chan_send(arg, NULL);
}

static void in_select(void *arg)
{
	goru_case k[] = { GORU_RECV(c, arg) };

	goru_select(k, 1);
}

static void in_nothing(void *arg)
{
	(void)arg;
	goru_select(NULL, 0);
}

static void in_wait(void *arg)
{
	(void)arg;
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

static void in_sleep(void *arg)
{
	(void)arg;
	goru_sleep(3600 * GORU_SEC);
}

static void in_block(void *arg)
{
	(void)arg;
	goru_block_enter();
	while (!atomic_load(&go_on))
		usleep(200);
	goru_block_exit();
}

static void start(const char *name, void (*fn)(void *), void *arg)
{
	goru_attr a = { .name = name };

	CHECK_EQ(goru_go_attr(&a, fn, arg), 0);
}

static void none(void)
{
	CHECK(!strcmp(dump(), "no goroutines\n"));
}

static void names_and_states(void)
{
	goru_chan *full = goru_chan_make(0, 0);

	c = goru_chan_make(8, 0);
	goru_waitgroup_add(&wg, 1);
	start("r", in_recv, NULL);
	start("s", in_send, full);
	start("sel", in_select, NULL);
	start("ever", in_nothing, NULL);
	start("wg", in_wait, NULL);
	start("z", in_sleep, NULL);
	start("b", in_block, NULL);
	start("a name that is longer than thirty-one", in_recv, NULL);
	start(NULL, in_recv, NULL);
	UNTIL(has(" (r) [waiting: chan recv]\n"));
	UNTIL(has(" (s) [waiting: chan send]\n"));
	UNTIL(has(" (sel) [waiting: select]\n"));
	UNTIL(has(" (ever) [waiting: for ever]\n"));
	UNTIL(has(" (wg) [waiting: wait group]\n"));
	UNTIL(has(" (z) [waiting: sleep]\n"));
	UNTIL(has(" (b) [blocked]\n"));
	UNTIL(has(" (a name that is longer than thirty) [waiting: chan recv]\n") ||
	      has(" (a name that is longer than thir) [waiting: chan recv]\n"));
	UNTIL(has("goroutine 9 [waiting: chan recv]\n"));
	atomic_store(&go_on, 1);
	goru_chan_close(c);
	goru_chan_close(full);
	goru_waitgroup_done(&wg);
	UNTIL(!has("chan") && !has("(b)") && !has("(wg)"));
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
	goru_chan_unref(full);
	CHECK(!strcmp(dump(), "no goroutines\n"));
	free(text);
	text = NULL;
}

/* Alike they are one entry, however many; unlike each other at most 100 are shown. */
static void many_are_cut(void)
{
	goru_config one = { .struct_size = sizeof(one), .procs = 1 };

	c = goru_chan_make(0, 0);
	/* one at a time: who meets another in the channel, or has lost its P, goes another way through it */
	test_handoff(false);
	CHECK_EQ(goru_init(&one), 0);
	for (int i = 0; i < 1500; i++)
		CHECK_EQ(goru_go(in_recv, NULL), 0);
	UNTIL(has("goroutine 1 and 1499 others [waiting: chan recv]\n"));
	CHECK(strlen(text) < 2000);
	for (int i = 0; i < 150; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		start(name, in_recv, NULL);
	}
	UNTIL(has("(n98)") && !has("(n99)") && has("... and 51 more goroutines, unlike these\n"));
	CHECK(strlen(text) < 100 * 400);
	goru_chan_close(c);
	test_handoff(true);
	goru_chan_unref(c);
	free(text);
	text = NULL;
}

/* What a wait is for, and since when, is written after the state says that it begins; until then it still runs. */
static void on_its_way_to_wait(void)
{
	struct g *g = grt_arch_self()->curg;

	grt_store(&g->state, G_WAITING);
	grt_store(&g->reason, WAIT_SLEEP);
	CHECK(has("goroutine 1 [running]\n"));
	grt_store(&g->waiting, &(struct waiter){ .nnodes = 0 });
	CHECK(has("goroutine 1 [waiting: sleep]\n"));
	grt_store(&g->waiting, NULL);
	grt_store(&g->state, G_RUNNING);
}

static void begins_to_wait(void)
{
	test_handoff(false); /* which would change its state */
	test_on_goroutine(on_its_way_to_wait);
	test_handoff(true);
}

TEST_MAIN(TEST(none), TEST(names_and_states), TEST(many_are_cut), TEST(begins_to_wait))
