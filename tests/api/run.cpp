/* run.cpp - go in C++: a function template, its conversions, lambdas, exceptions across parks. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 */
#include <atomic>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <signal.h>
#include <sys/wait.h>

#include "test.h"

static goru_waitgroup wg;
static std::atomic<int> ran;

static void done()
{
	ran++;
	goru_waitgroup_done(&wg);
}

static void before(int n)
{
	ran = 0;
	goru_waitgroup_add(&wg, n);
}

static void after(int n)
{
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(ran.load(), n);
}

enum class color : short { red = -3, blue = 9 };

static void f0()
{
	done();
}

static int f1(signed char a)
{
	CHECK_EQ(a, -5);
	done();
	return a;
}

static void f2(color a, bool b)
{
	CHECK(a == color::red && b);
	done();
}

static void f3(const char *a, const std::string *b, void *c)
{
	CHECK(!strcmp(a, "x") && *b == "y" && !c);
	done();
}

static void f6(int a, unsigned long b, short c, color d, int64_t e, const int *f)
{
	CHECK(a == 1 && b == 2 && c == -3 && d == color::blue && e == INT64_MIN && !f);
	done();
}

struct base {
	virtual ~base() = default;
	int v = 1;
};
struct derived : base {
	int w = 2;
};

static void takes_base(base *b)
{
	CHECK_EQ(b->v, 1);
	done();
}

static void takes_void(void *p)
{
	CHECK(p == &wg);
	done();
}

static void arguments()
{
	std::string y = "y";
	derived d;
	void (*var)() = f0;

	before(9);
	CHECK_EQ(go(f0), 0);
	CHECK_EQ(go(f1, -5), 0);
	CHECK_EQ(go(f2, color::red, true), 0);
	CHECK_EQ(go(f3, "x", &y, nullptr), 0);
	CHECK_EQ(go(f3, "x", &y, 0), 0);
	CHECK_EQ(GORU_GO(f6, 1, 2, -3, color::blue, INT64_MIN, nullptr), 0);
	CHECK_EQ(go(takes_base, &d), 0); /* converted as in a call */
	CHECK_EQ(go(takes_void, &wg), 0);
	CHECK_EQ(go(var), 0);
	after(9);
}

static void lambdas()
{
	int v = 3;

	before(3);
	CHECK_EQ(go([] { done(); }), 0);
	CHECK_EQ(go(
			 [](int *p) {
				 CHECK_EQ(*p, 3);
				 done();
			 },
			 &v),
		 0);
	CHECK_EQ(go(
			 [](int a, long b) {
				 CHECK(a == 4 && b == 5);
				 done();
				 return a;
			 },
			 4, 5),
		 0);
	after(3);
}

static void null_is_refused()
{
	void (*no)(int) = nullptr;

	CHECK_EQ(go(no, 1), -EINVAL);
}

/* An exception is thrown, parks in the handler while others throw theirs, is rethrown, and is still itself. */
static void throws(int n)
{
	for (int i = 0; i < 20; i++) {
		try {
			try {
				throw std::runtime_error(std::to_string(n * 100 + i));
			} catch (const std::exception &e) {
				goru_sleep(n % 3 * 20 * GORU_USEC);
				goru_yield();
				CHECK(std::atoi(e.what()) == n * 100 + i);
				CHECK(!std::uncaught_exceptions());
				throw;
			}
		} catch (const std::runtime_error &e) {
			goru_yield();
			CHECK(std::atoi(e.what()) == n * 100 + i);
			CHECK(std::current_exception() != nullptr);
		}
		CHECK(std::current_exception() == nullptr);
	}
	done();
}

static void exceptions_across_parks()
{
	before(16);
	for (int i = 0; i < 16; i++)
		CHECK_EQ(go(throws, i), 0);
	after(16);
}

struct parks {
	~parks()
	{
		CHECK_EQ(std::uncaught_exceptions(), 1);
		goru_yield();
		CHECK_EQ(std::uncaught_exceptions(), 1);
	}
};

static void unwinds()
{
	try {
		parks p;
		throw 5;
	} catch (int v) {
		CHECK_EQ(v, 5);
	}
	CHECK_EQ(std::uncaught_exceptions(), 0);
	done();
}

