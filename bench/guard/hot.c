/* hot.c - one hot path at a time, for an instruction counter: hot PATH N. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

GORU_CHAN_OF(longs, long);

static long n;

static void wait_for(goru_waitgroup *wg)
{
	if (goru_waitgroup_wait(wg) < 0)
		abort();
}

/* What guard.py --selftest wants to see caught. */
static void plant(void)
{
#ifdef PLANT
	static long planted;

	if (PLANT == 1)
		__atomic_fetch_add(&planted, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; PLANT == 2 && i < 4; i++)
		__atomic_store_n(&planted, __atomic_load_n(&planted, __ATOMIC_RELAXED) + 1,
				 __ATOMIC_RELAXED);
#endif
}

static void yielder(void *arg)
{
	for (long i = 0; i < n / 2; i++) {
		goru_yield();
		plant();
	}
	goru_waitgroup_done(arg);
}

/* Two goroutines yield to one another. */
static void yield(void)
{
	goru_waitgroup wg = { { 0 } };

	goru_waitgroup_add(&wg, 2);
	go(yielder, &wg);
	go(yielder, &wg);
	wait_for(&wg);
}

static void done(void *arg)
{
	goru_waitgroup_done(arg);
}

/* A goroutine of its own for each, waited for. */
static void spawn(void)
{
	goru_waitgroup wg = { { 0 } };

	for (long i = 0; i < n; i++) {
		goru_waitgroup_add(&wg, 1);
		go(done, &wg);
		wait_for(&wg);
	}
}

enum { BATCH = 50 };

/* Many outstanding, out of the ring and the pool of one P. */
static void spawn_many(void)
{
	goru_waitgroup wg = { { 0 } };

	for (long i = 0; i < n; i += BATCH) {
		goru_waitgroup_add(&wg, BATCH);
		for (int k = 0; k < BATCH; k++)
			go(done, &wg);
		wait_for(&wg);
	}
}

static void pong(longs *in, longs *out)
{
	long v;

	while (longs_recv(in, &v) > 0)
		longs_send(out, v);
}

/* A round trip: two sends, two receives, each finds the other waiting or parks. */
static void pingpong(void)
{
	longs *to = longs_make(0), *from = longs_make(0);
	long v;

	go(pong, to, from);
	for (long i = 0; i < n; i++) {
		longs_send(to, i);
		longs_recv(from, &v);
	}
}

/* A send and a receive that find room and a value. */
static void buffered(void)
{
	longs *c = longs_make(BATCH);
	long v;

	for (long i = 0; i < n; i += BATCH) {
		for (long k = 0; k < BATCH; k++)
			longs_send(c, k);
		for (long k = 0; k < BATCH; k++)
			longs_recv(c, &v);
	}
}

static void take(longs *c, goru_waitgroup *wg)
{
	long v;

	while (longs_recv(c, &v) > 0)
		;
	goru_waitgroup_done(wg);
}

static void feed(longs *c)
{
	for (long i = 0; i < n; i++)
		longs_send(c, i);
}

/* Waits with a deadline that is not reached: each leaves a timer behind. */
static void deadline(void)
{
	longs *c = longs_make(0);
	int64_t never = goru_now() + 3600 * GORU_SEC;
	long v;

	go(feed, c);
	for (long i = 0; i < n; i++)
		if (longs_recv_until(c, &v, never) < 0)
			abort();
}

/* One element through a channel of 128 between two goroutines, with the parks when it is full or empty. */
static void stream(void)
{
	longs *c = longs_make(128);
	goru_waitgroup wg = { { 0 } };

	goru_waitgroup_add(&wg, 1);
	go(take, c, &wg);
	for (long i = 0; i < n; i++)
		longs_send(c, i);
	longs_close(c);
	wait_for(&wg);
}

/* Four channels, each with a value. */
static void select_ready(void)
{
	long v;
	longs *c[4];

	for (int i = 0; i < 4; i++) {
		c[i] = longs_make(1);
		longs_send(c[i], i);
	}

	goru_case cases[] = {
		GORU_RECV(longs_chan(c[0]), &v),
		GORU_RECV(longs_chan(c[1]), &v),
		GORU_RECV(longs_chan(c[2]), &v),
		GORU_RECV(longs_chan(c[3]), &v),
	};

	for (long i = 0; i < n; i++) {
		int k = goru_select(cases, 4);

		if (k < 0 || longs_send(c[k], v) < 0)
			abort();
	}
}

/* Four channels, one sender, none ready at first: a select that parks, and the send that wakes it. */
static void select_wait(void)
{
	long v;
	longs *c[4];

	for (int i = 0; i < 4; i++)
		c[i] = longs_make(0);

	goru_case cases[] = {
		GORU_RECV(longs_chan(c[0]), &v),
		GORU_RECV(longs_chan(c[1]), &v),
		GORU_RECV(longs_chan(c[2]), &v),
		GORU_RECV(longs_chan(c[3]), &v),
	};

	go(feed, c[2]);
	for (long i = 0; i < n; i++)
		if (goru_select(cases, 4) != 2)
			abort();
}

/* A count up and down, nobody waits. */
static void waitgroup(void)
{
	goru_waitgroup wg = { { 0 } };

	for (long i = 0; i < n; i++) {
		goru_waitgroup_add(&wg, 1);
		goru_waitgroup_done(&wg);
		wait_for(&wg);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} paths[] = {
	{ "yield", yield },
	{ "spawn", spawn },
	{ "spawn_many", spawn_many },
	{ "pingpong", pingpong },
	{ "buffered", buffered },
	{ "stream", stream },
	{ "deadline", deadline },
	{ "select_ready", select_ready },
	{ "select_wait", select_wait },
	{ "waitgroup", waitgroup },
};

static void run(void *arg)
{
	((void (*)(void))arg)();
}

int main(int argc, char **argv)
{
	goru_config config = GORU_CONFIG_INIT;

	config.procs = 1;
	config.flags = GORU_CONFIG_SPAWN_FATAL | GORU_CONFIG_NO_SEGV;
	n = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	for (size_t i = 0; n && i < sizeof(paths) / sizeof(*paths); i++) {
		if (strcmp(argv[1], paths[i].name))
			continue;
		if (goru_init(&config) < 0 || goru_run(run, (void *)paths[i].run) < 0)
			return 1;
		_Exit(0);
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		puts(paths[i].name);
	return 2;
}
