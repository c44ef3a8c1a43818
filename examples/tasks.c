/* tasks.c - tasks: work in parallel whose results are waited for, each with a limit of its own or none. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <goru.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARTS = 8, LAST = 200000 };

struct part {
	unsigned from, to;
	unsigned long primes;
};

static bool is_prime(unsigned n)
{
	for (unsigned d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n >= 2;
}

/* What a task returns may point to what it was given: the joiner sees all that the task wrote there. */
static void *count_primes(void *arg)
{
	struct part *p = arg;

	for (unsigned n = p->from; n < p->to; n++)
		p->primes += is_prime(n);
	return p;
}

/* One that nobody wants to wait for so long. */
static void *ponder(void *arg)
{
	goru_sleep(200 * GORU_MSEC);
	return arg;
}

static goru_task *start(void *(*fn)(void *), void *arg)
{
	goru_task *t;
	int err = goru_task_start(&t, fn, arg);

	if (err != 0) {
		fprintf(stderr, "cannot start a task: error %d\n", -err);
		exit(EXIT_FAILURE);
	}
	return t;
}

int main(void)
{
	char answer[] = "42";
	struct part parts[PARTS];
	goru_task *tasks[PARTS], *slow;
	unsigned long primes = 0;
	void *result;

	for (unsigned i = 0; i < PARTS; i++) {
		parts[i] = (struct part){ i * (LAST / PARTS), (i + 1) * (LAST / PARTS), 0 };
		tasks[i] = start(count_primes, &parts[i]);
	}
	for (unsigned i = 0; i < PARTS; i++)
		if (goru_task_join(tasks[i], &result) == 0)
			primes += ((struct part *)result)->primes;
	printf("%lu primes below %d\n", primes, LAST);

	slow = start(ponder, answer);
	if (goru_task_join_until(slow, &result, goru_in(GORU_MSEC)) == -ETIMEDOUT)
		printf("no answer yet\n");
	/* it is as joinable as before */
	if (goru_task_join(slow, &result) == 0)
		printf("the answer is %s\n", (const char *)result);

	/* or let go: it ends by itself */
	goru_task_detach(start(ponder, NULL));
	return 0;
}

/* Output:
 * 17984 primes below 200000
 * no answer yet
 * the answer is 42
 */