static void parks_while_unwinding()
{
	before(8);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(go(unwinds), 0);
	after(8);
}

static int throwing(bool yes)
{
	if (yes)
		throw std::logic_error("out of the brackets");
	return 6;
}

/* An exception leaves the brackets as well: were it not so, ten of them would leave no P. */
static void blocking_and_exceptions()
{
	before(1);
	CHECK_EQ(goru_blocking(throwing(false)), 6);
	for (int i = 0; i < 10; i++) {
		try {
			goru_blocking(throwing(true));
			CHECK(false);
		} catch (const std::logic_error &) {
		}
	}
	CHECK_EQ(go(f0), 0);
	after(1);
}

/* Thrown on a big stack, through nested ones, with parks on the way, and caught by the caller: all is as it was. */
struct counted {
	static std::atomic<int> live;
	counted()
	{
		live++;
	}
	~counted()
	{
		goru_yield();
		live--;
	}
};
std::atomic<int> counted::live;

static __attribute__((noinline)) int uses(int n)
{
	volatile char page[1000];

	page[0] = static_cast<char>(n);
	return n ? uses(n - 1) + page[0] : 0;
}

struct thrown {
	int nest, value;
};

static void throws_there(void *arg)
{
	thrown *t = static_cast<thrown *>(arg);
	counted c;

	uses(200);
	goru_yield();
	if (t->nest-- > 0)
		goru_call_on_big_stack(1 << 19, throws_there, t);
	throw std::runtime_error(std::to_string(t->value));
}

static void catches_there(void *arg)
{
	thrown t = { 1, *static_cast<int *>(arg) };

	try {
		goru_call_on_big_stack(1 << 19, throws_there, &t);
		CHECK(false);
	} catch (const std::exception &e) {
		CHECK_EQ(std::atoi(e.what()), t.value);
	}
	uses(100); /* of this one, still */
	goru_yield();
}

static void through_big_stacks()
{
	int n = 1000;

	for (int i = 0; i < 40; i++) {
		thrown t = { i % 3, i };

		try {
			counted c;

			goru_call_on_big_stack(1 << 19, throws_there, &t);
			CHECK(false);
		} catch (const std::runtime_error &e) {
			goru_yield();
			CHECK_EQ(std::atoi(e.what()), i);
		}
		CHECK_EQ(uses(20), uses(20));
		CHECK_EQ(goru_call_on_big_stack(1 << 19, catches_there, &n), 0);
		CHECK(!std::uncaught_exceptions() && !std::current_exception());
	}
}

/* Also those that an exception left are given back. */
static void through_big_stacks_alone()
{
	through_big_stacks();

	int was = test_mappings();

	through_big_stacks();
	CHECK(test_mappings() - was < 60);
}

static void many_through_big_stacks()
{
	before(8);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(go([] {
				 through_big_stacks();
				 done();
			 }),
			 0);
	after(8);
	CHECK_EQ(counted::live.load(), 0);
}

static void leaks_from_a_big_stack()
{
	go([] {
		goru_call_on_big_stack(
			1 << 19, [](void *) { throw 1; }, nullptr);
	});
	goru_sleep(GORU_FOREVER);
}

static void leaks_out()
{
	go([] { throw 1; });
	goru_sleep(GORU_FOREVER);
}

static bool aborts(void (*fn)())
{
	static struct test_end c;

	test_child(fn, &c);
	if (WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGABRT)
		return true;
	fprintf(stderr, "status 0x%x; standard error:\n%s", static_cast<unsigned>(c.status), c.err);
	return false;
}

static void uncaught_terminates()
{
	CHECK(aborts(leaks_out));
	CHECK(aborts(leaks_from_a_big_stack));
}

TEST_MAIN(TEST(uncaught_terminates), TEST_BOTH(arguments), TEST_BOTH(lambdas),
	  TEST_BOTH(null_is_refused), TEST_BOTH(exceptions_across_parks),
	  TEST_BOTH(parks_while_unwinding), TEST_BOTH(blocking_and_exceptions),
	  TEST(through_big_stacks_alone), TEST(many_through_big_stacks))
