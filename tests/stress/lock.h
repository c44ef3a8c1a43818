/* lock.h - what the programs about locks share: goroutines and plain threads at once, and how they pass the time. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_STRESS_LOCK_H
#define GRT_STRESS_LOCK_H

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "stress.h"

enum { GS = 6, THREADS = 2, ALL = GS + THREADS };

static goru_waitgroup all;

/* fn(salt) on goroutines and on plain threads, until all have returned. */
struct call {
	void (*fn)(uint64_t);
	uint64_t salt;
};

static inline void on_goroutine(void (*fn)(uint64_t), uint64_t salt)
{
	fn(salt);
	goru_waitgroup_done(&all);
}

static inline void *on_thread(void *arg)
{
	struct call *c = arg;

	c->fn(c->salt);
	return NULL;
}

static inline void together(void (*fn)(uint64_t))
{
	struct call c[THREADS];
	pthread_t t[THREADS];

	goru_waitgroup_add(&all, GS);
	for (uint64_t i = 0; i < GS; i++)
		GO(on_goroutine, fn, i);
	for (uint64_t i = 0; i < THREADS; i++) {
		c[i] = (struct call){ fn, GS + i };
		stress_thread(&t[i], on_thread, &c[i]);
	}
	for (int i = 0; i < THREADS; i++)
		stress_join(t[i]);
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
}

/* Takes its time: mostly none; now and then lets others run, or the kernel. */
static inline void dally(uint64_t *r)
{
	switch (grt_rand_below(r, 32)) {
	case 0:
		goru_yield();
		break;
	case 1:
		stress_spin(grt_rand_below(r, 20000));
		break;
	case 2:
		if (grt_rand_below(r, 16) == 0)
			goru_sleep(grt_rand_below(r, 1500000));
		break;
	case 3:
		if (grt_rand_below(r, 16) == 0)
			goru_blocking(usleep(grt_rand_below(r, 100)));
		break;
	default:
		break;
	}
}

/* A lock by any of the forms. */
static inline bool took(int rc)
{
	CHECK(rc == 0 || rc == -ETIMEDOUT || rc == -EAGAIN);
	return rc == 0;
}

static inline int64_t soon(uint64_t *r)
{
	return goru_in(grt_rand_below(r, 3) ? grt_rand_below(r, 100000) : 0);
}

/* Until both have had their turns; then as long as there is time. One who is kept out for ever is a hang. */
static inline bool more_turns(_Atomic uint64_t *turn)
{
	return atomic_load(&turn[0]) <= 2 || atomic_load(&turn[1]) <= 2 || stress_more();
}

#endif
