/* errors.c - what the calls answer when there is no value: closed, full, too late, misused. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <goru.h>
#include <stdio.h>

GORU_CHAN_OF(ints, int);

static const char *name(int result)
{
	switch (result) {
	case -EAGAIN:
		return "-EAGAIN";
	case -EINVAL:
		return "-EINVAL";
	case -EPIPE:
		return "-EPIPE";
	case -ETIMEDOUT:
		return "-ETIMEDOUT";
	default:
		return result == 0 ? "0" : result == 1 ? "1" : "something else";
	}
}

static void show(const char *what, int result)
{
	printf("%-42s %s\n", what, name(result));
}

static int64_t soon(void)
{
	return goru_in(GORU_MSEC);
}

int main(void)
{
	goru_waitgroup busy = GORU_WAITGROUP_INIT;
	ints *c = ints_make(1);
	int value;

	if (!c)
		return 1;
	show("receive at once, but it is empty", ints_try_recv(c, &value));
	show("receive within 1 ms, but nobody sends", ints_recv_until(c, &value, soon()));
	show("send", ints_send(c, 1));
	show("send at once, but it is full", ints_try_send(c, 2));
	show("send within 1 ms, but nobody receives", ints_send_until(c, 2, soon()));
	show("close", ints_close(c));
	show("close again", ints_close(c));
	show("send to a closed channel", ints_send(c, 3));
	show("receive what a closed channel still holds", ints_recv(c, &value));
	show("receive from a closed, empty channel", ints_recv(c, &value));
	show("receive from no channel", ints_recv(NULL, &value));
	ints_unref(c);

	goru_waitgroup_add(&busy, 1);
	show("wait within 1 ms for what does not end", goru_waitgroup_wait_until(&busy, soon()));
	goru_waitgroup_done(&busy);
	/* What can be done at once is done, even after the deadline. */
	show("wait until long ago, at zero", goru_waitgroup_wait_until(&busy, 0));
	return 0;
}

/* Output:
 * receive at once, but it is empty           -EAGAIN
 * receive within 1 ms, but nobody sends      -ETIMEDOUT
 * send                                       0
 * send at once, but it is full               -EAGAIN
 * send within 1 ms, but nobody receives      -ETIMEDOUT
 * close                                      0
 * close again                                -EPIPE
 * send to a closed channel                   -EPIPE
 * receive what a closed channel still holds  1
 * receive from a closed, empty channel       0
 * receive from no channel                    -EINVAL
 * wait within 1 ms for what does not end     -ETIMEDOUT
 * wait until long ago, at zero               0
 */
