/* ticker.c - something at each tick; and what becomes of ticks that nobody takes. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

/* Three ticks, or none for too long. */
static void watch(void)
{
	goru_chan *tick = goru_tick(5 * GORU_MSEC), *late = goru_after(60 * GORU_SEC);
	int64_t at, last = 0;
	goru_case cases[] = { GORU_RECV(tick, &at), GORU_RECV(late, &at) };

	if (!tick || !late)
		exit(EXIT_FAILURE);
	for (int n = 0; n < 3 && goru_select(cases, 2) == 0; n++) {
		printf(at > last ? "tick\n" : "time goes backwards\n");
		last = at;
	}

	/* Nothing has to be stopped: this was all that knew of the timers. */
	goru_chan_unref(late);
	goru_chan_unref(tick);
}

/* Of what one is too slow to take, one tick is kept. */
static void be_slow(void)
{
	goru_chan *tick = goru_tick(GORU_MSEC);

	if (!tick)
		exit(EXIT_FAILURE);
	goru_sleep(30 * GORU_MSEC);
	while (goru_chan_len(tick) == 0)
		goru_yield();
	goru_sleep(5 * GORU_MSEC);
	printf("%zu of many ticks is left\n", goru_chan_len(tick));
	goru_chan_unref(tick);
}

int main(void)
{
	watch();
	be_slow();
	return 0;
}

/* Output:
 * tick
 * tick
 * tick
 * 1 of many ticks is left
 */
