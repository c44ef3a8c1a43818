/* deadlock.c - find a deadlock: two goroutines wait for each other, and the report says who, for what and where. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

GORU_CHAN_OF(ints, int);

/* Sends its own number before it looks at the other's. Both do so, and unbuffered sends wait for a receiver. */
static void trade(ints *mine, ints *others)
{
	int got;

	ints_send(mine, 1);
	ints_recv(others, &got);
}

struct trader {
	ints *mine, *others;
	goru_waitgroup *wg;
};

static void trader(void *arg)
{
	struct trader *t = arg;

	trade(t->mine, t->others);
	goru_waitgroup_done(t->wg);
	free(t);
}

static void start(const char *name, ints *mine, ints *others, goru_waitgroup *wg)
{
	goru_attr attr = { .name = name };
	struct trader *t = malloc(sizeof(*t));

	if (!t)
		exit(EXIT_FAILURE);
	*t = (struct trader){ mine, others, wg };
	goru_waitgroup_add(wg, 1);
	if (goru_go_attr(&attr, trader, t) != 0)
		exit(EXIT_FAILURE);
}

static void market(void *arg)
{
	static goru_waitgroup wg;
	ints *a = ints_make(0), *b = ints_make(0);

	(void)arg;
	start("alice", a, b, &wg);
	start("bob", b, a, &wg);
	if (goru_waitgroup_wait(&wg) == 0)
		printf("the deal is done\n");
}

/* Without this the process would print the list and end with status 2. */
static void on_deadlock(void *arg)
{
	printf("%s\n", (const char *)arg);
	/*
	 * On standard error, one entry for each kind:
	 *	goroutine 1 [waiting: wait group]
	 *	    wait_park+0x22b (deadlock+0x67eb)
	 *	    market+0x8e (deadlock+0x25ae)
	 *	    started by main+0x5d (deadlock+0x241d)
	 *	goroutine 2 (alice) [waiting: chan send]
	 *	    long_wait+0x26b (deadlock+0x3f5b)
	 *	    trader+0x1c (deadlock+0x26dc)
	 *	    started by start+0x7a (deadlock+0x265a)
	 */
	goru_dump(2);
}

int main(void)
{
	goru_config config = GORU_CONFIG_INIT;

	config.on_deadlock = on_deadlock;
	config.on_deadlock_arg = (void *)"nobody can go on:";
	if (goru_init(&config) != 0)
		return EXIT_FAILURE;
	if (goru_run(market, NULL) == -EDEADLK)
		printf("goru_run came back all the same\n");
	return 0;
}

/* Output:
 * nobody can go on:
 * goru_run came back all the same
 */
