/* stuck.h - tells a goroutine that blocks its thread from one that computes, and both from one that gets on. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_STUCK_H
#define GRT_ENGINE_STUCK_H

#include "rt/rt.h"

/* What is known of the thread that holds a P. */
struct stuck {
	struct m *m;	/* NULL: its clock has not been read */
	uint64_t tick;	/* p.schedtick: the stretch of one goroutine */
	int64_t at;	/* when its clock was read */
	int64_t cpu;	/* what it said */
	int64_t used;	/* of it in this stretch, as far as looked at */
	int64_t since;	/* our time in this stretch */
	uint32_t still; /* looks in a row, in this stretch, at which it slept */
};

enum verdict {
	STUCK_NOT,
	STUCK_PERHAPS,	/* it sleeps at this moment: worth another look soon */
	STUCK_BRACKETS, /* between goru_block_enter and goru_block_exit, with its P */
	STUCK_BLOCKED,
	STUCK_COMPUTES, /* whether or not it calls goru meanwhile; it can be taken only outside */
};

/* One look at time now, by the monitor. waits: somebody waits for a P; without, only stretches longer than a tick are
 * looked at. */
enum verdict grt_stuck(struct stuck *s, struct p *p, int64_t now, bool waits);

#endif
