/* thousand_timers.c - a thousand things to do in time, and a thousand time-outs that never come to pass. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANY = 1000 };

/* The timer lives in what it belongs to. */
struct task {
	goru_timer timer, timeout;
	int64_t due;
};

static struct task tasks[MANY];
static goru_waitgroup to_do;
static _Atomic int early, timed_out;

/* In a goroutine of its own: it may take its time, or wait. */
static void perform(void *arg)
{
	struct task *t = arg;

	if (goru_now() < t->due)
		atomic_fetch_add(&early, 1);
	goru_waitgroup_done(&to_do);
}

static void give_up(void *arg)
{
	(void)arg;
	atomic_fetch_add(&timed_out, 1);
}

static void must(int rc)
{
	if (rc < 0)
		exit(EXIT_FAILURE);
}

int main(void)
{
	int stopped = 0;

	goru_waitgroup_add(&to_do, MANY);
	for (int i = 0; i < MANY; i++) {
		struct task *t = &tasks[i];

		t->due = goru_in((1 + rand() % 50) * GORU_MSEC);
		must(goru_timer_start(&t->timer, t->due, 0, perform, t));
		must(goru_timer_start(&t->timeout, goru_in(GORU_SEC * 60), 0, give_up, t));
		/* One that hears of its peer puts its time-out off. */
		must(goru_timer_start(&t->timeout, goru_in(GORU_SEC * 120), 0, give_up, t));
	}
	must(goru_waitgroup_wait(&to_do));
	for (int i = 0; i < MANY; i++)
		stopped += goru_timer_stop(&tasks[i].timeout);

	printf("%d done, %d of them early\n", MANY, atomic_load(&early));
	printf("%d time-outs called off, %d came\n", stopped, atomic_load(&timed_out));
	printf("too late to call off what is done: %d\n", goru_timer_stop(&tasks[0].timer));
	return 0;
}

/* Output:
 * 1000 done, 0 of them early
 * 1000 time-outs called off, 0 came
 * too late to call off what is done: 0
 */
