/* handoff.h - a goroutine goes on without its P, and others with the P. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_RT_HANDOFF_H
#define GRT_RT_HANDOFF_H

#include "rt/rt.h"

/* Gives the calling M's P away for good: to an M that will use it if there is work for it, else to the idle list. */
void grt_handoff(struct m *m, struct p *p);

enum retake {
	RETAKE_NOT,  /* its goroutine is not in the program's code, or another one by now */
	RETAKE_NO_M, /* it could be, but there is no idle M to go on with it */
	RETAKE_DONE,
};

/*
 * By the monitor: takes p from m, whose goroutine has run since p.schedtick was tick, if it is in the program's code. It
 * goes on there in state `as`, G_BLOCKED or G_NO_P, and finds out at its next call. wanted: others wait; the P goes to an
 * idle M, or stays if there is none. Else the P goes to the idle list. Takes rt.lock; one membarrier.
 */
enum retake grt_retake(struct m *m, struct p *p, uint64_t tick, bool wanted, enum g_state as);

#endif
