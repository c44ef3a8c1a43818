/* config.c - program over environment over default; what cannot be read is named. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "engine/config.h"
#include "os/os.h"

enum { DEFAULT_CLS = 4 };

#define DEBUG_WORDS                                                                                \
	"one of follow=MS, handoff=0, hang=S, membarrier=0, migrate=1, schedtrace=MS, spare=MS, spawnfail=1"

static struct settings s;

static void clear(void)
{
	unsetenv("GORU_PROCS");
	unsetenv("GORU_STACK_SIZE");
	unsetenv("GORU_DEBUG");
}

/* With name=value; what was said about it. */
static const char *with(const char *name, const char *value)
{
	clear();
	setenv(name, value, 1);
	test_capture_begin();
	CHECK_EQ(grt_settings(&s, NULL), 0);
	return test_capture_end();
}

static void defaults(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	clear();
	for (int i = 0; i < 2; i++) {
		memset(&s, 0xff, sizeof(s));
		CHECK_EQ(grt_settings(&s, i ? &cfg : NULL), 0);
		CHECK_EQ(s.procs, grt_os_cpus());
		CHECK_EQ(s.cls, DEFAULT_CLS);
		CHECK_EQ(s.flags, 0);
		CHECK(s.max_threads >= 1000);
		CHECK(!s.spawn_log && !s.no_membarrier && !s.hang_seconds && !s.migrate);
		CHECK(!s.no_handoff);
		CHECK_EQ(s.spare_ms, 10000);
		CHECK_EQ(s.follow_ms, 1000);
		CHECK(!s.by_hand);
	}
}

static void environment_is_read(void)
{
	CHECK(!*with("GORU_PROCS", "7") && s.procs == 7);
	CHECK(!*with("GORU_PROCS", "1024") && s.procs == 1024);
	CHECK(!*with("GORU_PROCS", "") && s.procs == grt_os_cpus());
	CHECK(!*with("GORU_STACK_SIZE", "16384") && s.cls == 0);
	CHECK(!*with("GORU_STACK_SIZE", "64K") && s.cls == 2);
	CHECK(!*with("GORU_STACK_SIZE", "1M") && s.cls == 6);
	CHECK(!*with("GORU_STACK_SIZE", "1G") && s.cls == 16);
	CHECK(!*with("GORU_STACK_SIZE", "100000") && s.cls == 3);
	CHECK(!*with("GORU_DEBUG", "spawnfail=1") && s.spawn_log);
	CHECK(!*with("GORU_DEBUG", "migrate=1") && s.migrate);
	CHECK(!*with("GORU_DEBUG", "hang=12,membarrier=0") && s.hang_seconds == 12 &&
	      s.no_membarrier);
	CHECK(!*with("GORU_DEBUG", "handoff=0,spare=12") && s.spare_ms == 12 && s.no_handoff);
}

static void unreadable(const char *name, const char *value, const char *what)
{
	char want[400];

	snprintf(want, sizeof(want), "goru: %s=%s is not %s; the default is used\n", name, value,
		 what);
	if (!CHECK(!strcmp(with(name, value), want)))
		fprintf(stderr, "\tfor %s=%s\n", name, value);
	CHECK_EQ(s.procs, grt_os_cpus());
	CHECK_EQ(s.cls, DEFAULT_CLS);
	CHECK(!s.spawn_log && !s.hang_seconds);
}

static void unreadable_values_are_named(void)
{
	static const char *const procs[] = {
		"0",  "1025", "100000", "-1",  "two",
		"4x", " 4",   "+4",	"0x4", "99999999999999999999999"
	};
	static const char *const sizes[] = { "0",
					     "1",
					     "8192",
					     "2G",
					     "1T",
					     "64k",
					     "K",
					     "64KB",
					     "-64K",
					     "64 K",
					     "99999999999999999999999",
					     "18446744073709551615",
					     "17179869184G" };
	static const char *const words[] = { "spawnfail", "spawnfail=2", "hang=",
					     "hang=0",	  "hang=x",	 "HANG=3",
					     "what",	  "spare=0",	 "handoff=1" };

	for (size_t i = 0; i < grt_countof(procs); i++)
		unreadable("GORU_PROCS", procs[i], "a number from 1 to 1024");
	for (size_t i = 0; i < grt_countof(sizes); i++)
		unreadable("GORU_STACK_SIZE", sizes[i], "a size from 16K to 1G");
	for (size_t i = 0; i < grt_countof(words); i++)
		unreadable("GORU_DEBUG", words[i], DEBUG_WORDS);
}

