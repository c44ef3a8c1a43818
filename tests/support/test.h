/* test.h - what the tests share: checks for any stack, both contexts, a watchdog, children, counts. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TEST_H
#define GRT_TEST_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif

#include "goru.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * CMocka's asserts leave by longjmp, which neither a goroutine nor another thread may do: there is one jump buffer,
 * and it belongs to the test's own thread. CHECK counts and prints, anywhere; test_run asserts that nothing was counted.
 */
#define CHECK(x) test_check(!!(x), __FILE__, __LINE__, #x)
#define CHECK_EQ(a, b)                                                                             \
	test_check_eq((long long)(a), (long long)(b), __FILE__, __LINE__, #a " == " #b)
bool test_check(bool ok, const char *file, int line, const char *text);
bool test_check_eq(long long a, long long b, const char *file, int line, const char *text);
int test_failures(void);

/* One entry of TEST_MAIN: a void (*)(void). BOTH: once on the test's thread, once on a goroutine. */
/* clang-format off */
#define TEST(fn)      { #fn, test_run, NULL, NULL, (void *)(fn) }
#define TEST_GO(fn)   { #fn " (goroutine)", test_run_goroutine, NULL, NULL, (void *)(fn) }
#define TEST_BOTH(fn) TEST(fn), TEST_GO(fn)
/* clang-format on */
#define TEST_MAIN(...)                                                                             \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };                                 \
		test_begin();                                                                      \
		return cmocka_run_group_tests(tests, NULL, NULL);                                  \
	}
void test_run(void **state);
void test_run_goroutine(void **state);

/* Before the first test: output unbuffered, SIGPIPE ignored; of the tests only those that GORU_TEST_ONLY matches. */
void test_begin(void);

/* Runs fn in a new goroutine and waits for its end. From a plain thread. */
#define RUN_ON_GOROUTINE(fn) test_on_goroutine(fn)
void test_on_goroutine(void (*fn)(void));

/*
 * A thread that ends the process with a fatal line, and so with the list of goroutines, when the deadline passes.
 * test_run sets it anew for each test (TEST_SECONDS); a test that needs longer calls it itself, and so does a child
 * that wants one. 0 takes it away.
 */
enum { TEST_SECONDS = 40 };
void test_watch(const char *what, unsigned seconds);

/* Waits, on a thread or goroutine, until x is true, once; fails after 20 s. */
#define UNTIL(x)                                                                                   \
	do {                                                                                       \
		int64_t until_ = goru_in(20 * GORU_SEC);                                           \
		bool seen_;                                                                        \
		while (!(seen_ = (x)) && goru_now() < until_)                                      \
			test_nap();                                                                \
		test_check(seen_, __FILE__, __LINE__, #x);                                         \
	} while (0)
void test_nap(void);

/* Shuts down; from then on a goroutine that computes keeps its P (GORU_DEBUG=handoff=0), until it is called with true. */
void test_handoff(bool on);

/*
 * How many goroutines have not ended, and how many goroutines and plain threads wait in goru, each already where it can
 * be woken. Without the caller; and without the test's own thread, which waits while a goroutine runs the test. For
 * UNTIL, when nobody else starts or wakes any.
 */
int test_alive(void);
int test_asleep(void);

/* How many goroutines wait and have left their thread: a dump has their wait and their stack. */
int test_parked(void);

/* All workers sleep: whatever they had to do is done, to the last stack given back. From a plain thread. */
bool test_workers_asleep(void);

/*
 * Has a shutdown begun, and has the worker that runs the calling goroutine been told to run no other? await waits for
 * it, in the kernel. The shutdown must not be over before, so some goroutine has to go on running until then.
 */
bool test_stopping(void);
void test_await_shutdown(void);

/*
 * fn in a child process: how it ended and what it wrote to standard error. Only while the runtime is off in this
 * process. The child that returns from fn ends with 0, or 99 when a CHECK failed in it.
 */
struct test_end {
	int status; /* of waitpid */
	size_t len;
	char err[1 << 16];
};
void test_child(void (*fn)(void), struct test_end *out);

/* fn dies by abort and its first fatal line is the whole line `text` (its end may be left out with ..). */
#define CHECK_DIES(fn, text) test_check_dies(fn, text, __FILE__, __LINE__)
bool test_check_dies(void (*fn)(void), const char *text, const char *file, int line);
/* The same, where %p in text is the address that fn has written first, as a line of its own. */
#define CHECK_DIES_OF(fn, text) test_check_dies_of(fn, text, __FILE__, __LINE__)
bool test_check_dies_of(void (*fn)(void), const char *text, const char *file, int line);
/* fn ends with exit status 0 and its standard error is err. */
#define CHECK_LIVES(fn, err) test_check_lives(fn, err, __FILE__, __LINE__)
bool test_check_lives(void (*fn)(void), const char *err, const char *file, int line);

/*
 * Takes the ages out of a list of goroutines, in place, and returns it: "[waiting: sleep, 1.2 s]" is "[waiting: sleep]".
 * Below a second none is written, but on a busy machine any wait is that old by the time it is looked at.
 */
char *test_drop_ages(char *list);

/* What is written to standard error between begin and end, and until now; valid until the next of these calls. */
void test_capture_begin(void);
const char *test_captured(void);
const char *test_capture_end(void);

/* What the process holds; not a thread that has been joined, nor, while the runtime is on, files in /proc and /sys. */
int test_threads(void);
int test_fds(void);
int test_mappings(void);
size_t test_address_space(void); /* bytes */
size_t test_resident(void);	 /* bytes of memory */

/* A plain thread that runs fn. */
void test_thread(pthread_t *t, void (*fn)(void));
void test_join(pthread_t t);

/* Other than the other side could guess: values for checks, from a fixed seed. */
uint64_t test_rand(uint64_t *state);

/* Is this a run under qemu-user? Timing and memory accounting mean less there. */
bool test_emulated(void);

#ifdef __cplusplus
}
#endif

#endif
