/* crawler.c - crawl a (made-up) web in parallel; one goroutine alone knows what has been seen. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
	const char *url, *title, *links[4]; /* title: NULL where there is no such page */
};

struct fetched {
	const struct page *page;
	int depth; /* how many more links may be followed from here */
};

GORU_CHAN_OF(results, struct fetched);

/* clang-format off */
static const struct page web[] = {
	{ "https://goru.test/", "Evenly", { "https://goru.test/chan", "https://goru.test/go" } },
	{ "https://goru.test/chan", "Channels", { "https://goru.test/", "https://goru.test/select",
						   "https://goru.test/lock" } },
	{ "https://goru.test/go", "Goroutines", { "https://goru.test/", "https://goru.test/chan" } },
	{ "https://goru.test/lock", NULL, { NULL } },
	{ "https://goru.test/select", "Select", { "https://goru.test/chan", "https://goru.test/deep" } },
	{ "https://goru.test/deep", "Too many links away", { NULL } },
};
/* clang-format on */

enum { PAGES = sizeof(web) / sizeof(web[0]) };

static const struct page *lookup(const char *url)
{
	for (int i = 0; i < PAGES; i++)
		if (strcmp(web[i].url, url) == 0)
			return &web[i];
	abort();
}

/* A real one would connect and read here; sleeping, too, holds up nobody but itself. */
static void fetch(const char *url, int depth, results *out)
{
	struct fetched f = { lookup(url), depth };

	if (goru_sleep(5 * GORU_MSEC) != 0)
		abort();
	results_send(out, f);
}

/* Starts to fetch a page, unless that has been done before. Returns how many were started. */
static int visit(const char *url, int depth, bool seen[], results *out)
{
	bool *before = &seen[lookup(url) - web];

	if (*before)
		return 0;
	*before = true;
	if (go(fetch, url, depth, out) != 0)
		exit(EXIT_FAILURE);
	return 1;
}

int main(void)
{
	bool seen[PAGES] = { false };
	results *out = results_make(0);
	int pending = visit(web[0].url, 2, seen, out);
	struct fetched f;

	for (; pending > 0 && results_recv(out, &f) > 0; pending--) {
		if (!f.page->title) {
			printf("not found: %s\n", f.page->url);
			continue;
		}
		printf("found: %s \"%s\"\n", f.page->url, f.page->title);
		for (int i = 0; f.depth > 0 && i < 4 && f.page->links[i]; i++)
			pending += visit(f.page->links[i], f.depth - 1, seen, out);
	}
	results_unref(out);
	return 0;
}

/* Output (any order):
 * found: https://goru.test/ "Evenly"
 * found: https://goru.test/chan "Channels"
 * found: https://goru.test/go "Goroutines"
 * found: https://goru.test/select "Select"
 * not found: https://goru.test/lock
 */
