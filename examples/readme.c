/* readme.c - the program on the first screen of README.md. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>

static void count(goru_chan *out, int last)
{
	for (int n = 1; n <= last; n++)
		goru_chan_send(out, &n);
	goru_chan_close(out);
}

int main(void)
{
	goru_chan *numbers = goru_chan_make(sizeof(int), 0);
	int n, err = go(count, numbers, 3);
	while (err == 0 && goru_chan_recv(numbers, &n) > 0)
		printf("%d\n", n);
	goru_chan_unref(numbers);
}

/* Output:
 * 1
 * 2
 * 3
 */
