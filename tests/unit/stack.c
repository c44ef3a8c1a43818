/* stack.c - stacks and records: sizes, layout, guards, reuse, arenas. */
/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#include "os/os.h"
#include "part/stack.h"
#include "part/waiter.h"

enum { SMALL = 0, NORMAL = 4, HUGE = STACK_CLASSES - 1 };

static void classes_round_up(void)
{
	static const struct {
		size_t size;
		int cls;
	} want[] = {
		{ 0, -EINVAL },
		{ 1, -EINVAL },
		{ 8192, -EINVAL },
		{ 8193, 0 },
		{ 16384, 0 },
		{ 16385, 1 },
		{ 262143, 4 },
		{ 262144, 4 },
		{ 262145, 5 },
		{ (size_t)1 << 30, 16 },
		{ ((size_t)1 << 30) + 1, -EINVAL },
		{ (size_t)2 << 30, -EINVAL },
		{ SIZE_MAX, -EINVAL },
	};

	for (size_t i = 0; i < grt_countof(want); i++)
		CHECK_EQ(grt_stack_class(want[i].size), want[i].cls);
	CHECK_EQ(grt_stack_size(SMALL), 16384);
	CHECK_EQ(grt_stack_size(HUGE), 1 << 30);
}

/* Can the kernel read a byte there? Asked without touching it. */
static bool readable(const void *at)
{
	static int fd[2] = { -1, -1 };
	char c;

	if (fd[0] < 0 && pipe(fd))
		abort();
	if (write(fd[1], at, 1) != 1)
		return false;
	return read(fd[0], &c, 1) == 1;
}

static struct g *get(unsigned cls)
{
	struct g *g = NULL;

	return CHECK_EQ(grt_stack_get(cls, &g), 0) ? g : NULL;
}

static void check_layout(unsigned cls)
{
	struct g *g = get(cls);
	char *lo = g->stack_lo, *hi = lo + g->stack_size, *rec = (char *)g;
	size_t guard = grt_stack_guard(g);

	CHECK_EQ(g->stack_size, grt_stack_size(cls));
	CHECK_EQ(g->cls, cls);
	CHECK_EQ(g->limit, 0);
	CHECK_EQ(g->flags & G_UNGUARDED, 0);
	CHECK_EQ((uintptr_t)lo % g->stack_size, 0);
	CHECK_EQ((uintptr_t)g % 64, 0);
	/* the record within the top page, all of it */
	CHECK(rec >= hi - grt_os_page_size() && rec + sizeof(*g) <= hi);
	CHECK(guard >= grt_os_page_size() && guard <= 65536 && guard <= g->stack_size / 2);
	/* usable down to the guard, and not below */
	*(lo + guard) = 1;
	rec[-1] = 1;
	CHECK(readable(lo + guard));
	CHECK(!readable(lo + guard - 1));
	CHECK(!readable(lo));
	CHECK(grt_stack_find((uintptr_t)g) == g);
	CHECK(grt_stack_find((uintptr_t)lo) == g);
	CHECK(grt_stack_find((uintptr_t)lo + guard - 1) == g);
	CHECK(grt_stack_find((uintptr_t)hi - 1) == g);
}

static void layout(void)
{
	grt_stacks_init(false);
	check_layout(SMALL);
	check_layout(NORMAL);
	check_layout(HUGE);
	CHECK(!grt_stack_find((uintptr_t)&errno));
	CHECK(!grt_stack_find(0));
	grt_stacks_fini();
}

/* Slots side by side begin at different cache sets. */
static void records_are_coloured(void)
{
	uint32_t seen = 0;

	grt_stacks_init(false);
	for (int i = 0; i < STACK_COLORS; i++) {
		struct g *g = get(NORMAL);

		seen |= 1u << ((g->stack_lo + g->stack_size - (char *)g) / 64 % STACK_COLORS);
	}
	CHECK_EQ(seen, 0xffff);
	grt_stacks_fini();
}

