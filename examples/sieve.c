/* sieve.c - the prime sieve: a chain of goroutines that grows, each with a reference of its own. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

GORU_CHAN_OF(ints, int);

enum { PRIMES = 25 };

static void count(ints *out, goru_waitgroup *chain)
{
	for (int n = 2; ints_send(out, n) == 0; n++)
		;
	ints_unref(out);
	goru_waitgroup_done(chain);
}

/* Lets through what the prime does not divide; ends, and ends what is before it, when closed. */
static void sift(int prime, ints *in, ints *out, goru_waitgroup *chain)
{
	int n;

	while (ints_recv(in, &n) > 0)
		if (n % prime != 0 && ints_send(out, n) != 0)
			break;
	ints_close(in);
	ints_unref(in);
	ints_unref(out);
	goru_waitgroup_done(chain);
}

int main(void)
{
	goru_waitgroup chain = GORU_WAITGROUP_INIT;
	ints *last = ints_make(0);
	int prime;

	goru_waitgroup_add(&chain, 1);
	if (go(count, ints_ref(last), &chain) != 0)
		exit(EXIT_FAILURE);

	/* What comes out at the end of the chain is prime, and becomes a link of it. */
	for (int i = 0; i < PRIMES && ints_recv(last, &prime) > 0; i++) {
		ints *next = ints_make(0);

		printf("%d%c", prime, i < PRIMES - 1 ? ' ' : '\n');
		goru_waitgroup_add(&chain, 1);
		if (go(sift, prime, last, ints_ref(next), &chain) != 0)
			exit(EXIT_FAILURE);
		last = next;
	}
	ints_close(last);
	ints_unref(last);
	if (goru_waitgroup_wait(&chain) != 0)
		exit(EXIT_FAILURE);
	return 0;
}

/* Output:
 * 2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59 61 67 71 73 79 83 89 97
 */
