/* hello.c - start goroutines with go, and wait for them with a wait group. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

static void greet(const char *whom, int n, goru_waitgroup *greeting)
{
	printf("hello %s, says goroutine %d\n", whom, n);
	goru_waitgroup_done(greeting);
}

int main(void)
{
	goru_waitgroup greeting = GORU_WAITGROUP_INIT;

	for (int n = 1; n <= 5; n++) {
		goru_waitgroup_add(&greeting, 1);
		if (go(greet, "world", n, &greeting) != 0)
			exit(EXIT_FAILURE);
	}
	/* The wait group lives in this function: main must not go on before the last is done. */
	if (goru_waitgroup_wait(&greeting) != 0)
		exit(EXIT_FAILURE);
	return 0;
}

/* Output (any order):
 * hello world, says goroutine 1
 * hello world, says goroutine 2
 * hello world, says goroutine 3
 * hello world, says goroutine 4
 * hello world, says goroutine 5
 */
