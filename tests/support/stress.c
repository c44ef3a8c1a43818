/* stress.c - what the stress tests share: seed, time, progress, checks that work anywhere, threads. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "stress.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "handoff.h"

enum { FAULTS = 5 };
static const int faults[FAULTS] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS };

static struct {
	const char *name;
	uint64_t seed;
	int64_t share, end; /* ns */
	double seconds;
	double stuck;
	_Atomic uint64_t progress;
	struct sigaction before[FAULTS];
} T;

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t stress_seed(void)
{
	return T.seed;
}

uint64_t stress_rand(uint64_t salt)
{
	uint64_t r = T.seed ^ (salt * UINT64_C(0xd1342543de82ef95));

	return grt_rand64(&r);
}

void stress_progress(void)
{
	atomic_fetch_add_explicit(&T.progress, 1, memory_order_relaxed);
}

bool stress_more(void)
{
	stress_progress();
	return now() < T.end;
}

void stress_again(void)
{
	T.end = now() + T.share;
}

bool stress_long(void)
{
	return T.seconds >= 3;
}

int stress_many(int n)
{
	if (GRT_TSAN_ON)
		return n > 2000 ? 2000 : n;
	return GRT_ASAN_ON && n > 4000 ? n / 4 : n;
}

unsigned stress_procs(void)
{
	const char *v = getenv("GORU_PROCS");
	int n = v ? atoi(v) : 0;

	return n > 0 ? (unsigned)n : goru_procs();
}

void stress_nap(void)
{
	struct timespec ts = { 0, 200000 };

	nanosleep(&ts, NULL);
}

void stress_pause(uint64_t *rand, unsigned us)
{
	uint32_t dice = grt_rand_below(rand, 64);

	if (dice == 0) {
		struct timespec ts = { 0, 1000 * (1 + grt_rand_below(rand, us)) };

		nanosleep(&ts, NULL);
	} else if (dice < 4) {
		sched_yield();
	}
}

void stress_spin(int64_t ns)
{
	for (int64_t end = now() + ns; now() < end;)
		grt_relax();
}

void stress_thread(pthread_t *t, void *(*fn)(void *), void *arg)
{
	CHECK_EQ(pthread_create(t, NULL, fn, arg), 0);
}

void stress_join(pthread_t t)
{
	CHECK_EQ(pthread_join(t, NULL), 0);
	stress_progress();
}

long stress_status(const char *line)
{
	FILE *f = fopen("/proc/self/status", "r");
	char buf[256];
	long kb = -1;

	while (f && fgets(buf, sizeof(buf), f))
		if (!strncmp(buf, line, strlen(line)))
			kb = atol(buf + strlen(line));
	if (f)
		fclose(f);
	return kb;
}

bool stress_emulated(void)
{
#ifdef __aarch64__
	FILE *f = fopen("/proc/cpuinfo", "r");
	char buf[256];
	bool x86 = false;

	while (f && fgets(buf, sizeof(buf), f))
		x86 |= !strncmp(buf, "vendor_id", 9); /* the host's */
	if (f)
		fclose(f);
	return x86;
#else
	return false;
#endif
}

static double number(const char *name, double def)
{
	const char *v = getenv(name);

	return v && *v ? atof(v) : def;
}

/* A hang that is only looked at from outside: goru's own hang watch would keep the monitor ticking, which hides every
 * wake-up that is lost while all is idle. */
static void *watchdog(void *arg)
{
	uint64_t seen = 0;
	int64_t at = now();

	(void)arg;
	for (;;) {
		struct timespec ts = { 0, 100000000 };
		uint64_t p;

		nanosleep(&ts, NULL);
		p = atomic_load_explicit(&T.progress, memory_order_relaxed);
		if (p != seen) {
			seen = p;
			at = now();
		} else if ((double)(now() - at) > T.stuck * 1e9) {
			grt_fatal("%s makes no progress (GORU_TEST_SEED=%llu)", T.name,
				  (unsigned long long)T.seed);
		}
	}
	return NULL;
}

static void drop_hang_watch(void)
{
	const char *v = getenv("GORU_DEBUG");
	char out[256] = "", copy[256], *save = NULL;

	if (!v || strlen(v) >= sizeof(copy))
		return;
	strcpy(copy, v);
	for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		if (!strncmp(w, "hang=", 5))
			continue;
		if (*out)
			strcat(out, ",");
		strcat(out, w);
	}
	setenv("GORU_DEBUG", out, 1);
}

/* CMocka catches faults and leaves by longjmp, from whatever stack: who had them before gets them back. */
static int before_test(void **state)
{
	(void)state;
	for (int i = 0; i < FAULTS; i++)
		sigaction(faults[i], &T.before[i], NULL);
	T.end = now() + T.share;
	stress_progress();
	return 0;
}

void stress_handoff(bool on)
{
	CHECK_EQ(goru_shutdown(), 0);
	handoff_next(on);
}

int stress_main(const char *name, const struct CMUnitTest *tests, size_t n)
{
	struct CMUnitTest *mine = calloc(n, sizeof(*mine));
	const char *only = getenv("GORU_TEST_ONLY");
	pthread_t t;
	int rc;

	if (!mine)
		return 1;
	T.name = name;
	T.seed = (uint64_t)now() ^ (uint64_t)getpid() << 40;
	if (getenv("GORU_TEST_SEED"))
		T.seed = strtoull(getenv("GORU_TEST_SEED"), NULL, 0);
	T.stuck = number("GORU_TEST_STUCK", 30);
	for (int i = 0; i < FAULTS; i++)
		sigaction(faults[i], NULL, &T.before[i]);
	drop_hang_watch();
	memcpy(mine, tests, n * sizeof(*mine));
	for (size_t i = 0; i < n; i++)
		mine[i].setup_func = before_test;
	if (only)
		cmocka_set_test_filter(only);
	T.seconds = number("GORU_TEST_SECONDS", 0.8);
	T.share = (int64_t)(T.seconds * 1e9 / (only ? 1 : (double)n));
	printf("%s: GORU_TEST_SEED=%llu\n", name, (unsigned long long)T.seed);
	fflush(stdout);
	stress_thread(&t, watchdog, NULL);
	pthread_detach(t);
	rc = _cmocka_run_group_tests(name, mine, n, NULL, NULL);
	stress_progress();
	CHECK_EQ(goru_shutdown(), 0);
	free(mine);
	return rc;
}
