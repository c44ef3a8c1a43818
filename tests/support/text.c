/* text.c - what differs from run to run, taken out of a list of goroutines. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

char *test_drop_ages(char *list)
{
	for (char *at = list; (at = strstr(at, ", "));) {
		int n = 0;

		(void)sscanf(at, ", %*f s]%n", &n);
		if (!n)
			(void)sscanf(at, ", %*f to %*f s]%n", &n);
		if (n)
			memmove(at, at + n - 1, strlen(at + n - 1) + 1);
		else
			at++;
	}
	return list;
}
