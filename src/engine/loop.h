/* loop.h - what an M does while it runs no goroutine. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_LOOP_H
#define GRT_ENGINE_LOOP_H

#include "rt/rt.h"

/* A new M, known to the runtime, with its thread: idle, or with p. -ENOMEM, -EAGAIN: nothing is left behind. */
int grt_m_start(struct p *p);

/* Ends the threads of n Ms at most, those that have been idle for longest, and waits for it. How many it were. */
uint32_t grt_m_retire(uint32_t n);

/* By the monitor: joins the threads that have ended by themselves. True: some are still about to. */
bool grt_m_join_ended(void);

/* By shutdown: all. */
void grt_m_join_all(void);

/* Under rt.lock no more: takes what a P that retires holds to where others find it. */
void grt_p_empty(struct p *p);

#endif
