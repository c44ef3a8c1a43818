/* host.c - a program that loads plug-ins that use goru: itself without it, with the shared library, or with a copy of its own. */
/* SPDX-License-Identifier: MIT */
/*
 *   host DIR      where the plug-ins are
 *
 * Each test is a process of its own: what has been loaded once may stay. HOST_GORU: 0 without, 1 shared, 2 static.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sanitizer.h"
#include "plug.h"

#if HOST_GORU
#include <goru.h>
#endif

/* musl's dlclose does nothing. */
#ifdef __GLIBC__
enum { UNLOADS = 1 };
#else
enum { UNLOADS = 0 };
#endif

static const char *dir;

/* Anywhere, any thread. */
#define CHECK(x) check(!!(x), __LINE__, #x)
static void check(bool ok, int line, const char *text)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: %s\n", __FILE__, line, text);
	_exit(1);
}

static void nap(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

/* The test's own time limit ends one that waits for ever. */
static void await(_Atomic int *n, int at_least)
{
	while (atomic_load(n) < at_least)
		nap();
}

static void *load_with(const char *name, int flags, const struct plug **out)
{
	char path[512];
	const struct plug *(*get)(void);
	void *h;

	snprintf(path, sizeof(path), "%s/%s.so", dir, name);
	h = dlopen(path, flags);
	if (!h)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(h);
	get = (const struct plug *(*)(void))(uintptr_t)dlsym(h, "plug");
	CHECK(get);
	*out = get();
	return h;
}

static void *load(const char *name, const struct plug **out)
{
	return load_with(name, RTLD_NOW | RTLD_LOCAL, out);
}

static int mapped(const char *name)
{
	char *line = NULL;
	size_t size = 0;
	int n = 0;
	FILE *f = fopen("/proc/self/maps", "r");

	CHECK(f);
	while (getline(&line, &size, f) > 0)
		n += !name || strstr(line, name);
	free(line);
	fclose(f);
	return n;
}

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

static void on_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, fn, arg) == 0);
	CHECK(pthread_join(t, NULL) == 0);
}

static void *use(void *arg)
{
	const struct plug *p = arg;

	CHECK(p->sum(100) == 5050);
	return NULL;
}

/* A thread that was there before what it uses was loaded. */
static const struct plug *_Atomic handed;

static void *early(void *arg)
{
	const struct plug *p;

	(void)arg;
	while (!(p = atomic_load(&handed)))
		nap();
	return use((void *)(uintptr_t)p);
}

static void plug_works(const char *name)
{
	const struct plug *p;
	pthread_t t;

	atomic_store(&handed, NULL);
	CHECK(pthread_create(&t, NULL, early, NULL) == 0);
	load(name, &p);
	use((void *)(uintptr_t)p);
	on_thread(use, (void *)(uintptr_t)p);
	atomic_store(&handed, p);
	CHECK(pthread_join(t, NULL) == 0);
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

/* The library stays, the plug-in that used it does not. */
static void library_stays(void)
{
	const struct plug *p;
	void *h = load("plug_shared", &p);

	use((void *)(uintptr_t)p);
	CHECK(dlclose(h) == 0);
	CHECK((mapped("plug_shared.so") == 0) == UNLOADS);
	CHECK(mapped("libgoru.so"));
	load("plug_shared", &p);
	use((void *)(uintptr_t)p);
}

static void fork_goes_on(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

/* Nothing of goru was used: it goes, as any other plug-in. */
static void unused_goes(void)
{
	int first = 0;

	for (int i = 0; i < 100; i++) {
		const struct plug *p;
		void *h = load("plug_static", &p);

		CHECK(mapped("plug_static.so"));
		CHECK(dlclose(h) == 0);
		CHECK((mapped("plug_static.so") == 0) == UNLOADS);
		if (i == 0)
			first = mapped(NULL);
	}
	CHECK(mapped(NULL) - first < 20);
	fork_goes_on(); /* none of those that have gone is called */
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
enum { DEEPBIND = 1 };
#else /* musl does not have it, and the sanitizers' runtimes refuse it */
enum { DEEPBIND = 0 };
static void deepbind(void) {}
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
		dir);
	CHECK(n > 0 && !strcmp(text, want));
}

#if HOST_GORU

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
#endif

static void in_child(void **state)
{
	void (*fn)(void) = (void (*)(void))(uintptr_t)*state;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* CMocka's own would end the test from another thread */
		fn();
		exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* clang-format off */
#define TEST(fn) { #fn, in_child, NULL, NULL, (void *)(uintptr_t)(fn) }
/* clang-format on */

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(works_static),
		TEST(works_shared),
		TEST(running_stays),
		TEST(library_stays),
		TEST(unused_goes),
		TEST(again_static),
		TEST(again_shared),
		TEST(two_plugs),
		TEST(many_plugs),
		TEST(global_lazy),
		TEST(local_lazy),
		TEST(started_by_constructor),
		TEST(thread_ends),
		TEST(big_thread_ends),
		TEST(cannot_stay),
#if HOST_GORU
		TEST(later_static),
		TEST(later_shared),
		TEST(from_goroutine),
		TEST(from_small_stack),
		TEST(host_and_plug),
		TEST(others_go_on),
		TEST(host_and_plug_share),
#endif
		TEST(deepbind),
	};

	if (argc != 2)
		return 2;
	dir = argv[1];
	if (!DEEPBIND)
		printf("without RTLD_DEEPBIND here\n");
	return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;
}
