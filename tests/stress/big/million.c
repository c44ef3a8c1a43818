/* million.c - a million parked goroutines: what they cost, how long it takes, and that the memory comes back. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* million [N]; 1,000,000 by itself. Not under sanitizers. */
static goru_waitgroup parked, ended;

static void one(goru_chan *c)
{
	goru_waitgroup_done(&parked);
	CHECK_EQ(goru_chan_recv(c, NULL), 0);
	goru_waitgroup_done(&ended);
}

static long mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	long n = 0;

	for (int ch; f && (ch = fgetc(f)) != EOF;)
		n += ch == '\n';
	if (f)
		fclose(f);
	return n;
}

static long max_mappings(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
	long n = 0;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

static double since(int64_t *at)
{
	int64_t was = *at;

	*at = goru_now();
	return (double)(*at - was) / 1e9;
}

static int n = 1000000;

static void spawner(void *arg)
{
	for (int i = 0; i < n; i++)
		GO(one, (goru_chan *)arg);
	CHECK_EQ(goru_waitgroup_wait(&parked), 0);
}

static void test_million(void **state)
{
	goru_chan *c = goru_chan_make(0, 0);
	long rss0 = stress_status("VmRSS:"), pte0 = stress_status("VmPTE:"), rss, pte, vmas,
	     now = 0;
	int64_t at = goru_now();
	double t_make, t_end, bytes;
	int tenths;

	(void)state;
	goru_waitgroup_add(&parked, n);
	goru_waitgroup_add(&ended, n);
	CHECK_EQ(goru_run(spawner, c), 0);
	t_make = since(&at);
	stress_nap();
	rss = stress_status("VmRSS:");
	pte = stress_status("VmPTE:");
	vmas = mappings();
	stress_progress();

	since(&at);
	CHECK_EQ(goru_chan_close(c), 0);
	CHECK_EQ(goru_waitgroup_wait(&ended), 0);
	t_end = since(&at);
	goru_chan_unref(c);
	for (tenths = 0; tenths < 300; tenths++) {
		now = stress_status("VmRSS:");
		if (now < rss0 + (rss - rss0) / 100)
			break;
		usleep(100000);
		stress_progress();
	}

	bytes = 1024.0 * (double)(rss - rss0) / n;
	printf("%d parked goroutines\n", n);
	printf("  bytes each: %.0f resident (VmRSS), %.1f page tables (VmPTE)\n", bytes,
	       1024.0 * (double)(pte - pte0) / n);
	printf("  mappings: %ld of %ld\n", vmas, max_mappings());
	printf("  made and parked in %.2f s, woken and ended in %.2f s\n", t_make, t_end);
	printf("  RSS: %ld kB before, %ld kB with them, %ld kB %.1f s after their end\n", rss0, rss,
	       now, (double)tenths / 10);
	CHECK(bytes <= 4200);
	CHECK(vmas < max_mappings() / 2);
	CHECK(now < rss0 + (rss - rss0) / 100);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_million) };

	if (argc > 1)
		n = atoi(argv[1]);
	return stress_main("stress/big/million", tests, 1);
}