/* One bad word does not spoil the others. */
static void each_debug_word_for_itself(void)
{
	const char *said = with("GORU_DEBUG", "hang=3,wat,spawnfail=1");

	CHECK(!strcmp(said, "goru: GORU_DEBUG=wat is not " DEBUG_WORDS "; the default is used\n"));
	CHECK(s.hang_seconds == 3 && s.spawn_log);
}

static void long_debug_is_refused_whole(void)
{
	char value[3000];
	const char *said;

	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	said = with("GORU_DEBUG", value);
	CHECK(!strncmp(said, "goru: GORU_DEBUG=aaa", 20));
	CHECK(strlen(said) < 600 && said[strlen(said) - 1] == '\n');
}

static void program_wins(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	clear();
	setenv("GORU_PROCS", "3", 1);
	setenv("GORU_STACK_SIZE", "1M", 1);
	CHECK_EQ(grt_settings(&s, &cfg), 0);
	CHECK(s.procs == 3 && s.cls == 6);
	cfg.procs = 5;
	cfg.stack_size = 20000;
	cfg.flags = GORU_CONFIG_GUARDS_ONLY | GORU_CONFIG_SPAWN_FATAL | GORU_CONFIG_NO_SEGV;
	cfg.max_threads = 50;
	CHECK_EQ(grt_settings(&s, &cfg), 0);
	CHECK(s.procs == 5 && s.cls == 1);
	CHECK_EQ(s.flags, cfg.flags);
	CHECK_EQ(s.max_threads, 50);
	cfg.max_threads = 2; /* less than the Ps: they need one each */
	CHECK_EQ(grt_settings(&s, &cfg), 0);
	CHECK_EQ(s.max_threads, 5);
	clear();
}

static void out_of_range_is_refused(void)
{
	static const size_t sizes[] = { 1, 8192, ((size_t)1 << 30) + 1, (size_t)2 << 30, SIZE_MAX };
	goru_config cfg;

	clear();
	for (size_t i = 0; i < grt_countof(sizes); i++) {
		cfg = (goru_config)GORU_CONFIG_INIT;
		cfg.stack_size = sizes[i];
		CHECK_EQ(grt_settings(&s, &cfg), -EINVAL);
	}
	cfg = (goru_config)GORU_CONFIG_INIT;
	cfg.procs = 1025;
	CHECK_EQ(grt_settings(&s, &cfg), -EINVAL);
	cfg.procs = 100000;
	CHECK_EQ(grt_settings(&s, &cfg), -EINVAL);
	cfg.procs = UINT32_MAX;
	CHECK_EQ(grt_settings(&s, &cfg), -EINVAL);
	cfg.procs = 1024;
	CHECK_EQ(grt_settings(&s, &cfg), 0);
	cfg.flags = 8;
	CHECK_EQ(grt_settings(&s, &cfg), -EINVAL);
	cfg.flags = 1u << 31;
	CHECK_EQ(grt_settings(&s, &cfg), -EINVAL);
}

/* A program built with an older, shorter struct, or with a newer, longer one. */
static void struct_size_counts(void)
{
	struct {
		goru_config cfg;
		uint64_t more[4];
	} newer = { .cfg = GORU_CONFIG_INIT };
	goru_config older = GORU_CONFIG_INIT;

	clear();
	older.procs = 6;
	older.max_threads = 44;
	older.struct_size = offsetof(goru_config, max_threads);
	CHECK_EQ(grt_settings(&s, &older), 0);
	CHECK(s.procs == 6 && s.max_threads != 44);
	older.struct_size = 0;
	CHECK_EQ(grt_settings(&s, &older), -EINVAL);
	older.struct_size = 8;
	CHECK_EQ(grt_settings(&s, &older), -EINVAL);
	newer.cfg.struct_size = sizeof(newer);
	newer.cfg.procs = 9;
	CHECK_EQ(grt_settings(&s, &newer.cfg), 0);
	CHECK_EQ(s.procs, 9);
}

TEST_MAIN(TEST(defaults), TEST(environment_is_read), TEST(unreadable_values_are_named),
	  TEST(each_debug_word_for_itself), TEST(long_debug_is_refused_whole), TEST(program_wins),
	  TEST(out_of_range_is_refused), TEST(struct_size_counts))
