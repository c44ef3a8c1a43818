/* user.c - a program that uses goru itself, the shared library or a copy of its own, and loads plug-ins that use it too. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdatomic.h>

#include "load.h"

/* HOST_GORU: 1 with the shared library, 2 with a copy of its own. */

static const void *own(void)
{
	return (const void *)(uintptr_t)goru_yield;
}

static void run(void (*fn)(void *), void *arg)
{
	CHECK(goru_run(fn, arg) == 0);
}

/* With goroutines that run and some that wait, and threads that were there before. */
static void busy(_Atomic int *n)
{
	for (;;) {
		atomic_fetch_add(n, 1);
		goru_yield();
	}
}

static void after_start(const char *name)
{
	static _Atomic int n;
	int seen;

	for (int i = 0; i < 4; i++)
		CHECK(go(busy, &n) == 0);
	await(&n, 1);
	plug_works(name);
	seen = atomic_load(&n);
	await(&n, seen + 1);
}

static void later_static(void)
{
	after_start("plug_static");
}

static void later_shared(void)
{
	after_start("plug_shared");
}

static void load_all(void *arg)
{
	const struct plug *p;

	(void)arg;
	library_stays();
	unused_goes();
	load("plug_static", &p);
	use((void *)(uintptr_t)p);
	load("plug_constructor", &p);
	use((void *)(uintptr_t)p);
}

static void loads(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		const struct plug *p;
		void *h = load("plug_other", &p);

		goru_yield(); /* may go on on another thread */
		CHECK(dlclose(h) == 0);
	}
}

static void from_goroutine(void)
{
	run(loads, NULL);
	run(load_all, NULL);
}

/* dlopen itself wants some 5 KiB; the runtime is started on that stack too. */
static void load_one(void *arg)
{
	const struct plug *p;

	load("plug_static", &p);
	use((void *)(uintptr_t)p);
	atomic_store((_Atomic int *)arg, 1);
}

static void from_small_stack(void)
{
	static const goru_attr attr = { .stack_size = 32 << 10 };
	static _Atomic int done;

	CHECK(goru_go_attr(&attr, load_one, &done) == 0);
	await(&done, 1);
}

static void different(void *arg)
{
	const struct plug *p = arg;

	CHECK(goru_id() != 0);
	CHECK(p->id() == 0); /* to that copy the worker is a thread like any other */
	use(arg);
}

/* Nothing of the host's shows in the plug-in's copy, or the other way. */
static void host_and_plug(void)
{
	const struct plug *p;
	goru_stats s;

	CHECK(goru_set_procs(2) == 0);
	load("plug_static", &p);
	CHECK(p->goru != own());
	CHECK(p->set_procs(3) == 0);
	CHECK(goru_procs() == 2 && p->procs() == 3);
	run(different, (void *)(uintptr_t)p);
	CHECK(goru_stats_get(&s) == 0 && s.spawned == 1);
	CHECK(p->spawned() == 100);
	CHECK(goru_shutdown() == 0);
	use((void *)(uintptr_t)p);
	CHECK(p->shutdown() == 0);
	run(different, (void *)(uintptr_t)p);
}

static void set(_Atomic int *flag)
{
	atomic_store(flag, 1);
}

/* In the plug-in's copy the worker waits as a thread does; its P goes to another, as for any call that blocks. */
static void waits_in_plug(void *arg)
{
	const struct plug *p = arg;
	static _Atomic int flag;

	CHECK(go(set, &flag) == 0);
	CHECK(p->wait(&flag) == 0);
}

static void others_go_on(void)
{
	const struct plug *p;

	CHECK(goru_set_procs(1) == 0);
	load("plug_static", &p);
	run(waits_in_plug, (void *)(uintptr_t)p);
}

static void same(void *arg)
{
	const struct plug *p = arg;

	CHECK(goru_id() != 0 && p->id() == goru_id());
}

/* The shared library is one, whoever loads it. */
static void host_and_plug_share(void)
{
	const struct plug *p;

	load("plug_shared", &p);
	CHECK((p->goru == own()) == (HOST_GORU == 1));
	CHECK(goru_set_procs(3) == 0);
	if (HOST_GORU == 1) {
		CHECK(p->procs() == 3);
		run(same, (void *)(uintptr_t)p);
	} else {
		CHECK(p->set_procs(2) == 0);
		CHECK(goru_procs() == 3);
		run(different, (void *)(uintptr_t)p);
	}
}

TEST_MAIN(TEST(later_static), TEST(later_shared), TEST(from_goroutine), TEST(from_small_stack),
	  TEST(host_and_plug), TEST(others_go_on), TEST(host_and_plug_share))
