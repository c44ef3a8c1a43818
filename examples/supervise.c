/* supervise.c - workers that are started again when they fail, each with its helpers, until they have failed too often. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <goru.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 3, RESTARTS = 3 };

static _Atomic int helpers_ended;

/* Helps until its worker is no more. */
static void help(void)
{
	goru_sleep(GORU_FOREVER);
	atomic_fetch_add(&helpers_ended, 1);
}

/* Worker n fails n times before it does what it has to. */
static int work(int n, int attempt)
{
	int rc = goru_sleep(GORU_USEC);

	return rc == 0 && attempt < n ? -EAGAIN : rc;
}

/* One attempt, in a scope of its own: when it is over, so are its helpers. */
static int attempt_once(int n, int attempt)
{
	goru_scope own = GORU_SCOPE_INIT;
	int rc = goru_scope_open(&own, GORU_FOREVER);

	if (rc < 0)
		return rc;
	rc = goru_scope_go(&own, help);
	if (rc == 0)
		rc = work(n, attempt);
	goru_scope_cancel(&own);
	goru_scope_close(&own);
	return rc;
}

static void supervise(goru_scope *all, int n)
{
	int rc = -EAGAIN, attempt = 0;

	for (; rc == -EAGAIN && attempt <= RESTARTS; attempt++)
		rc = attempt_once(n, attempt);
	if (rc < 0 && goru_scope_error() == 0)
		goru_scope_fail(all, rc); /* who cannot be helped ends them all */
}

static void run_workers(int from)
{
	goru_scope all = GORU_SCOPE_INIT;
	int rc;

	if (goru_scope_open(&all, GORU_FOREVER) < 0)
		exit(EXIT_FAILURE);
	for (int i = from; i < from + WORKERS; i++)
		if (goru_scope_go(&all, supervise, &all, i) < 0)
			exit(EXIT_FAILURE);
	rc = goru_scope_close(&all);
	printf("workers %d to %d: %s\n", from, from + WORKERS - 1,
	       rc == 0 ? "done" : "one has failed too often");
}

static void run(void *arg)
{
	(void)arg;
	run_workers(0);
	printf("%d helpers have ended with their workers\n", atomic_load(&helpers_ended));
	run_workers(2);
}

int main(void)
{
	return goru_run(run, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Output:
 * workers 0 to 2: done
 * 6 helpers have ended with their workers
 * workers 2 to 4: one has failed too often
 */
