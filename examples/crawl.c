/* crawl.c - a tree of pages is fetched by a goroutine each, until a deadline; some servers never answer. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <goru.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINKS = 4, DEPTH = 4 };

static _Atomic int fetched, given_up;

/* Page n: every hundredth server is silent. What waits is ended by the scope, wherever it waits. */
static int fetch(int n)
{
	return goru_sleep(n % 100 == 7 ? GORU_FOREVER : GORU_USEC);
}

/* A page, and a child of the same scope for each link on it. */
static void crawl(goru_scope *s, int page, int depth)
{
	if (fetch(page) < 0) {
		atomic_fetch_add(&given_up, 1);
		return;
	}
	atomic_fetch_add(&fetched, 1);
	for (int i = 1; depth > 0 && i <= LINKS; i++)
		if (goru_scope_go(s, crawl, s, page * LINKS + i, depth - 1) < 0)
			goru_scope_fail(s, -ENOMEM);
}

static void crawl_all(void *arg)
{
	goru_scope s = GORU_SCOPE_INIT;
	int rc;

	(void)arg;
	if (goru_scope_open(&s, goru_in(2 * GORU_SEC)) < 0)
		exit(EXIT_FAILURE);
	crawl(&s, 0, DEPTH);
	rc = goru_scope_close(&s); /* when the last of them has ended */
	printf("%d pages, %d given up%s\n", atomic_load(&fetched), atomic_load(&given_up),
	       rc == -ETIMEDOUT ? " at the deadline" : "");
}

int main(void)
{
	return goru_run(crawl_all, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Output:
 * 317 pages, 4 given up at the deadline
 */
