/* base.c - what holds for every call: errno is left alone, goru.h has it all, macros mean what they say. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

/* Not inlined: the compiler may keep the address of errno, and the goroutine may change threads. */
static __attribute__((noinline)) void set_errno(int n)
{
	errno = n;
}

static __attribute__((noinline)) int get_errno(void)
{
	return errno;
}

static void nothing(void *arg)
{
	(void)arg;
}

/* Results are values; errno is the program's, whatever is asked of goru and however it ends. */
static void errno_is_untouched(void)
{
	goru_waitgroup wg = GORU_WAITGROUP_INIT;
	goru_attr bad = { .stack_size = 1 };
	goru_config cfg = GORU_CONFIG_INIT;
	goru_chan *c = goru_chan_make(4, 1);
	int v = 1;

	(void)goru_init(NULL); /* the start itself reads files */
	set_errno(4711);
	CHECK_EQ(goru_go(nothing, NULL), 0);
	CHECK_EQ(goru_go(NULL, NULL), -EINVAL);
	CHECK_EQ(goru_go_attr(&bad, nothing, NULL), -EINVAL);
	cfg.procs = 100000;
	CHECK(goru_init(&cfg) < 0);
	CHECK_EQ(goru_chan_send(c, &v), 0);
	CHECK_EQ(goru_chan_try_send(c, &v), -EAGAIN);
	CHECK_EQ(goru_chan_send_until(c, &v, goru_in(GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_chan_fd(c) >= 0);
	CHECK_EQ(goru_chan_recv(c, &v), 1);
	CHECK_EQ(goru_chan_recv_until(c, &v, goru_in(GORU_MSEC)), -ETIMEDOUT);
	CHECK_EQ(goru_chan_close(c), 0);
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	goru_yield();
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_waitgroup_wait_until(&wg, goru_in(GORU_MSEC)), -ETIMEDOUT);
	CHECK_EQ(goru_set_procs(0), -EINVAL);
	CHECK_EQ(goru_set_procs(goru_procs()), 0);
	goru_block_enter();
	goru_block_exit();
	goru_chan_unref(c);
	CHECK_EQ(get_errno(), 4711);
}

/* A goroutine begins with errno 0, not with what the last one on its thread left. */
static void sets_errno(void)
{
	CHECK_EQ(get_errno(), 0);
	set_errno(99);
}

static void errno_begins_at_zero(void)
{
	for (int i = 0; i < 20; i++)
		RUN_ON_GOROUTINE(sets_errno);
}

static void sizes_are_the_contract(void)
{
	goru_config cfg = GORU_CONFIG_INIT;
	goru_waitgroup wg = GORU_WAITGROUP_INIT, zero;

	memset(&zero, 0, sizeof(zero));
	CHECK(!memcmp(&wg, &zero, sizeof(wg)));
	CHECK_EQ(sizeof(goru_waitgroup), 16);
	CHECK_EQ(sizeof(goru_attr), 128);
	CHECK_EQ(cfg.struct_size, sizeof(cfg));
	CHECK_EQ(sizeof(goru_case), 32);
	CHECK(GORU_FOREVER == INT64_MAX);
	CHECK(GORU_SEC == 1000 * GORU_MSEC && GORU_MSEC == 1000 * GORU_USEC);
}

TEST_MAIN(TEST_BOTH(errno_is_untouched), TEST(errno_begins_at_zero), TEST(sizes_are_the_contract))
