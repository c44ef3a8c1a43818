/* debug.c - the version: the library's and the headers' are one, and asking starts nothing. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

static void is_the_headers(void)
{
	char want[32];

	snprintf(want, sizeof(want), "%d.%d.%d", GORU_VERSION_MAJOR, GORU_VERSION_MINOR,
		 GORU_VERSION_PATCH);
	CHECK(!strcmp(goru_version(), want));
	CHECK(goru_version() == goru_version());
}

static void starts_nothing(void)
{
	int before = test_threads();

	CHECK(*goru_version());
	CHECK_EQ(test_threads(), before);
	CHECK_EQ(goru_init(NULL), 0);
}

TEST_MAIN(TEST(starts_nothing), TEST_BOTH(is_the_headers))
