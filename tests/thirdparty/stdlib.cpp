/* stdlib.cpp - the C++ library in goroutines on stacks of the default size: its exceptions, with waits, and regex. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,16 not=thread */
/* gcc 12 with -fsanitize=address sees in <regex> what is not there */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
/* first: std::stoi uses errno, and is inlined into functions that wait */
#include "goru/errno.h"

#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "test.h"

enum { GOROUTINES = 50 };

static goru_waitgroup wg;

static void all(void (*fn)(int))
{
	goru_waitgroup_add(&wg, GOROUTINES);
	for (int n = 0; n < GOROUTINES; n++)
		CHECK_EQ(go(fn, n), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* Thrown inside the library, through its frames, and caught after a wait; the handler waits, too. */
static void throws(int n)
{
	std::vector<int> v(static_cast<size_t>(n));
	std::map<int, std::string> m;
	int caught = 0;

	for (int i = 0; i < 10; i++) {
		try {
			goru_yield();
			v.at(static_cast<size_t>(n + i)) = 1;
		} catch (const std::out_of_range &e) {
			goru_sleep(n % 5 * GORU_USEC);
			CHECK(std::string(e.what()).find("range") != std::string::npos);
			caught++;
			try {
				goru_yield();
				std::stoi("x" + std::to_string(i));
			} catch (const std::invalid_argument &) {
				goru_yield();
				caught++;
			}
		}
		try {
			m.at(i);
		} catch (...) {
			goru_yield();
			m[i] = std::to_string(n);
			caught++;
		}
	}
	CHECK_EQ(caught, 30);
	CHECK(m.size() == 10 && m.at(9) == std::to_string(n));
	CHECK(!std::current_exception());
	goru_waitgroup_done(&wg);
}

/* A recursive matcher: the deepest thing in the library. */
static void matches(int n)
{
	std::regex re("([a-z]+)=([0-9]+)(;|$)");
	std::ostringstream text;
	int sum = 0;

	for (int i = 0; i < 20; i++)
		text << "key=" << n + i << ';';

	std::string s = text.str();

	for (std::sregex_iterator it(s.begin(), s.end(), re), end; it != end; ++it) {
		sum += std::stoi((*it)[2]);
		goru_yield();
	}
	CHECK_EQ(sum, 20 * n + 190);
	CHECK(std::regex_match(std::string(20, 'a') + "b", std::regex("(a|aa)*b")));
	goru_waitgroup_done(&wg);
}

static void exceptions()
{
	all(throws);
}

static void regular_expressions()
{
	all(matches);
}

TEST_MAIN(TEST_BOTH(exceptions), TEST_BOTH(regular_expressions))
