/* discard.c - a stack whose pages are about to go is nobody's: while the kernel takes them, none of them is handed out. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_os_discard */
#include "test.h"

#include "os/os.h"
#include "part/stack.h"

enum { SMALL = 0, N = 1500 }; /* more than one batch */

static struct g *g[N];
static int calls, meanwhile;

void __real_grt_os_discard(const struct os_range *r, unsigned n);
void __wrap_grt_os_discard(const struct os_range *r, unsigned n);

/* What another thread might do in this moment. */
void __wrap_grt_os_discard(const struct os_range *r, unsigned n)
{
	struct g *other;

	if (n && CHECK_EQ(grt_stack_get(SMALL, &other), 0)) {
		uintptr_t at = (uintptr_t)other;

		for (unsigned i = 0; i < n; i++)
			CHECK(at < (uintptr_t)r[i].base || at >= (uintptr_t)r[i].base + r[i].size);
		other->id = 77;
		meanwhile++;
	}
	calls++;
	__real_grt_os_discard(r, n);
	if (n)
		CHECK_EQ(other->id, 77);
}

static void pages_go_before_slots_come(void)
{
	static struct g *dead[N];
	size_t n = 0;

	grt_stacks_init(false);
	for (int i = 0; i < N; i++)
		CHECK_EQ(grt_stack_get(SMALL, &g[i]), 0);
	/* every other one, so that they do not become one piece */
	for (int i = 0; i < N; i += 2)
		dead[n++] = g[i];
	for (int i = 1; i < N; i += 2)
		dead[n++] = g[i];
	grt_stack_discard(dead, n);
	CHECK(calls >= 2);
	CHECK_EQ(meanwhile, calls);
	grt_stacks_fini();
}

TEST_MAIN(TEST(pages_go_before_slots_come))
