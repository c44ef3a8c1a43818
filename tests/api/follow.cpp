/* follow.cpp - exceptions under way and being handled go where the goroutine goes; migrate=1 moves it each time. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,16 env=GORU_DEBUG=migrate=1 */
/* first: std::stoi uses errno, and is inlined into functions that wait */
#include "goru/errno.h"

#include <exception>
#include <stdexcept>
#include <string>

#include "test.h"
#include "ways.h"

extern "C" void *__cxa_get_globals(void) __attribute__((weak));

static goru_waitgroup wg;

static void is_cpp()
{
	CHECK(__cxa_get_globals != nullptr);
}

/* The exception being handled is the one with this number. */
static bool handles(int n)
{
	try {
		std::rethrow_exception(std::current_exception());
	} catch (const std::exception &e) {
		return std::stoi(e.what()) == n;
	}
}

static std::runtime_error error(int n)
{
	return std::runtime_error(std::to_string(n));
}

/* Waits while an exception passes through its frame. */
struct waits {
	int way;
	int passing; /* exceptions */
	~waits()
	{
		CHECK_EQ(std::uncaught_exceptions(), passing);
		ways_go(way);
		CHECK_EQ(std::uncaught_exceptions(), passing);
	}
};

/* A destructor that, with one exception passing, throws and catches another and waits in between. */
struct nests {
	int way, n;
	~nests()
	{
		CHECK_EQ(std::uncaught_exceptions(), 1);
		try {
			waits w = { way, 2 };
			throw error(n + 1);
		} catch (const std::exception &) {
			ways_go(way);
			CHECK(handles(n + 1));
			CHECK_EQ(std::uncaught_exceptions(), 1);
		}
		CHECK_EQ(std::uncaught_exceptions(), 1);
	}
};

static void try_and_catch(int way, int n)
{
	try {
		ways_go(way);
		throw error(n);
	} catch (const std::exception &e) {
		errno = n + way;
		ways_go(way);
		CHECK_EQ(errno, n + way);
		CHECK(handles(n) && !std::uncaught_exceptions());
		CHECK_EQ(std::stoi(e.what()), n);
	}
	CHECK(!std::current_exception() && !std::uncaught_exceptions());
}

static void nested(int way, int n)
{
	std::exception_ptr kept;

	try {
		try {
			throw error(n);
		} catch (...) {
			try {
				waits w = { way, 1 };
				throw error(n + 1);
			} catch (const std::exception &) {
				kept = std::current_exception();
				ways_go(way);
				CHECK(handles(n + 1));
			}
			CHECK(handles(n));
			ways_go(way);
			CHECK(handles(n));
			throw;
		}
	} catch (const std::exception &e) {
		ways_go(way);
		CHECK_EQ(std::stoi(e.what()), n);
	}
	ways_go(way);
	try {
		std::rethrow_exception(kept);
	} catch (const std::exception &e) {
		ways_go(way);
		CHECK_EQ(std::stoi(e.what()), n + 1);
	}
	CHECK(!std::current_exception() && !std::uncaught_exceptions());
}

static void unwinding(int way, int n)
{
	try {
		nests a = { way, n };
		waits b = { way, 1 };
		throw error(n);
	} catch (const std::exception &e) {
		CHECK_EQ(std::stoi(e.what()), n);
	}
	CHECK(!std::current_exception() && !std::uncaught_exceptions());
}

static void wanders(int n)
{
	for (int way = 0; way < ways_n; way++) {
		try_and_catch(way, n * 100);
		nested(way, n * 100);
		unwinding(way, n * 100);
	}
	goru_waitgroup_done(&wg);
}

static void each_way()
{
	goru_waitgroup_add(&wg, 1);
	wanders(1);
}

static void many()
{
	goru_waitgroup_add(&wg, 8);
	for (int n = 1; n <= 8; n++)
		CHECK_EQ(go(wanders, n), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* It ends inside a handler: what runs next on its thread handles nothing. */
static std::exception_ptr left[20]; /* nobody else frees them */

static void leaves(int i)
{
	try {
		throw error(i);
	} catch (const std::exception &) {
		left[i] = std::current_exception();
		goru_yield();
		goru_waitgroup_done(&wg);
		goru_exit();
	}
}

static void comes_after()
{
	CHECK(!std::current_exception());
	goru_yield();
	CHECK(!std::current_exception() && !std::uncaught_exceptions());
	goru_waitgroup_done(&wg);
}

static void leaves_from_a_handler()
{
	for (int i = 0; i < 20; i++) {
		goru_waitgroup_add(&wg, 2);
		CHECK_EQ(go(leaves, i), 0);
		CHECK_EQ(go(comes_after), 0);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

TEST_MAIN(TEST(is_cpp), TEST_GO(each_way), TEST_BOTH(many), TEST(leaves_from_a_handler))
