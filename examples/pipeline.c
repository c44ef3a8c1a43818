/* pipeline.c - stages joined by channels, and how closing the last one ends them all. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

GORU_CHAN_OF(ints, int);

/* The first stage has no end of its own: it goes on until its send answers -EPIPE. */
static void count(ints *out, goru_waitgroup *stages)
{
	for (int n = 1; ints_send(out, n) == 0; n++)
		;
	goru_waitgroup_done(stages);
}

/*
 * A stage that ends closes both its channels: the stage after it has then had everything, the one
 * before it learns that nobody wants more. A second close only answers -EPIPE.
 */
static void square(ints *in, ints *out, goru_waitgroup *stages)
{
	int n;

	while (ints_recv(in, &n) > 0 && ints_send(out, n * n) == 0)
		;
	ints_close(in);
	ints_close(out);
	goru_waitgroup_done(stages);
}

static void keep_odd(ints *in, ints *out, goru_waitgroup *stages)
{
	int n;

	while (ints_recv(in, &n) > 0)
		if (n % 2 != 0 && ints_send(out, n) != 0)
			break;
	ints_close(in);
	ints_close(out);
	goru_waitgroup_done(stages);
}

int main(void)
{
	ints *numbers = ints_make(0), *squares = ints_make(8), *odd = ints_make(0);
	goru_waitgroup stages = GORU_WAITGROUP_INIT;
	int n;

	goru_waitgroup_add(&stages, 3);
	if (go(count, numbers, &stages) != 0 || go(square, numbers, squares, &stages) != 0 ||
	    go(keep_odd, squares, odd, &stages) != 0)
		exit(EXIT_FAILURE);

	for (int i = 0; i < 5 && ints_recv(odd, &n) > 0; i++)
		printf("%d\n", n);

	ints_close(odd);
	if (goru_waitgroup_wait(&stages) != 0)
		exit(EXIT_FAILURE);
	printf("all stages have ended\n");
	ints_unref(numbers);
	ints_unref(squares);
	ints_unref(odd);
	return 0;
}

/* Output:
 * 1
 * 9
 * 25
 * 49
 * 81
 * all stages have ended
 */
