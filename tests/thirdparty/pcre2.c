/* pcre2.c - PCRE2 in goroutines on stacks of the default size: its interpreter and its compiled code. */
/* SPDX-License-Identifier: MIT */
/* test: pkg=libpcre2-8 procs=1,2,16 not=thread */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "test.h"

enum { GOROUTINES = 50, ROUNDS = 20, LONG = 200 };

static goru_waitgroup wg;
static pcre2_code *words; /* for all */

static pcre2_code *compile(const char *pattern)
{
	size_t at;
	int err;
	pcre2_code *re =
		pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &err, &at, NULL);

	CHECK(re != NULL);
	return re;
}

/* Waits in the middle of a match. */
static int callout(pcre2_callout_block *b, void *arg)
{
	(void)b;
	(*(int *)arg)++;
	goru_yield();
	return 0;
}

static void counts_words(int n)
{
	pcre2_match_data *md = pcre2_match_data_create_from_pattern(words, NULL);
	char text[200];
	size_t at = 0;
	int found = 0;

	snprintf(text, sizeof(text), "%d: it is 2024-11-%02d, then 2025-01-%02d; and not 2025-1-1",
		 n, n % 28 + 1, n % 31 + 1);
	while (pcre2_match(words, (PCRE2_SPTR)text, strlen(text), at, 0, md, NULL) == 4) {
		size_t *o = pcre2_get_ovector_pointer(md);

		at = o[1];
		CHECK_EQ(o[1] - o[0], 10);
		CHECK_EQ(atoi(text + o[2]), found ? 2025 : 2024);
		found++;
		goru_yield();
	}
	CHECK_EQ(found, 2);
	pcre2_match_data_free(md);
}

/* Backtracks deep: on the heap, or on the stack in compiled code. */
static void backtracks(int n, bool jit)
{
	pcre2_code *re = compile("^(?:a|b|(?:ab)+)*?(?C1)(x)$");
	pcre2_match_data *md = pcre2_match_data_create_from_pattern(re, NULL);
	pcre2_match_context *mc = pcre2_match_context_create(NULL);
	char text[LONG + 2];
	int calls = 0;

	if (jit)
		(void)pcre2_jit_compile(re,
					PCRE2_JIT_COMPLETE); /* where there is none it interprets */
	pcre2_set_callout(mc, callout, &calls);
	for (int i = 0; i < LONG; i++)
		text[i] = (i + n) % 3 ? 'a' : 'b';
	text[LONG] = 'x';
	text[LONG + 1] = 0;
	CHECK_EQ(pcre2_match(re, (PCRE2_SPTR)text, LONG + 1, 0, 0, md, mc), 2);
	CHECK(calls > 0);
	pcre2_match_context_free(mc);
	pcre2_match_data_free(md);
	pcre2_code_free(re);
}

static void works(int n)
{
	for (int i = 0; i < ROUNDS; i++) {
		counts_words(n + i);
		if (i % 10 == 0)
			backtracks(n, i % 20 == 0);
	}
	goru_waitgroup_done(&wg);
}

static void many(void)
{
	words = compile("\\b(\\d{4})-(\\d\\d)-(\\d\\d)\\b");
	goru_waitgroup_add(&wg, GOROUTINES);
	for (int n = 0; n < GOROUTINES; n++)
		CHECK_EQ(go(works, n), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	pcre2_code_free(words);
}

TEST_MAIN(TEST_BOTH(many))
