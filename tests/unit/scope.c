/* scope.c - a scope that ended by those around it, before the walk came to it: who asks is told, and it stays the answer. */
/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "test.h"

#include "part/g.h"
#include "part/scope.h"

static struct scope outer, inner;
static struct g opener;

static void walk(struct scope_walk *k)
{
	struct glist out = { 0 };

	while (grt_scope_walk(k, &out))
		;
	CHECK_EQ(out.n, 0); /* nobody waited */
}

static void the_first_ending_stays(void)
{
	struct scope_walk cancel, expire;
	struct glist out = { 0 };

	CHECK_EQ(grt_scope_init(&outer, &opener, INT64_MAX), END_NONE);
	opener.scope = &outer;
	CHECK_EQ(grt_scope_init(&inner, &opener, goru_in(1000 * GORU_SEC)), END_NONE);
	grt_scope_link(&inner);
	opener.scope = &inner;
	CHECK_EQ(grt_scope_ask(&outer), 0);

	CHECK_EQ(grt_scope_end(&cancel, &outer, 0), 1);
	CHECK_EQ(grt_scope_ask(&inner), -ECANCELED); /* not marked yet, but there is a walk */
	inner.deadline = goru_now();
	atomic_fetch_add(&inner.holds, 1); /* its alarm's */
	if (CHECK(grt_scope_expire(&expire, &inner, &out)))
		walk(&expire);
	CHECK_EQ(grt_scope_ask(&inner), -ECANCELED);
	walk(&cancel);
	CHECK_EQ(grt_scope_ask(&inner), -ECANCELED);
	CHECK_EQ(grt_scope_ask(&outer), -ECANCELED);
	CHECK_EQ(atomic_load(&inner.holds), 0);
	CHECK_EQ(atomic_load(&outer.holds), 0);
	CHECK_EQ(grt_scope_ended(&inner), END_CANCELED);
}

TEST_MAIN(TEST(the_first_ending_stays))
