/* life.c - the lock under which the runtime starts, stops and changes its Ps. */
/* SPDX-License-Identifier: MIT */
#include "rt/life.h"

#include <errno.h>
#include <sched.h>

#include "os/os.h"
#include "rt/self.h"

enum { YIELDS = 10, NAP = 1000000 /* ns */ };

static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER;

/* Whoever stops the runtime may hold it for as long as a goroutine runs. */
static void nap(int64_t now, int64_t deadline)
{
	static _Atomic uint32_t never;
	int64_t until = now + NAP;

	grt_os_futex_wait(&never, 0, until < deadline ? until : deadline);
}

/* A goroutine that waited here for a shutdown, which waits for the goroutine, would wait for ever. */
int grt_life_lock(int64_t deadline)
{
	for (unsigned i = 0; pthread_mutex_trylock(&life); i++) {
		int64_t now = grt_os_now();

		if (grt_on_goroutine() && grt_phase() == RT_STOPPING)
			return -ESHUTDOWN;
		if (now >= deadline)
			return -ETIMEDOUT;
		if (i < YIELDS)
			sched_yield();
		else
			nap(now, deadline);
	}
	return 0;
}

void grt_life_unlock(void)
{
	pthread_mutex_unlock(&life);
}

void grt_life_forked(void)
{
	life = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}
