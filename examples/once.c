/* once.c - something that many need is made by the first who comes, while the others wait for it. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

enum { USERS = 100, LIMIT = 10000 };

static goru_once made = GORU_ONCE_INIT;
static char composite[LIMIT];

/* Runs once, whoever is first; the others see all that it did. */
static void make_table(void *arg)
{
	printf("making the table\n");
	for (int n = 2; n * n < LIMIT; n++) {
		goru_yield();
		for (int k = n * n; k < LIMIT; k += n)
			composite[k] = 1;
	}
	(void)arg;
}

static int is_prime(int n)
{
	goru_once_do(&made, make_table, NULL);
	return n > 1 && !composite[n];
}

static void count(int i, int *found, goru_waitgroup *counting)
{
	for (int n = i; n < LIMIT; n += USERS)
		found[i] += is_prime(n);
	goru_waitgroup_done(counting);
}

int main(void)
{
	static int found[USERS];
	goru_waitgroup counting = GORU_WAITGROUP_INIT;
	int sum = 0;

	for (int i = 0; i < USERS; i++) {
		goru_waitgroup_add(&counting, 1);
		if (go(count, i, found, &counting) != 0)
			exit(EXIT_FAILURE);
	}
	if (goru_waitgroup_wait(&counting) != 0)
		exit(EXIT_FAILURE);
	for (int i = 0; i < USERS; i++)
		sum += found[i];
	printf("%d primes below %d\n", sum, LIMIT);
	return 0;
}

/* Output:
 * making the table
 * 1229 primes below 10000
 */
