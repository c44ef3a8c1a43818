/* rank.c - checks builds: locks taken against their order, and locks held where none may be, are fatal. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/spin.h"

static struct spin chans[2] = { GRT_SPIN(LOCK_CHAN), GRT_SPIN(LOCK_CHAN) };
static struct spin rt = GRT_SPIN(LOCK_RT), stacks = GRT_SPIN(LOCK_STACKS), none;

static void in_order(void)
{
	grt_spin_lock(&chans[0]);
	grt_spin_lock(&chans[1]);
	grt_spin_lock(&rt);
	CHECK(!grt_spin_try(&rt));
	grt_spin_lock(&stacks);
	grt_spin_unlock(&chans[0]); /* in any order */
	grt_spin_unlock(&stacks);
	grt_spin_unlock(&chans[1]);
	grt_spin_unlock(&rt);
	/* what was held no longer counts */
	grt_spin_lock(&rt);
	grt_spin_unlock(&rt);
	grt_spin_lock(&chans[0]);
	grt_spin_unlock(&chans[0]);
	CHECK_EQ(grt_spin_rank(&rt), GRT_CHECKS_ON ? LOCK_RT : LOCK_NONE);
}

static void against_it(void)
{
	grt_spin_lock(&rt);
	grt_spin_lock(&chans[0]);
}

static void tried_against_it(void)
{
	grt_spin_lock(&rt);
	grt_spin_try(&chans[0]);
}

static void twice(void)
{
	grt_spin_lock(&rt);
	grt_spin_lock(&rt);
}

static void channels_downwards(void)
{
	grt_spin_lock(&chans[1]);
	grt_spin_lock(&chans[0]);
}

static void without_a_rank(void)
{
	grt_spin_lock(&none);
}

static void not_held(void)
{
	grt_spin_unlock(&rt);
}

static void yields(void *arg)
{
	(void)arg;
	goru_go(yields, NULL); /* to be switched to */
	grt_spin_lock(&stacks);
	goru_yield();
}

static void switched_out(void)
{
	goru_run(yields, NULL);
}

static void yields_alone(void *arg)
{
	(void)arg;
	grt_spin_lock(&stacks);
	goru_yield();
}

static void left(void)
{
	goru_config one = { .struct_size = sizeof(one), .procs = 1 };

	goru_init(&one);
	goru_run(yields_alone, NULL);
}

static void fatal_are(void)
{
	if (!GRT_CHECKS_ON)
		return;
	CHECK_DIES(against_it, "goru: fatal: lock order: channel ..");
	CHECK_DIES(tried_against_it, "goru: fatal: lock order: channel ..");
	CHECK_DIES(twice, "goru: fatal: lock order: rt ..");
	CHECK_DIES(channels_downwards, "goru: fatal: lock order: channel ..");
	CHECK_DIES(without_a_rank, "goru: fatal: lock ..");
	CHECK_DIES(not_held, "goru: fatal: lock ..");
	CHECK_DIES(switched_out, "goru: fatal: lock order: stacks ..");
	CHECK_DIES(left, "goru: fatal: lock order: stacks ..");
}

TEST_MAIN(TEST(in_order), TEST(fatal_are))
