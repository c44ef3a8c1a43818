/* fanin.c - fan out: several goroutines share one input; fan in: their outputs become one. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

GORU_CHAN_OF(longs, long);

enum { SQUARERS = 4, LAST = 1000 };

static void count(longs *out)
{
	for (long n = 1; n <= LAST; n++)
		longs_send(out, n);
	longs_close(out);
}

/* Several of these receive from the same channel: each number goes to one of them. */
static void square(longs *in, longs *out)
{
	long n;

	while (longs_recv(in, &n) > 0)
		longs_send(out, n * n);
	longs_close(out);
}

static void forward(longs *in, longs *out, goru_waitgroup *open)
{
	long n;

	while (longs_recv(in, &n) > 0)
		longs_send(out, n);
	goru_waitgroup_done(open);
}

/* The output may be closed when all inputs have ended, and by nobody before. */
static void close_after(goru_waitgroup *open, longs *out)
{
	if (goru_waitgroup_wait(open) == 0)
		longs_close(out);
}

static void started(int err)
{
	if (err != 0) {
		fprintf(stderr, "cannot start a goroutine: error %d\n", -err);
		exit(EXIT_FAILURE);
	}
}

int main(void)
{
	longs *numbers = longs_make(16), *squares[SQUARERS], *merged = longs_make(0);
	goru_waitgroup open = GORU_WAITGROUP_INIT;
	long n, got = 0, sum = 0;

	started(go(count, numbers));
	goru_waitgroup_add(&open, SQUARERS);
	for (int i = 0; i < SQUARERS; i++) {
		squares[i] = longs_make(0);
		started(go(square, numbers, squares[i]));
		started(go(forward, squares[i], merged, &open));
	}
	started(go(close_after, &open, merged));

	while (longs_recv(merged, &n) > 0) {
		got++;
		sum += n;
	}
	printf("%ld squares, their sum is %ld\n", got, sum);

	for (int i = 0; i < SQUARERS; i++)
		longs_unref(squares[i]);
	longs_unref(numbers);
	longs_unref(merged);
	return 0;
}

/* Output:
 * 1000 squares, their sum is 333833500
 */