/* Pages go, the slot comes again, with a number of waits that no stale timer knows. */
static void discarded_ones_come_again(void)
{
	struct g *g[3], *again[3];
	uint64_t claim[3];

	grt_stacks_init(false);
	for (int i = 0; i < 3; i++) {
		g[i] = get(NORMAL);
		claim[i] = grt_load(&g[i]->claim);
		g[i]->id = 77;
		memset(g[i]->stack_lo + grt_stack_guard(g[i]), 0x5a, 20000);
	}
	grt_stack_discard(g, 3);
	for (int i = 0; i < 3; i++) {
		again[i] = get(NORMAL);
		CHECK(again[i] == g[2 - i]); /* last in, first out */
		CHECK_EQ(again[i]->id, 0);
		CHECK_EQ(again[i]->stack_lo[grt_stack_guard(again[i]) + 10000], 0);
		CHECK(!readable(again[i]->stack_lo)); /* the guard survives */
		CHECK_EQ(again[i]->stack_size, grt_stack_size(NORMAL));
		CHECK(grt_load(&again[i]->claim) >= claim[2] + (UINT64_C(1) << 40));
		CHECK_EQ(grt_load(&again[i]->claim) & END_MASK, 0);
	}
	CHECK(get(NORMAL) != g[0]);
	grt_stacks_fini();
}

static void mark(struct g *g, void *arg)
{
	g->id++;
	(*(int *)arg)++;
}

/* More than one arena, more than one batch of discards: every slot once, and found again. */
static void many(void)
{
	enum { N = 5000 };
	struct g **g = calloc(N, sizeof(*g));
	int each = 0;
	size_t first;

	grt_stacks_init(false);
	CHECK_EQ(grt_stacks_reserved(), 0);
	get(SMALL);
	first = grt_stacks_reserved();
	CHECK(first >= grt_stack_size(SMALL));
	for (int i = 1; i < N; i++)
		g[i] = get(SMALL);
	CHECK(grt_stacks_reserved() >= first * 3); /* the second is twice the first */
	grt_stack_each(mark, &each);
	CHECK_EQ(each, N);
	for (int i = 1; i < N; i++) {
		CHECK_EQ(g[i]->id, 1); /* twice the same slot would be 2 */
		CHECK(grt_stack_find((uintptr_t)g[i]->stack_lo + 5000) == g[i]);
	}
	grt_stack_discard(g + 1, N - 1);
	for (int i = 1; i < N; i++) {
		struct g *again = get(SMALL);

		CHECK_EQ(again->id, 0);
		again->id = 1;
	}
	each = 0;
	grt_stack_each(mark, &each);
	CHECK_EQ(each, N); /* they came from every arena before a fresh one did */
	grt_stacks_fini();
	CHECK_EQ(grt_stacks_reserved(), 0);
	free(g);
}

static size_t resident_slots;

static void count_resident(char *top)
{
	size_t page = grt_os_page_size();
	unsigned char in = 0;

	resident_slots += !mincore(top - page, page, &in) && in & 1;
}

/* First pages are made ahead of need, but few; the deeper ones never. */
static void few_pages_are_made_ahead(void)
{
	enum { N = 900 };
	char *lo = NULL, *hi = NULL;
	size_t size = grt_stack_size(SMALL);

	if (GRT_ASAN_ON) /* arenas are small there, and nothing is made ahead */
		skip();
	grt_stacks_init(false);
	for (int i = 0; i < N; i++) {
		struct g *g = get(SMALL);

		lo = lo && lo < g->stack_lo ? lo : g->stack_lo;
		hi = hi > g->stack_lo + size ? hi : g->stack_lo + size;
	}
	CHECK_EQ(hi - lo, N * size); /* all in one arena */
	for (char *at = lo; at < hi + N * size; at += size)
		count_resident(at + size);
	CHECK(resident_slots >= N && resident_slots <= N + N / 16);
	resident_slots = 0;
	for (char *at = lo; at < hi + N * size; at += size)
		count_resident(at + size - grt_os_page_size());
	CHECK_EQ(resident_slots, 0);
	grt_stacks_fini();
}

static void memory_goes_back(void)
{
	int before;

	grt_stacks_init(false);
	get(NORMAL);
	grt_stacks_fini();
	before = test_mappings();
	for (int i = 0; i < 20; i++) {
		grt_stacks_init(false);
		get(SMALL);
		get(NORMAL);
		get(HUGE);
		grt_stacks_fini();
	}
	/* some slack for what malloc and the sanitizers map meanwhile; a leak would be 20 at least */
	CHECK(test_mappings() <= before + 5);
	CHECK(!grt_stack_find((uintptr_t)&before));
}

TEST_MAIN(TEST(classes_round_up), TEST(layout), TEST(records_are_coloured),
	  TEST(discarded_ones_come_again), TEST(many), TEST(few_pages_are_made_ahead),
	  TEST(memory_goes_back))
