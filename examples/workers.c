/* workers.c - a pool of goroutines that takes jobs from one channel and puts results in another. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

struct result {
	unsigned start;
	int steps;
};

GORU_CHAN_OF(jobs, unsigned);
GORU_CHAN_OF(results, struct result);

enum { WORKERS = 8, JOBS = 10000 };

/* How many steps n takes to 1: half of it when it is even, else three times and one more. */
static int collatz(uint64_t n)
{
	int steps = 0;

	for (; n != 1; steps++)
		n = n % 2 == 0 ? n / 2 : 3 * n + 1;
	return steps;
}

static void work(jobs *in, results *out, goru_waitgroup *working)
{
	unsigned start;

	while (jobs_recv(in, &start) > 0) {
		struct result r = { start, collatz(start) };

		results_send(out, r);
	}
	goru_waitgroup_done(working);
}

/* Hands the jobs out, then ends the results when the last worker has put in its last. */
static void manage(jobs *in, results *out, goru_waitgroup *working)
{
	for (unsigned n = 1; n <= JOBS; n++)
		jobs_send(in, n);
	jobs_close(in);
	if (goru_waitgroup_wait(working) == 0)
		results_close(out);
}

int main(void)
{
	jobs *in = jobs_make(WORKERS);
	results *out = results_make(WORKERS);
	goru_waitgroup working = GORU_WAITGROUP_INIT;
	struct result r, longest = { 0, -1 };

	for (int i = 0; i < WORKERS; i++) {
		goru_waitgroup_add(&working, 1);
		if (go(work, in, out, &working) != 0)
			exit(EXIT_FAILURE);
	}
	if (go(manage, in, out, &working) != 0)
		exit(EXIT_FAILURE);

	/* Results come in the order they are ready. */
	while (results_recv(out, &r) > 0)
		if (r.steps > longest.steps)
			longest = r;
	printf("up to %d, %u takes the most steps: %d\n", JOBS, longest.start, longest.steps);
	jobs_unref(in);
	results_unref(out);
	return 0;
}

/* Output:
 * up to 10000, 6171 takes the most steps: 261
 */
