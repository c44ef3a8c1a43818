/* chan.cpp - typed channels and select in C++. */
/* SPDX-License-Identifier: MIT */
#include <atomic>
#include <string>

#include "test.h"

struct point {
	int x, y;
	int sum() const
	{
		return x + y;
	}
};
enum class kind { one, two };

GORU_CHAN_OF(points, point);
GORU_CHAN_OF(kinds, kind);
GORU_CHAN_OF(strings, std::string *);

static void produce(points *c)
{
	for (int i = 0; i < 100; i++)
		CHECK_EQ(points_send(c, point{ i, 2 * i }), 0);
	CHECK_EQ(points_close(c), 0);
	points_unref(c);
}

static void typed()
{
	points *c = points_make(3);
	point p;
	int n = 0;

	CHECK_EQ(go(produce, points_ref(c)), 0);
	while (points_recv(c, &p) > 0)
		CHECK_EQ(p.sum(), 3 * n++);
	CHECK_EQ(n, 100);
	CHECK_EQ(p.sum(), 0);
	points_unref(c);
}

static void owners()
{
	strings *c = strings_make(1);
	std::string *s = nullptr;

	CHECK_EQ(strings_send(c, new std::string("mine")), 0);
	CHECK_EQ(strings_try_send(c, nullptr), -EAGAIN);
	CHECK_EQ(strings_recv(c, &s), 1);
	CHECK(*s == "mine");
	delete s;
	CHECK_EQ(strings_recv_until(c, &s, goru_in(GORU_MSEC)), -ETIMEDOUT);
	strings_unref(c);
}

static void select_both_ways()
{
	kinds *c = kinds_make(1);
	kind in = kind::one;
	const kind out = kind::two;
	goru_case cases[] = { GORU_RECV(kinds_chan(c), &in), GORU_SEND(kinds_chan(c), &out),
			      GORU_RECV(nullptr, nullptr) };

	CHECK_EQ(goru_select(cases, 3), 1);
	CHECK_EQ(cases[1].result, 0);
	CHECK_EQ(goru_select(cases, 3), 0);
	CHECK_EQ(cases[0].result, 1);
	CHECK(in == kind::two);
	cases[1] = GORU_RECV(nullptr, nullptr);
	CHECK_EQ(goru_try_select(cases, 3), -EAGAIN);
	CHECK_EQ(goru_select_until(cases, 3, goru_in(GORU_MSEC)), -ETIMEDOUT);
	kinds_unref(c);
}

static goru_waitgroup wg = GORU_WAITGROUP_INIT;

static void done()
{
	goru_waitgroup_done(&wg);
}

static void wait_groups()
{
	goru_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(go(done), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

TEST_MAIN(TEST_BOTH(typed), TEST_BOTH(owners), TEST_BOTH(select_both_ways), TEST_BOTH(wait_groups))
