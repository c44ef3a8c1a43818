/* fault.c - lets the n-th call of something fail, for tests that link it with -Wl,--wrap. */
/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "fault.h"

static _Atomic unsigned kinds, nth, seen, failed;
static _Atomic bool always;

void fault_set(unsigned k, unsigned n, bool forever)
{
	atomic_store(&kinds, 0);
	atomic_store(&nth, n);
	atomic_store(&always, forever);
	atomic_store(&seen, 0);
	atomic_store(&failed, 0);
	atomic_store(&kinds, k);
}

bool fault_hit(unsigned kind)
{
	unsigned i, n = atomic_load(&nth);

	if (!(atomic_load(&kinds) & kind) || !n)
		return false;
	i = atomic_fetch_add(&seen, 1) + 1;
	if (i != n && (i < n || !atomic_load(&always)))
		return false;
	atomic_fetch_add(&failed, 1);
	return true;
}

unsigned fault_count(void)
{
	return atomic_load(&failed);
}
