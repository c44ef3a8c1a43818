/* attr.c - goru_attr: each field, rounded, cut, copied, refused. */
/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

#include "rt/rt.h"

static goru_chan *c;
static _Atomic size_t stack_size;
static _Atomic uint64_t id;

static void notes_and_waits(void *arg)
{
	(void)arg;
	atomic_store(&stack_size, grt_arch_self()->curg->stack_size);
	atomic_store(&id, goru_id());
	goru_chan_recv(c, NULL);
	atomic_store(&id, 0);
}

/* A goroutine with these options, which waits. */
static void begin(const goru_attr *a)
{
	atomic_store(&id, 0);
	CHECK_EQ(goru_go_attr(a, notes_and_waits, NULL), 0);
	UNTIL(atomic_load(&id));
}

static void end(void)
{
	CHECK_EQ(goru_chan_send(c, NULL), 0);
	UNTIL(!atomic_load(&id));
}

/* How it is called in a dump. */
static void is_called(const char *label)
{
	char want[128], text[8192];
	int fd[2];
	ssize_t n;

	snprintf(want, sizeof(want), "goroutine %llu%s [", (unsigned long long)atomic_load(&id),
		 label);
	CHECK_EQ(pipe(fd), 0);
	goru_dump(fd[1]);
	close(fd[1]);
	n = read(fd[0], text, sizeof(text) - 1);
	close(fd[0]);
	text[n > 0 ? n : 0] = '\0';
	if (!CHECK(strstr(text, want)))
		fprintf(stderr, "%s is not in\n%s", want, text);
}

static void layout(void)
{
	static const goru_attr zero;
	goru_attr a = { 0 };

	CHECK_EQ(sizeof(goru_attr), 128);
	CHECK_EQ(sizeof(a.stack_size), sizeof(size_t));
	CHECK_EQ(sizeof(a.spare), 14 * 8);
	CHECK_EQ(offsetof(goru_attr, stack_size), 0);
	CHECK_EQ(offsetof(goru_attr, name), 8);
	CHECK_EQ(offsetof(goru_attr, spare), 16);
	CHECK(!memcmp(&a, &zero, sizeof(a)));
}

static void names(void)
{
	static const struct {
		const char *name, *label;
	} of[] = {
		{ NULL, "" },
		{ "", "" },
		{ "a", " (a)" },
		{ "two words", " (two words)" },
		{ "thirty bytes in this long name", " (thirty bytes in this long name)" },
		{ "and thirty-one in this long one", " (and thirty-one in this long one)" },
		{ "thirty-two bytes are just too many", " (thirty-two bytes are just too m)" },
		{ "0123456789abcdef0123456789abcdef", " (0123456789abcdef0123456789abcde)" },
	};

	c = goru_chan_make(0, 0);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		goru_attr a = { .name = of[i].name };

		begin(&a);
		is_called(of[i].label);
		end();
		/* who uses the record next has none */
		begin(NULL);
		is_called("");
		end();
	}
	goru_chan_unref(c);
}

/* Read during the call only: the name is copied, and nothing is kept. */
static void copied(void)
{
	char name[] = "before";
	goru_attr a = { .name = name, .stack_size = 65536 };

	c = goru_chan_make(0, 0);
	begin(&a);
	memset(name, 'x', sizeof(name));
	memset(&a, 0xff, sizeof(a));
	is_called(" (before)");
	CHECK_EQ(atomic_load(&stack_size), 65536);
	end();
	goru_chan_unref(c);
}

static void sizes_are_rounded_up(void)
{
	static const size_t of[][2] = {
		{ 8193, 16384 },
		{ 16383, 16384 },
		{ 16384, 16384 },
		{ 16385, 32768 },
		{ 32768, 32768 },
		{ 32769, 65536 },
		{ 100000, 131072 },
		{ 262143, 262144 },
		{ 262144, 262144 },
		{ 262145, 524288 },
		{ 1 << 20, 1 << 20 },
		{ (1 << 29) + 1, (size_t)1 << 30 },
		{ (size_t)1 << 30, (size_t)1 << 30 },
	};

	c = goru_chan_make(0, 0);
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		goru_attr a = { .stack_size = of[i][0] };

		begin(&a);
		CHECK_EQ(atomic_load(&stack_size), of[i][1]);
		end();
	}
	goru_chan_unref(c);
}

static void sizes_out_of_range(void)
{
	static const size_t bad[] = { 1,
				      4095,
				      4096,
				      8192,
				      ((size_t)1 << 30) + 1,
				      (size_t)1 << 31,
				      (size_t)1 << 40,
				      SIZE_MAX / 2 + 1,
				      SIZE_MAX };
	goru_stats before, after;

	CHECK_EQ(goru_stats_get(&before), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		goru_attr a = { .stack_size = bad[i], .name = "nobody" };

		CHECK_EQ(goru_go_attr(&a, notes_and_waits, NULL), -EINVAL);
	}
	CHECK_EQ(goru_stats_get(&after), 0);
	CHECK_EQ(after.spawned, before.spawned);
}

/* 0 is what goru_config says, and that is 256 KiB. */
static void default_size(void)
{
	goru_attr none = { 0 }, own = { .stack_size = 1 << 20 };
	goru_config cfg = GORU_CONFIG_INIT;

	c = goru_chan_make(0, 0);
	for (int i = 0; i < 2; i++) {
		size_t want = i ? 65536 : 262144;

		CHECK_EQ(goru_shutdown(), 0);
		cfg.stack_size = i ? 40000 : 0;
		CHECK_EQ(goru_init(&cfg), 0);
		begin(NULL);
		CHECK_EQ(atomic_load(&stack_size), want);
		end();
		begin(&none);
		CHECK_EQ(atomic_load(&stack_size), want);
		end();
		begin(&own);
		CHECK_EQ(atomic_load(&stack_size), 1 << 20);
		end();
	}
	CHECK_EQ(goru_shutdown(), 0);
	goru_chan_unref(c);
}

TEST_MAIN(TEST(layout), TEST_BOTH(names), TEST_BOTH(copied), TEST_BOTH(sizes_are_rounded_up),
	  TEST_BOTH(sizes_out_of_range), TEST(default_size))
