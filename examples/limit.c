/* limit.c - a thousand goroutines, but never more than so many at the same work: a semaphore. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <goru.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { JOBS = 1000, AT_ONCE = 10 };

static goru_sem places = GORU_SEM_INIT(AT_ONCE);
static atomic_int working, most, done;

static void job(goru_waitgroup *open)
{
	int n;

	if (goru_sem_wait(&places) != 0)
		exit(EXIT_FAILURE);

	n = atomic_fetch_add(&working, 1) + 1;
	for (int seen = most; n > seen && !atomic_compare_exchange_weak(&most, &seen, n);)
		;
	goru_sleep(50 * GORU_USEC); /* the work */
	atomic_fetch_sub(&working, 1);
	atomic_fetch_add(&done, 1);

	goru_sem_post(&places, 1);
	goru_waitgroup_done(open);
}

int main(void)
{
	goru_waitgroup open = GORU_WAITGROUP_INIT;

	for (int i = 0; i < JOBS; i++) {
		goru_waitgroup_add(&open, 1);
		if (go(job, &open) != 0)
			exit(EXIT_FAILURE);
	}
	if (goru_waitgroup_wait(&open) != 0)
		exit(EXIT_FAILURE);
	printf("%d jobs done, never more than %d at once: %s\n", done, AT_ONCE,
	       most <= AT_ONCE ? "yes" : "no");

	/* A job that rather does without than waits for long. */
	for (int i = 0; i < AT_ONCE; i++)
		if (goru_sem_try_wait(&places) != 0)
			exit(EXIT_FAILURE);
	if (goru_sem_wait_until(&places, goru_in(5 * GORU_MSEC)) == -ETIMEDOUT)
		printf("no place became free in time\n");
	goru_sem_post(&places, AT_ONCE);
	return 0;
}

/* Output:
 * 1000 jobs done, never more than 10 at once: yes
 * no place became free in time
 */
