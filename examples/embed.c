/* embed.c - goroutines inside an ordinary program of threads, and how to have them gone again. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

GORU_CHAN_OF(ints, int);

struct request {
	int number;
	ints *answer;
};

GORU_CHAN_OF(requests, struct request);

enum { SERVERS = 100, CLIENTS = 4, QUESTIONS = 1000 };

/* A goroutine: parks while there is nothing to do, without a thread. */
static void serve(requests *in)
{
	struct request r;

	while (requests_recv(in, &r) > 0)
		ints_send(r.answer, r.number + 1);
}

struct client {
	pthread_t thread;
	requests *out;
	int right;
};

/* A thread of the program's own: the same calls, but a wait is one of the whole thread. */
static void *ask(void *arg)
{
	struct client *c = arg;
	struct request r = { 0, ints_make(0) };
	int answer;

	for (; r.number < QUESTIONS; r.number++)
		if (requests_send(c->out, r) == 0 && ints_recv(r.answer, &answer) == 1)
			c->right += answer == r.number + 1;
	ints_unref(r.answer);
	return NULL;
}

int main(void)
{
	requests *all = requests_make(0);
	struct client clients[CLIENTS];

	for (int i = 0; i < SERVERS; i++)
		if (go(serve, all) != 0)
			exit(EXIT_FAILURE);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i].out = all;
		clients[i].right = 0;
		if (pthread_create(&clients[i].thread, NULL, ask, &clients[i]) != 0)
			exit(EXIT_FAILURE);
	}
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		printf("thread %d: %d right answers\n", i, clients[i].right);
	}

	/* Drops the servers where they wait; nobody waits on the channel then, so it can go. */
	if (goru_shutdown() != 0)
		exit(EXIT_FAILURE);
	requests_unref(all);
	printf("goru is shut down, the program goes on\n");
	return 0;
}

/* Output:
 * thread 0: 1000 right answers
 * thread 1: 1000 right answers
 * thread 2: 1000 right answers
 * thread 3: 1000 right answers
 * goru is shut down, the program goes on
 */
