/* plain.h - threads that are not the runtime's: how shutdown knows of them, and how they wait. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_PLAIN_H
#define GRT_RT_PLAIN_H

#include "part/waiter.h"
#include "rt/forked.h"

/* Around everything a plain thread does that may make a goroutine ready. */
void grt_plain_enter(void);
void grt_plain_leave(void);

/* The same where the runtime must be on: it is started if need be, and does not end before leave. Else outside, with
 * -ESHUTDOWN or what the start gave. */
int grt_plain_enter_on(void);

/* The calling plain thread sleeps until w's wait has ended: readied, at the deadline, or by shutdown. Unless it was readied
 * the caller takes w off its lists. */
enum ending grt_plain_wait(struct waiter *w, int64_t deadline);

/* Ends the wait of a plain thread; last touch of w. */
void grt_plain_ready(struct waiter *w);

/* By shutdown, which lets no spawn begin any more: waits until no plain thread is inside, and so until each that began
 * has made its goroutine. False: one still is, well past the deadline. */
bool grt_plain_settle(int64_t deadline);

/* Is one inside at this moment? For reports. */
bool grt_plain_inside(void);

/* Do those that wait, n of them, all wait without a deadline, and has none been woken? */
bool grt_plain_asleep(uint32_t *n);

/* By shutdown, with no goroutine on any list: waits until no plain thread is inside, and asks all that wait to give up. */
void grt_plain_drain(void);

/* In the child of a fork: nobody is inside, nobody waits. */
void grt_plain_forked(void);

#endif
