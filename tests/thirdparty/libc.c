/* libc.c - the C library's big calls in goroutines on stacks of the default size: printf, regex, names, time, sort. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,16 not=thread */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <float.h>
#include <netdb.h>
#include <regex.h>
#include <sys/socket.h>
#include <time.h>
#include <wchar.h>

#include "test.h"

enum { GOROUTINES = 50 };

static goru_waitgroup wg;
static int local_rc; /* what a plain thread is told of localhost */

static void all(void (*fn)(int))
{
	goru_waitgroup_add(&wg, GOROUTINES);
	for (int n = 0; n < GOROUTINES; n++)
		CHECK_EQ(go(fn, n), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* The largest takes thousands of digits, and the way there long arithmetic on the stack. */
static void formats(int n)
{
	char text[12000], again[12000];
	long double big = LDBL_MAX / (n + 1), back, tiny = LDBL_MIN * (n + 1);
	int len = snprintf(text, sizeof(text), "%.3Lf", big);

	CHECK(len > (LDBL_MAX_10_EXP > 1000 ? 4900 : 300));
	goru_yield();
	back = strtold(text, NULL);
	CHECK(back == big);
	snprintf(again, sizeof(again), "%.3Lf", back);
	CHECK(!strcmp(text, again));
	snprintf(text, sizeof(text), "%.40Le %La %'d %ls", tiny, tiny, n, L"wide");
	CHECK(strtold(text, NULL) == tiny);
	CHECK(strstr(text, "wide") != NULL);
	goru_waitgroup_done(&wg);
}

static void matches(int n)
{
	regex_t re;
	regmatch_t m[3];
	char text[100];

	CHECK_EQ(regcomp(&re, "^([a-z]+)-((0|[1-9][0-9]*)(\\.[0-9]+)?)$", REG_EXTENDED), 0);
	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof(text), "name-%d.%d", n * 10, i);
		CHECK_EQ(regexec(&re, text, 3, m, 0), 0);
		CHECK_EQ(atoi(text + m[2].rm_so), n * 10);
		goru_yield();
		CHECK_EQ(regexec(&re, "Name-1", 3, m, 0), REG_NOMATCH);
	}
	regfree(&re);
	goru_waitgroup_done(&wg);
}

static int numeric(const char *name, int family)
{
	struct addrinfo hints = { .ai_family = family,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *a = NULL;
	char text[INET6_ADDRSTRLEN];
	int rc = getaddrinfo(name, "80", &hints, &a);

	if (rc)
		return rc;
	goru_yield();
	CHECK_EQ(getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
			     NI_NUMERICHOST),
		 0);
	CHECK(!strcmp(text, name));
	freeaddrinfo(a);
	return 0;
}

static int localhost(void)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *a = NULL;
	int rc = getaddrinfo("localhost", NULL, &hints, &a);

	if (!rc) {
		CHECK_EQ(ntohl(((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr.s_addr) >> 24,
			 127);
		freeaddrinfo(a);
	}
	return rc;
}

static void resolves(int n)
{
	CHECK_EQ(numeric("127.0.0.1", AF_INET), 0);
	CHECK_EQ(numeric("2001:db8::1", AF_INET6), 0);
	CHECK_EQ(numeric("not a number", AF_INET), EAI_NONAME);
	/* between brackets and without */
	CHECK_EQ(n % 2 ? localhost() : goru_blocking(localhost()), local_rc);
	goru_waitgroup_done(&wg);
}

static int ascends(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static void sorts(int n)
{
	unsigned v[2000]; /* the copy that qsort makes is on the heap or on the stack */
	struct tm tm;
	time_t t = 86400 * 365 * (time_t)(n + 1);
	char text[100];

	for (unsigned i = 0; i < 2000; i++)
		v[i] = i * 2654435761u + (unsigned)n;
	qsort(v, 2000, sizeof(v[0]), ascends);
	goru_yield();
	for (unsigned i = 1; i < 2000; i++)
		CHECK(v[i - 1] <= v[i]);
	CHECK(gmtime_r(&t, &tm) != NULL);
	CHECK(strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) > 0);
	CHECK_EQ(timegm(&tm), t);
	goru_waitgroup_done(&wg);
}

static void long_doubles(void)
{
	all(formats);
}

static void regular_expressions(void)
{
	all(matches);
}

static void names(void)
{
	all(resolves);
}

static void sorting_and_time(void)
{
	all(sorts);
}

static void asks_first(void)
{
	local_rc = localhost();
}

TEST_MAIN(TEST(asks_first), TEST_BOTH(long_doubles), TEST_BOTH(regular_expressions),
	  TEST_BOTH(names), TEST_BOTH(sorting_and_time))
