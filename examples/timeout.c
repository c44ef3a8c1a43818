/* timeout.c - wait for whichever of several channels is ready first, but not for ever. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

GORU_CHAN_OF(ints, int);

/* Answers a question each, but only when it has been let. */
static void think(goru_chan *begin, ints *answers)
{
	while (goru_chan_recv(begin, NULL) > 0)
		ints_send(answers, 42);
	ints_close(answers);
}

/* Waits for an answer or a complaint, at most so many nanoseconds. */
static void ask(ints *answers, goru_chan *complaints, int64_t patience)
{
	int answer;
	goru_case cases[] = {
		GORU_RECV(ints_chan(answers), &answer),
		GORU_RECV(complaints, NULL),
	};
	int i = goru_select_until(cases, 2, goru_in(patience));

	if (i == -ETIMEDOUT)
		printf("nobody answered in time\n");
	else if (i == 0 && cases[0].result == 1)
		printf("the answer is %d\n", answer);
	else if (i == 0)
		printf("there will be no more answers\n");
	else if (i == 1)
		printf("a complaint\n");
	else
		exit(EXIT_FAILURE);
}

int main(void)
{
	goru_chan *begin = goru_chan_make(0, 0), *complaints = goru_chan_make(0, 1);
	ints *answers = ints_make(0);
	goru_case none[] = { GORU_RECV(ints_chan(answers), NULL) };

	if (go(think, begin, answers) != 0)
		exit(EXIT_FAILURE);

	ask(answers, complaints, 20 * GORU_MSEC);

	goru_chan_send(complaints, NULL);
	ask(answers, complaints, 20 * GORU_SEC);

	goru_chan_send(begin, NULL);
	ask(answers, complaints, 20 * GORU_SEC);

	/* A select that does not wait at all, as one with a default case in Go. */
	if (goru_try_select(none, 1) == -EAGAIN)
		printf("nothing is ready now\n");

	/* A closed channel is ready, for ever. */
	goru_chan_close(begin);
	ask(answers, complaints, 20 * GORU_SEC);

	goru_chan_unref(begin);
	goru_chan_unref(complaints);
	ints_unref(answers);
	return 0;
}

/* Output:
 * nobody answered in time
 * a complaint
 * the answer is 42
 * nothing is ready now
 * there will be no more answers
 */
