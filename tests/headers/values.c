/* values.c - what go passes on: every conversion a call makes, in C and C++; links with goru. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum color { RED, GREEN = 70000, BLUE = -5 };
enum wide { WIDE = 0x7fffffff };
struct pair {
	long a, b;
};
struct bits {
	unsigned three : 3;
	int signed_four : 4;
};

static goru_waitgroup group = GORU_WAITGROUP_INIT;
static char text[256];
static int failures;

/* A goroutine at a time writes text; the wait group hands it over. */
#define CHECK(expected, call)                                                                      \
	do {                                                                                       \
		int result_;                                                                       \
		strcpy(text, "(not run)");                                                         \
		goru_waitgroup_add(&group, 1);                                                     \
		result_ = (call);                                                                  \
		if (result_ == 0)                                                                  \
			result_ = goru_waitgroup_wait(&group);                                     \
		if (result_ != 0 || strcmp(text, (expected)) != 0) {                               \
			printf("%s:%d: %s: result %d, got \"%s\", expected \"%s\"\n", __FILE__,    \
			       __LINE__, #call, result_, text, (expected));                        \
			failures++;                                                                \
		}                                                                                  \
	} while (0)

#define TELL(...)                                                                                  \
	do {                                                                                       \
		snprintf(text, sizeof(text), __VA_ARGS__);                                         \
		goru_waitgroup_done(&group);                                                       \
	} while (0)

static void none(void)
{
	TELL("none");
}
static void plain(void *p)
{
	TELL("%s", p ? (const char *)p : "NULL");
}
static void narrow(short a, signed char b, unsigned char c, bool d)
{
	/* through int, so that wrong upper bits of a register would show */
	int w = a, x = b, y = c, z = d;
	TELL("%d %d %d %d", w, x, y, z);
}
static void ints(int a, unsigned b, long c, unsigned long d)
{
	long long w = a, x = b;
	TELL("%lld %lld %ld %lu", w, x, c, d);
}
static void enums(enum color a, enum color b, enum wide c)
{
	TELL("%d %d %d", (int)a, (int)b, (int)c);
}
static void pointers(int *a, const int *b, int *c, char *d, void (*e)(void), void *f)
{
	TELL("%d %d %d %s %d %d", *a, *b, *c, d, e == none, f == NULL);
}
static void six(int a, long b, short c, char d, uint64_t e, bool f)
{
	TELL("%d %ld %d %c %llu %d", a, b, c, d, (unsigned long long)e, f);
}
static double floating(int a)
{
	TELL("%d", a);
	return 1.5;
}
static struct pair small(int a, int b)
{
	struct pair p = { a, b };
	TELL("%d %d", a, b);
	return p;
}
static char *pointing(const char *s, int n)
{
	TELL("%s %d", s, n);
	return text;
}
/* declared so that a compiler may leave out a call whose value is dropped: go must not */
__attribute__((pure)) static int pure(int a)
{
	TELL("pure %d", a);
	return a;
}
__attribute__((warn_unused_result)) static int checked(int a, int b)
{
	TELL("%d %d", a, b);
	return a;
}
static void quiet(int a)
{
	(void)a;
	goru_waitgroup_done(&group);
}

static int calls;
static int next(void)
{
	return ++calls;
}
static void (*choose(int n))(int, unsigned, long, unsigned long)
{
	calls += n;
	return ints;
}

static int fail_with(int e)
{
	errno = e;
	return -1;
}
static void set(int *p)
{
	*p = 7;
}
static struct pair make_pair_of(long a)
{
	struct pair p = { a, a + 1 };
	return p;
}

static void blocking_values(void)
{
	int a = 0;
	long l = goru_blocking_sys((long)fail_with(EINTR));
	goru_blocking(set(&a));
	if (a != 7 || goru_blocking(a + 1) != 8 || goru_blocking(make_pair_of(4)).b != 5 ||
	    goru_blocking_sys(fail_with(ENOENT)) != -ENOENT || l != -EINTR ||
	    goru_blocking_sys(goru_blocking(a)) != 7 || goru_blocking_sys(-2) != -2) {
		printf("goru_blocking: wrong value\n");
		failures++;
	}
}

static void all(void *arg)
{
	int array[3] = { 10, 20, 30 }, before, thousands = 70000, two = 2, minus = -1;
	struct bits bits = { 5, -3 };
	char hello[] = "hello";

	(void)arg;
	CHECK("none", go(none));
	CHECK("none", go(&none));
	CHECK("hello", go(plain, hello));
	CHECK("NULL", go(plain, NULL));
	CHECK("NULL", go(plain, 0));
	CHECK("4464 112 112 1",
	      go(narrow, (short)thousands, (signed char)thousands, (unsigned char)thousands, two));
	CHECK("4464 112 112 1", go(narrow, thousands, thousands, thousands, thousands));
	CHECK("-1 -1 255 1", go(narrow, minus, minus, minus, minus));
	CHECK("-1 -1 254 0", go(narrow, -1L, -1LL, (unsigned char)254, false));
	CHECK("-1 4294967295 -1 18446744073709551615", go(ints, minus, minus, minus, minus));
	CHECK("-2147483648 1 -9223372036854775807 1",
	      go(ints, INT32_MIN, true, -INT64_MAX, 0x100000001u == 0 ? 2 : 1));
	CHECK("5 5 -3 5",
	      go(ints, bits.three, bits.three, bits.signed_four, (unsigned long)bits.three));
	CHECK("1 1 1 1", go(ints, 'b' - 'a', hello != NULL, true, 1));
	CHECK("70000 -5 2147483647", go(enums, GREEN, BLUE, WIDE));
	CHECK("10 20 30 hello 1 1", go(pointers, array, array + 1, &array[2], hello, none, NULL));
	CHECK("10 10 10 hello 1 1", go(pointers, array, array, array, hello, &none, NULL));
	CHECK("-7 -8 -9 x 18446744073709551615 1", go(six, -7, -8L, -9, 'x', UINT64_MAX, true));
	CHECK("42", go(floating, 42));
	CHECK("1 2", go(small, 1, 2));
	CHECK("const 3", go(pointing, "const", 3));
	CHECK("1 2", go(checked, 1, 2));

	/* each once, the function too */
	before = calls;
	CHECK("1 2 3 4", go(choose(0), before + 1, 2u, 3L, 4ul));
	calls = 0;
	CHECK("1 1 1 1", go(choose(10), 1, 1u, 1L, (unsigned long)(next() > 0)));
	if (calls != 11)
		printf("%d calls instead of 11\n", calls), failures++;
	calls = 0;
	CHECK("1 0 0 0", go(ints, next(), 0u, 0L, 0ul));
	if (calls != 1)
		printf("%d calls instead of 1\n", calls), failures++;

	/* a go in an argument of a go */
	goru_waitgroup_add(&group, 2);
	CHECK("0 9 8 7", go(ints, go(quiet, go(quiet, 3)), 9u, 8L, 7ul));

	CHECK("pure 1", go(pure, 1));
	CHECK("pure 2", go(&pure, 2));
	blocking_values();
#ifdef __cplusplus
	CHECK("none", go([] { none(); }));
	CHECK("1 2", go([](short a, long b) { (void)small(a, static_cast<int>(b)); }, 1, 2));
	void (*lambda)(void *) noexcept = [](void *p) noexcept { plain(p); };
	CHECK("hello", go(lambda, hello));
#endif
}

int main(void)
{
	int ran = goru_run(all, NULL);
	if (ran != 0) {
		printf("goru_run: %d\n", ran);
		return 1;
	}
	return failures != 0;
}
