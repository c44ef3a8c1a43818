/* rank.c - the order in which the runtime's locks are taken, which checks builds see kept. */
/* SPDX-License-Identifier: MIT */
#include "base/rank.h"

#include "base/fatal.h"

static const char *const names[LOCK_RANKS] = {
	[LOCK_KEYS] = "keys",
	[LOCK_TIMER] = "timer",
	[LOCK_SIGNALS] = "signals",
	[LOCK_CHAN] = "channel",
	[LOCK_GROUP] = "wait group",
	[LOCK_QUEUE] = "queue",
	[LOCK_SCOPE] = "scope",
	[LOCK_PLAIN] = "plain",
	[LOCK_RT] = "rt",
	[LOCK_INJQ] = "injq",
	[LOCK_GPOOL] = "gpool",
	[LOCK_TIMERS] = "timers",
	[LOCK_TIMERS_HOME] = "timers of P 0",
	[LOCK_STACKS] = "stacks",
};

/* What the calling thread holds: how many of each, and the one taken last. Locks are not held over a switch, so the
 * thread is the same all the while; the functions below are calls, so that nobody keeps the address of another's. */
static _Thread_local struct {
	uint32_t n[LOCK_RANKS];
	const void *last[LOCK_RANKS];
} held;

GRT_NOINLINE void grt_lock_wanted(const void *at, enum lock_rank r)
{
	if (r <= LOCK_NONE || r >= LOCK_RANKS)
		grt_fatal("lock %p has no rank: base/rank.h lists them", at);
	for (unsigned i = r; i < LOCK_RANKS; i++) {
		if (!held.n[i] || (i == LOCK_CHAN && r == LOCK_CHAN && at > held.last[i]))
			continue;
		grt_fatal("lock order: %s %p taken while %s %p is held", names[r], at, names[i],
			  held.last[i]);
	}
}

GRT_NOINLINE void grt_lock_taken(const void *at, enum lock_rank r)
{
	held.n[r]++;
	held.last[r] = at;
}

GRT_NOINLINE void grt_lock_left(const void *at, enum lock_rank r)
{
	if (r <= LOCK_NONE || r >= LOCK_RANKS || !held.n[r])
		grt_fatal("lock %p unlocked by a thread that does not hold it", at);
	held.n[r]--;
}

GRT_NOINLINE void grt_lock_none(const char *what)
{
	for (unsigned i = 0; i < LOCK_RANKS; i++)
		if (held.n[i] && !grt_is_dying())
			grt_fatal("lock order: %s %p is held where %s", names[i], held.last[i],
				  what);
}
