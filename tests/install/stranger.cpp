// stranger.cpp - a C++ program that has goru from an installed package.
// SPDX-License-Identifier: MIT
#include <goru.h>

#include <cstdio>

static void add(goru_chan *c, int a, int b)
{
	int sum = a + b;

	goru_chan_send(c, &sum);
}

int main()
{
	goru_chan *c = goru_chan_make(sizeof(int), 0);
	int sum = 0;

	if (!c || go(add, c, 20, 22) != 0 || goru_chan_recv(c, &sum) != 1)
		return 1;
	goru_chan_unref(c);
	std::printf("C++ %d, goru %s\n", sum, goru_version());
	return sum != 42;
}
