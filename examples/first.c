/* first.c - the same question to several servers: the first answer wins, the rest are cancelled. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { SERVERS = 5 };

GORU_CHAN_OF(answers, int);

static _Atomic int canceled;

/* Only server 3 answers at once; the others think about it for a day. */
static void ask(int server, answers *out)
{
	if (goru_sleep(server == 3 ? 0 : 24 * 3600 * GORU_SEC) < 0 || answers_send(out, server) < 0)
		atomic_fetch_add(&canceled, 1);
}

static void first(void *arg)
{
	goru_scope s = GORU_SCOPE_INIT;
	answers *out = answers_make(0);
	int who;

	(void)arg;
	if (!out || goru_scope_open(&s, GORU_FOREVER) < 0)
		exit(EXIT_FAILURE);
	for (int i = 0; i < SERVERS; i++)
		if (goru_scope_go(&s, ask, i, out) < 0)
			exit(EXIT_FAILURE);
	if (answers_recv(out, &who) > 0)
		printf("server %d was first\n", who);
	goru_scope_cancel(&s);
	goru_scope_close(&s); /* none of them is left: out may go */
	answers_unref(out);
	printf("%d were cancelled\n", atomic_load(&canceled));
}

int main(void)
{
	return goru_run(first, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Output:
 * server 3 was first
 * 4 were cancelled
 */
