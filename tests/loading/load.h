/* load.h - what the hosts of tests/loading share: plug-ins loaded and used, and tests that are processes of their own. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TESTS_LOADING_LOAD_H
#define GRT_TESTS_LOADING_LOAD_H

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plug.h"

/* musl's dlclose does nothing. */
#ifdef __GLIBC__
enum { UNLOADS = 1 };
#else
enum { UNLOADS = 0 };
#endif

/* Anywhere, any thread: ends the test's process. */
#define CHECK(x) load_check(!!(x), __FILE__, __LINE__, #x)
void load_check(bool ok, const char *file, int line, const char *text);

/* Where the plug-ins are. */
const char *load_dir(void);

void *load_with(const char *name, int flags, const struct plug **out);
void *load(const char *name, const struct plug **out); /* RTLD_NOW | RTLD_LOCAL */

/* Has goroutines of that copy do something; arg: its struct plug. */
void *use(void *arg);

/* Loads it, and uses it here, on a thread that was there before and on one that was not. */
void plug_works(const char *name);

void on_thread(void *(*fn)(void *), void *arg);

/* Until *n is at least that. The test's own time limit ends one that waits for ever. */
void await(_Atomic int *n, int at_least);
void nap(void);

/* Lines of the memory map that name it; NULL: all. */
int mapped(const char *name);

/* Also on a goroutine of the host's. */
void library_stays(void);
void unused_goes(void);

/* clang-format off */
#define TEST(fn) { #fn, load_in_child, NULL, NULL, (void *)(uintptr_t)(fn) }
/* clang-format on */
/* Each in a process of its own: what has been loaded once may stay. */
void load_in_child(void **state);

/* main of a host: its only argument is load_dir. */
#define TEST_MAIN(...)                                                                             \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };                                 \
		if (!load_begin(argc, argv))                                                       \
			return 2;                                                                  \
		return cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0;                          \
	}
bool load_begin(int argc, char **argv);

#endif
