/* any.c - a program that loads plug-ins that use goru: without goru, with the shared library, or with a copy of its own. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#include "base/sanitizer.h"

static int entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void works_static(void)
{
	plug_works("plug_static");
}

static void works_shared(void)
{
	plug_works("plug_shared");
}

/* A copy that has threads stays, with all it was doing; loaded again it is the same. */
static void running_stays(void)
{
	const struct plug *p, *again;
	static _Atomic int n;
	void *h = load("plug_static", &p);
	uint64_t spawned;

	CHECK(p->tick(&n) == 0);
	spawned = p->spawned();
	CHECK(dlclose(h) == 0);
	CHECK(mapped("plug_static.so"));
	await(&n, atomic_load(&n) + 10);
	load("plug_static", &again);
	CHECK(again == p && again->spawned() == spawned);
	use((void *)(uintptr_t)again);
}

struct held {
	int mappings, threads, files; /* and . and .. */
};

static struct held held(void)
{
	return (struct held){ mapped(NULL), entries("/proc/self/task"), entries("/proc/self/fd") };
}

/* The C library keeps some mappings for threads to come, so the first rounds do not count; a leak would be one a round. */
static void again_and_again(const char *name)
{
	struct held first = { 0 }, last;

	for (int i = 0; i < 100; i++) {
		const struct plug *p;
		void *h = load(name, &p);

		CHECK(p->sum(3) == 6);
		CHECK(p->shutdown() == 0);
		CHECK(dlclose(h) == 0);
		if (i == 20)
			first = held();
	}
	last = held();
	CHECK(GRT_ASAN_ON || GRT_TSAN_ON ||
	      last.mappings - first.mappings < 20); /* its allocator keeps what threads had */
	while (entries("/proc/self/task") >
	       first.threads) /* one that has been joined may be on its way out */
		nap();
	CHECK(last.files == first.files);
}

static void again_static(void)
{
	again_and_again("plug_static");
}

static void again_shared(void)
{
	again_and_again("plug_shared");
}

static void two_plugs(void)
{
	const struct plug *a, *b;

	load("plug_static", &a);
	load("plug_other", &b);
	CHECK(a->goru != b->goru);
	CHECK(a->set_procs(3) == 0 && b->set_procs(2) == 0);
	use((void *)(uintptr_t)a);
	CHECK(a->procs() == 3 && b->procs() == 2);
	CHECK(a->spawned() == 100 && b->spawned() == 0);
	use((void *)(uintptr_t)b);
	CHECK(a->shutdown() == 0);
	CHECK(b->spawned() == 100);
	use((void *)(uintptr_t)b);
}

/* Thread-local words of each copy, as long as the C library has room for them. */
static void many_plugs(void)
{
	static const char *const name[] = { "plug_static", "plug_other", "plug_third",
					    "plug_shared" };
	const struct plug *p;
	/* a checks build's thread-local words, four times, are more than glibc keeps room for */
	size_t first = GRT_CHECKS_ON ? 1 : 0;

	for (size_t i = first; i < sizeof(name) / sizeof(name[0]); i++) {
		load(name[i], &p);
		use((void *)(uintptr_t)p);
	}
}

/* Whose names are visible to whom makes no difference. */
static void with_flags(int flags)
{
	const struct plug *a, *b;

	load_with("plug_static", flags, &a);
	load_with("plug_shared", flags, &b);
	CHECK(a->goru != b->goru);
	CHECK(a->set_procs(3) == 0 && b->set_procs(2) == 0);
	CHECK(a->procs() == 3 && b->procs() == 2);
	use((void *)(uintptr_t)a);
	use((void *)(uintptr_t)b);
	CHECK(a->spawned() == 100 && b->spawned() == 100);
}

static void global_lazy(void)
{
	with_flags(RTLD_LAZY | RTLD_GLOBAL);
}

static void local_lazy(void)
{
	with_flags(RTLD_LAZY | RTLD_LOCAL);
}

#if defined(RTLD_DEEPBIND) && !defined(GRT_ASAN) && !(defined(GRT_TSAN) && GRT_TSAN)
static void deepbind(void)
{
	with_flags(RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
}
#else /* musl does not have it, and the sanitizers' runtimes refuse it */
static void deepbind(void)
{
	printf("without RTLD_DEEPBIND here\n");
}
#endif

static void started_by_constructor(void)
{
	const struct plug *p;
	void *h = load("plug_constructor", &p);

	CHECK(p->spawned() == 10);
	CHECK(dlclose(h) == 0);
	CHECK(mapped("plug_constructor.so"));
	use((void *)(uintptr_t)p);
}

/* What is called when a thread ends stays too, though no runtime was started. */
static _Atomic int ended;

static void *ends_with(void *arg)
{
	const struct plug *p;
	void *h = load(arg, &p);

	p->end_with(&ended);
	CHECK(dlclose(h) == 0);
	return NULL;
}

static void thread_ends(void)
{
	on_thread(ends_with, (void *)(uintptr_t) "plug_static");
	CHECK(atomic_load(&ended) == 1);
	CHECK(mapped("plug_static.so"));
}

static void *was_big(void *arg)
{
	const struct plug *p;
	void *h = load(arg, &p);

	CHECK(p->big() == 7);
	CHECK(dlclose(h) == 0);
	return NULL;
}

static void big_thread_ends(void)
{
	on_thread(was_big, (void *)(uintptr_t) "plug_static");
	CHECK(mapped("plug_static.so"));
}

/* It says so if it cannot stay, and works. */
static void cannot_stay(void)
{
	const struct plug *p;
	char text[4096] = "", want[8192];
	int fd[2], err = dup(2);
	ssize_t n;

	CHECK(err >= 0 && pipe(fd) == 0);
	load("plug_refused", &p);
	CHECK(dup2(fd[1], 2) == 2);
	use((void *)(uintptr_t)p);
	CHECK(dup2(err, 2) == 2);
	n = read(fd[0], text, sizeof(text) - 1);
	snprintf(
		want, sizeof(want),
		"goru: %s/plug_refused.so cannot be kept loaded: it must not be closed by dlclose\n",
		load_dir());
	CHECK(n > 0 && !strcmp(text, want));
}

TEST_MAIN(TEST(works_static), TEST(works_shared), TEST(running_stays), TEST(library_stays),
	  TEST(unused_goes), TEST(again_static), TEST(again_shared), TEST(two_plugs),
	  TEST(many_plugs), TEST(global_lazy), TEST(local_lazy), TEST(started_by_constructor),
	  TEST(thread_ends), TEST(big_thread_ends), TEST(cannot_stay), TEST(deepbind))
