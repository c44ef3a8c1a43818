/* skynet.c - a million goroutines: each starts ten others, six levels deep, and adds them up. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

GORU_CHAN_OF(longs, long);

enum { CHILDREN = 10, LEAVES = 1000000 };

/* Sends the sum of the numbers from first on, count of them, to out. */
static void add(longs *out, long first, long count)
{
	longs *sums;
	long sum = 0, part;

	if (count == 1) {
		longs_send(out, first);
		return;
	}
	count /= CHILDREN;
	sums = longs_make(CHILDREN);
	if (!sums)
		abort();
	for (int i = 0; i < CHILDREN; i++)
		go(add, sums, first + i * count, count);
	for (int i = 0; i < CHILDREN && longs_recv(sums, &part) > 0; i++)
		sum += part;
	longs_unref(sums);
	longs_send(out, sum);
}

int main(void)
{
	goru_config config = GORU_CONFIG_INIT;
	longs *out = longs_make(0);
	long sum = 0;

	/* A goroutine that cannot be started ends the program: go need not be looked at then. */
	config.flags = GORU_CONFIG_SPAWN_FATAL;
	if (goru_init(&config) != 0)
		return 1;

	go(add, out, 0, LEAVES);
	if (longs_recv(out, &sum) != 1)
		return 1;
	printf("%ld\n", sum);
	longs_unref(out);
	return 0;
}

/* Output:
 * 499999500000
 */
