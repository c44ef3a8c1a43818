/* scope.c - what scopes cost: scope CASE WORKERS; main.go does the same with Go's errgroup and context. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, CHILDREN = 100000, SCOPES = 100000, WAITING = 100000 };

static goru_chan *never;
static goru_waitgroup wg;
static _Atomic int waiting;

static void must(int rc)
{
	if (rc < 0)
		exit(EXIT_FAILURE);
}

static void returns(void) {}

static void returns_done(void)
{
	goru_waitgroup_done(&wg);
}

static void waits(void)
{
	atomic_fetch_add_explicit(&waiting, 1, memory_order_relaxed);
	goru_chan_recv(never, NULL);
}

/* Each gives how many things it did, and sets the time that counts. */

static int children(int64_t *ns)
{
	goru_scope s = GORU_SCOPE_INIT;
	int64_t t = goru_now();

	must(goru_scope_open(&s, GORU_FOREVER));
	for (int i = 0; i < CHILDREN; i++)
		must(goru_scope_go(&s, returns));
	must(goru_scope_close(&s));
	*ns = goru_now() - t;
	return CHILDREN;
}

/* The same with a wait group and without a scope. */
static int group(int64_t *ns)
{
	int64_t t = goru_now();

	for (int i = 0; i < CHILDREN; i++) {
		goru_waitgroup_add(&wg, 1);
		must(go(returns_done));
	}
	must(goru_waitgroup_wait(&wg));
	*ns = goru_now() - t;
	return CHILDREN;
}

static int pairs(int64_t *ns, int64_t deadline)
{
	int64_t t = goru_now();

	for (int i = 0; i < SCOPES; i++) {
		goru_scope s = GORU_SCOPE_INIT;

		must(goru_scope_open(&s, deadline));
		must(goru_scope_close(&s));
	}
	*ns = goru_now() - t;
	return SCOPES;
}

static int open_close(int64_t *ns)
{
	return pairs(ns, GORU_FOREVER);
}

static int open_close_deadline(int64_t *ns)
{
	return pairs(ns, goru_in(3600 * GORU_SEC));
}

/* Until the last of them has ended. */
static int cancel(int64_t *ns)
{
	goru_scope s = GORU_SCOPE_INIT;
	int64_t t;

	atomic_store(&waiting, 0);
	must(goru_scope_open(&s, GORU_FOREVER));
	for (int i = 0; i < WAITING; i++)
		must(goru_scope_go(&s, waits));
	while (atomic_load(&waiting) < WAITING)
		goru_yield();
	must(goru_sleep(10 * GORU_MSEC));
	t = goru_now();
	goru_scope_cancel(&s);
	goru_scope_close(&s);
	*ns = goru_now() - t;
	return WAITING;
}

static const struct {
	const char *name;
	int (*fn)(int64_t *ns);
} cases[] = { { "children", children },
	      { "group", group },
	      { "open", open_close },
	      { "open-deadline", open_close_deadline },
	      { "cancel", cancel } };

static void run(void *arg)
{
	int (*fn)(int64_t *) = NULL;
	double best = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(cases[i].name, arg))
			fn = cases[i].fn;
	if (!fn)
		exit(2);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t ns;
		int n = fn(&ns);

		if (!i || (double)ns / n < best)
			best = (double)ns / n;
	}
	printf("R ns_op %.2f\n", best);
}

int main(int argc, char **argv)
{
	goru_config cfg = GORU_CONFIG_INIT;

	if (argc != 3)
		return 2;
	cfg.procs = (unsigned)atoi(argv[2]);
	must(goru_init(&cfg));
	never = goru_chan_make(8, 0);
	return goru_run(run, argv[1]) ? EXIT_FAILURE : EXIT_SUCCESS;
}
