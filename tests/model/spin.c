/* spin.c - the spin lock: sections exclude and order each other, and unlock's store is the last touch. */
/* SPDX-License-Identifier: MIT */
/* model: with=src/base/spin.c */
#include "base/spin.h"

static struct box {
	struct spin lock;
	int n, refs;
} box;

static void count(void)
{
	grt_spin_lock(&box.lock);
	box.n++;
	grt_spin_unlock(&box.lock);
}

static void count_or_try(void)
{
	if (!grt_spin_try(&box.lock))
		grt_spin_lock(&box.lock);
	box.n++;
	grt_spin_unlock(&box.lock);
}

static void counted(void)
{
	CHECK(box.n == 3);
}

/* Whoever drops the last reference, under the lock, frees the box it is in. */
static void drop(void)
{
	grt_spin_lock(&box.lock);

	bool last = --box.refs == 0;

	grt_spin_unlock(&box.lock);
	if (last)
		model_dead(&box, sizeof(box));
}

static void two(void)
{
	box.refs = 2;
}

static void three(void)
{
	box.refs = 3;
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "spin/count", .thread = { count, count, count_or_try }, .check = counted },
		{ "spin/free", .init = two, .thread = { drop, drop } },
		{ "spin/free3", .init = three, .thread = { drop, drop, drop } },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
