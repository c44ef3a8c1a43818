/* mem.c - address space, pages and guards as the kernel really gives them. */
/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#include "base/sanitizer.h"
#include "os/os.h"

static size_t page;

static bool readable(const void *at)
{
	static int fd[2] = { -1, -1 };
	char c;

	if (fd[0] < 0 && pipe(fd))
		abort();
	return write(fd[1], at, 1) == 1 && read(fd[0], &c, 1) == 1;
}

static void numbers(void)
{
	page = grt_os_page_size();
	CHECK_EQ(page, sysconf(_SC_PAGESIZE));
	CHECK_EQ(grt_os_page_size(), page);
	CHECK(grt_os_max_map_count() >= 1000);
}

static void map_is_zeroed_and_writable(void)
{
	void *p = NULL;

	CHECK_EQ(grt_os_map(3 * page, &p), 0);
	CHECK_EQ(((char *)p)[3 * page - 1], 0);
	memset(p, 1, 3 * page);
	grt_os_unmap(p, 3 * page);
	CHECK(!readable(p));
	CHECK_EQ(grt_os_map((size_t)1 << 62, &p), -ENOMEM);
}

static void reserve_is_aligned_and_empty(void)
{
	void *p = NULL;

	for (size_t align = 1 << 14; align <= 1 << 26; align <<= 3) {
		CHECK_EQ(grt_os_reserve(4 * align, align, &p), 0);
		CHECK_EQ((uintptr_t)p % align, 0);
		CHECK(!readable(p));
		CHECK(!readable((char *)p + 4 * align - 1));
		CHECK_EQ(grt_os_commit((char *)p + align, align), 0);
		memset((char *)p + align, 1, align > 1 << 20 ? 1 << 20 : align);
		CHECK(!readable((char *)p + align - 1));
		CHECK(!readable((char *)p + 2 * align));
		grt_os_unmap(p, 4 * align);
	}
	CHECK_EQ(grt_os_reserve((size_t)1 << 62, page, &p), -ENOMEM);
}

/* In address space, as a sanitizer maps a little of its own at any time, and leftovers side by side are one mapping. */
static void what_reserve_cuts_off_goes_too(void)
{
	enum { N = 100, ALIGN = 1 << 26 };
	size_t before = test_address_space();
	void *p = NULL;

	for (int i = 0; i < N; i++) {
		CHECK_EQ(grt_os_reserve(page, ALIGN, &p), 0);
		grt_os_unmap(p, page);
	}
	CHECK(test_address_space() < before + (size_t)N * ALIGN / 10);
}

static void protect_takes_access_away(void)
{
	void *p = NULL;

	CHECK_EQ(grt_os_map(3 * page, &p), 0);
	CHECK_EQ(grt_os_protect((char *)p + page, page), 0);
	CHECK(readable(p) && !readable((char *)p + page) && readable((char *)p + 2 * page));
	CHECK_EQ(grt_os_protect(NULL, page), -ENOMEM);
	CHECK_EQ(grt_os_commit(NULL, page), -ENOMEM);
	grt_os_unmap(p, 3 * page);
}

/* Says it only when it is so: some emulators accept any advice and do nothing. */
static void guards_hold_when_supported(void)
{
	enum { N = 1100, STRIDE = 4 };
	size_t stride = STRIDE * page;
	struct os_range all;
	void *p = NULL;

	if (!grt_os_guard_supported())
		skip();
	CHECK_EQ(grt_os_map(N * stride, &p), 0);
	memset(p, 1, N * stride);
	/* more than one batch */
	CHECK_EQ(grt_os_guard(p, stride, 2 * page, N), N);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < N; i++) {
			char *at = (char *)p + (size_t)i * stride;

			CHECK(!readable(at) && !readable(at + 2 * page - 1));
			CHECK(readable(at + 2 * page) && readable(at + stride - 1));
			CHECK_EQ(at[2 * page], round ? 0 : 1);
		}
		/* they survive a discard */
		all = (struct os_range){ p, N * stride };
		grt_os_discard(&all, 1);
	}
	grt_os_unmap(p, N * stride);
	/* nothing is mapped there any more */
	CHECK_EQ(grt_os_guard(p, stride, page, 3), 0);
}

static void discard_empties_all_ranges(void)
{
	enum { N = 1500 };
	static struct os_range r[N];
	char *p;
	void *v = NULL;

	CHECK_EQ(grt_os_map(2 * N * page, &v), 0);
	p = v;
	memset(p, 7, 2 * N * page);
	for (size_t i = 0; i < N; i++)
		r[i] = (struct os_range){ p + 2 * i * page, page };
	grt_os_discard(r, N);
	for (size_t i = 0; i < N; i++) {
		CHECK_EQ(p[2 * i * page], 0);
		CHECK_EQ(p[2 * i * page + page - 1], 0);
		CHECK_EQ(p[(2 * i + 1) * page], 7);
	}
	memset(p, 7, page);
	grt_os_discard(r, 0);
	CHECK_EQ(p[0], 7);
	grt_os_unmap(v, 2 * N * page);
}

static bool resident(void *at)
{
	unsigned char in = 0;

	return !mincore(at, page, &in) && in & 1;
}

/* What is there already keeps what it holds; and it is no matter if it cannot be done. */
static void populate_makes_these_pages(void)
{
	enum { N = 1100, STRIDE = 4 };
	size_t stride = STRIDE * page;
	bool works = grt_os_guard_supported(); /* by a kernel that is newer than what this needs */
	void *p = NULL;

	CHECK_EQ(grt_os_map(N * stride, &p), 0);
	madvise(p, N * stride, MADV_NOHUGEPAGE);
	*(char *)p = 7;
	grt_os_populate(p, stride, N);
	for (int i = 0; i < N; i++) {
		char *at = (char *)p + (size_t)i * stride;

		CHECK(resident(at) || !works);
		CHECK(!resident(at + page) || !works);
		CHECK_EQ(*at, i ? 0 : 7);
		*at = 1;
	}
	grt_os_unmap(p, N * stride);
	grt_os_populate(p, stride, 3);
}

static void no_descriptor_is_left(void)
{
	int before = test_fds();

	numbers();
	discard_empties_all_ranges();
	populate_makes_these_pages();
	CHECK_EQ(test_fds(), before);
}

TEST_MAIN(TEST(numbers), TEST(map_is_zeroed_and_writable), TEST(reserve_is_aligned_and_empty),
	  TEST(what_reserve_cuts_off_goes_too), TEST(protect_takes_access_away),
	  TEST(guards_hold_when_supported), TEST(discard_empties_all_ranges),
	  TEST(populate_makes_these_pages), TEST(no_descriptor_is_left))
