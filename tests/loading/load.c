/* load.c - what the hosts of tests/loading share: plug-ins loaded and used, and tests that are processes of their own. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

static const char *dir;

void load_check(bool ok, const char *file, int line, const char *text)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: %s\n", file, line, text);
	_exit(1);
}

bool load_begin(int argc, char **argv)
{
	if (argc != 2)
		return false;
	dir = argv[1];
	return true;
}

const char *load_dir(void)
{
	return dir;
}

void nap(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

void await(_Atomic int *n, int at_least)
{
	while (atomic_load(n) < at_least)
		nap();
}

void *load_with(const char *name, int flags, const struct plug **out)
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

void *load(const char *name, const struct plug **out)
{
	return load_with(name, RTLD_NOW | RTLD_LOCAL, out);
}

int mapped(const char *name)
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

void on_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, fn, arg) == 0);
	CHECK(pthread_join(t, NULL) == 0);
}

void *use(void *arg)
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

void plug_works(const char *name)
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

/* The library stays, the plug-in that used it does not. */
void library_stays(void)
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
void unused_goes(void)
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

void load_in_child(void **state)
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
