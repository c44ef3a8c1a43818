/* shield.c - a connection is closed in an orderly way, although its goroutine was cancelled: under a shield. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

GORU_CHAN_OF(lines, const char *);

/* The other side: acknowledges each line, and takes leave only when it was told to. */
static void peer(lines *in, goru_chan *acknowledged)
{
	const char *line;

	while (lines_recv(in, &line) > 0) {
		printf("peer: %s\n", line);
		goru_chan_send(acknowledged, NULL);
	}
}

static int say(lines *to, goru_chan *acknowledged, const char *line)
{
	int rc = lines_send(to, line);

	return rc < 0 ? rc : goru_chan_recv(acknowledged, NULL);
}

static void client(lines *to, goru_chan *acknowledged, goru_chan *ready)
{
	say(to, acknowledged, "hello");
	goru_chan_send(ready, NULL);
	if (goru_sleep(GORU_FOREVER) < 0)
		printf("client: cancelled\n");
	if (say(to, acknowledged, "never said") < 0)
		printf("client: nothing waits any more\n");
	goru_shield_enter();
	say(to, acknowledged, "good bye");
	goru_shield_exit();
}

static void run(void *arg)
{
	goru_scope all = GORU_SCOPE_INIT, work = GORU_SCOPE_INIT;
	lines *to = lines_make(0);
	goru_chan *acknowledged = goru_chan_make(0, 0), *ready = goru_chan_make(0, 0);

	(void)arg;
	if (goru_scope_open(&all, GORU_FOREVER) < 0 ||
	    goru_scope_go(&all, peer, to, acknowledged) < 0 ||
	    goru_scope_open(&work, GORU_FOREVER) < 0 ||
	    goru_scope_go(&work, client, to, acknowledged, ready) < 0)
		exit(EXIT_FAILURE);
	goru_chan_recv(ready, NULL);
	goru_scope_cancel(&work); /* not the peer: it is in the scope around this one */
	goru_scope_close(&work);
	lines_close(to);
	goru_scope_close(&all);
	lines_unref(to);
	goru_chan_unref(acknowledged);
	goru_chan_unref(ready);
}

int main(void)
{
	return goru_run(run, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Output:
 * peer: hello
 * client: cancelled
 * client: nothing waits any more
 * peer: good bye
 */
