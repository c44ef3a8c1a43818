/* rt.c - the runtime's one state, and its Ps. */
/* SPDX-License-Identifier: MIT */
#include "rt/rt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rt grt_rt;

/* As before the first start, but for the epoch, which tells one start from the next. */
void grt_rt_reset(void)
{
	uint64_t epoch = grt_load(&grt_rt.epoch);

	memset(&grt_rt, 0, sizeof(grt_rt));
	grt_rt.lock = (struct spin)GRT_SPIN(LOCK_RT);
	grt_rt.injq.lock = (struct spin)GRT_SPIN(LOCK_INJQ);
	grt_store(&grt_rt.injq.taken, GRT_START);
	grt_store(&grt_rt.epoch, epoch);
	grt_store(&grt_rt.id_next, 1);
}

int grt_p_new(uint32_t id)
{
	struct p *p;

	grt_tsan_heap_begin();
	p = aligned_alloc(_Alignof(struct p), sizeof(*p));
	if (p)
		memset(p, 0, sizeof(*p));
	grt_tsan_heap_end();
	if (!p)
		return -ENOMEM;
	p->id = id;
	p->rand = id + 1;
	grt_store(&p->attention, grt_rt.migrate ? ATT_MIGRATE : 0u);
	grt_store(&p->status, P_DEAD);
	grt_store(&p->schedtick, GRT_START64);
	grt_store(&p->syscalltick, GRT_START);
	p->turn = (uint8_t)GRT_START;
	p->pace = UINT32_MAX; /* no timer has been seen */
	grt_lane_init(&p->spawned);
	grt_lane_init(&p->woken);
	p->due_end = grt_load(&p->woken.tail);
	grt_runq_init(&p->runq);
	grt_timers_init(&p->timers);
	if (!id)
		p->timers.lock = (struct spin)GRT_SPIN(LOCK_TIMERS_HOME);
	grt_store(&grt_rt.allp[id], p);
	atomic_store_explicit(&grt_rt.nallp, id + 1, memory_order_release); /* allp.A */
	return 0;
}

void grt_p_free_all(void)
{
	for (uint32_t i = 0; i < grt_load(&grt_rt.nallp); i++) {
		struct p *p = grt_load(&grt_rt.allp[i]);

		grt_timers_fini(&p->timers);
		grt_tsan_heap_begin();
		free(p);
		grt_tsan_heap_end();
	}
}

/*
 * PROTOCOL allp
 *   Words    nallp, allp[0..nallp).
 *   Owners   writer: start, or the holder of rt.moving (PROTOCOL procs).
 *   Pairs    A new: nallp release -> B look: nallp acquire   the P is initialised and in allp before it is counted
 *   Relaxed  allp[i] for i below a count read by B.
 *   Reuse    a P that retires stays, empty, until shutdown.
 *   Checked  tests/stress/procs.c
 */
