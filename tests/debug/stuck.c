/* stuck.c - a program for gdb: goroutines that wait, and one that runs. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdlib.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static volatile int sink, go_on, computing;
static goru_chan *c;

static NOINLINE void inner(int depth)
{
	volatile int local = depth + 40;

	goru_chan_recv(c, NULL);
	sink += local;
}

static NOINLINE void outer(int depth)
{
	inner(depth);
	sink++;
}

static void worker(void *arg)
{
	if (arg && goru_lock_thread() < 0)
		abort();
	outer(arg ? 2 : 1);
	sink++;
}

static NOINLINE void computes(void)
{
	while (!go_on)
		computing = 1;
}

static void runs(void *arg)
{
	(void)arg;
	computes();
	sink++;
}

NOINLINE void stop_here(void);
NOINLINE void stop_here(void)
{
	sink++;
}

/* With an argument it ends in a core file. */
int main(int argc, char **argv)
{
	goru_attr a = { .name = "stuck" };
	goru_stats st = { 0 };

	c = goru_chan_make(0, 0);
	goru_go_attr(&a, worker, NULL);
	goru_go_attr(NULL, worker, c);
	goru_go_attr(NULL, runs, NULL);
	while (!computing || st.parks != 2 || st.waiting != 2 || st.running != 1) {
		usleep(1000);
		goru_stats_get(&st);
	}
	usleep(1000);
	stop_here();
	if (argc > 1 && *argv)
		abort();
	_exit(0);
}
