/* audit.c - checks builds: queues that are as they should be pass, and each kind of disorder is fatal. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "engine/audit.h"
#include "part/waiter.h"

enum { MANY = 2000 };

static struct p *p;
static struct g gs[MANY];

static void begin(void)
{
	grt_rt_reset();
	CHECK_EQ(grt_p_new(0), 0);
	p = grt_load(&grt_rt.allp[0]);
	for (int i = 0; i < MANY; i++)
		grt_store(&gs[i].state, G_RUNNABLE);
}

static void end(void)
{
	grt_p_free_all();
	grt_rt_reset();
}

static void sound(void)
{
	struct glist batch = { 0 };
	int n = 0;

	if (!GRT_CHECKS_ON)
		return;
	begin();
	grt_audit(p);
	grt_store(&p->runnext, &gs[n++]);
	for (int i = 0; i < 200; i++) {
		grt_lane_push(&p->spawned, &gs[n++]);
		grt_lane_push(&p->woken, &gs[n++]);
		grt_runq_push(&p->runq, &gs[n++]);
	}
	for (int i = 0; i < 300; i++) {
		grt_injq_push(&grt_rt.injq, &gs[n++]);
		grt_audit(p);
		if (i % 20)
			continue;
		for (int k = 0; k < i / 10; k++)
			grt_glist_push(&batch, &gs[n++]);
		grt_injq_append(&grt_rt.injq, &batch);
		grt_audit(p);
	}
	while (grt_injq_len(&grt_rt.injq)) {
		grt_injq_take(&grt_rt.injq, 3, &batch);
		grt_audit(p);
	}
	for (int i = 0; i < 100; i++) {
		grt_store(&gs[n].state, G_DEAD);
		p->gfree[i] = &gs[n++];
		grt_store(&p->ngfree, i + 1);
		grt_timers_add(&p->timers, (i * 37) % 101, &gs[0], 8);
		grt_audit(p);
	}
	CHECK(n <= MANY);
	end();
}

static void not_runnable(void)
{
	begin();
	grt_lane_push(&p->woken, &gs[0]);
	grt_store(&gs[0].state, G_WAITING);
	grt_audit(p);
}

static void not_dead(void)
{
	begin();
	p->gfree[0] = &gs[0];
	grt_store(&p->ngfree, 1);
	grt_audit(p);
}

static void twice(void)
{
	begin();
	grt_store(&p->runnext, &gs[0]);
	grt_injq_push(&grt_rt.injq, &gs[0]);
	grt_audit(p);
}

static void empty_place(void)
{
	begin();
	grt_lane_push(&p->spawned, NULL);
	grt_audit(p);
}

static void ring_not_runnable(void)
{
	begin();
	grt_runq_push(&p->runq, &gs[0]);
	grt_store(&gs[0].state, G_RUNNING);
	grt_audit(p);
}

static void too_long(void)
{
	begin();
	grt_store(&p->runq.tail, grt_load(&p->runq.head) + GRT_RUNQ_LEN + 1);
	grt_audit(p);
}

static void miscounted(void)
{
	begin();
	grt_injq_push(&grt_rt.injq, &gs[0]);
	grt_store(&grt_rt.injq.n, 2);
	grt_audit(p);
}

static void out_of_order(void)
{
	begin();
	for (int i = 0; i < 9; i++)
		grt_timers_add(&p->timers, i, &gs[0], 8);
	p->timers.heap[6].when = 0;
	grt_audit(p);
}

static void fatal_are(void)
{
	if (!GRT_CHECKS_ON)
		return;
	CHECK_DIES(not_runnable,
		   "goru: fatal: audit: goroutine 0 is in the woken of P 0, but it is waiting");
	CHECK_DIES(
		not_dead,
		"goru: fatal: audit: goroutine 0 is in the pool of the dead of P 0, but it is runnable");
	CHECK_DIES(
		twice,
		"goru: fatal: audit: goroutine 0 is twice with P 0: in runnext and in the shared queue");
	CHECK_DIES(empty_place, "goru: fatal: audit: P 0 has an empty place in the spawned");
	CHECK_DIES(ring_not_runnable,
		   "goru: fatal: audit: goroutine 0 is in the ring of P 0, but it was running");
	CHECK_DIES(too_long, "goru: fatal: audit: the ring of P 0 holds 257, and has room for 256");
	CHECK_DIES(miscounted, "goru: fatal: audit: the shared queue counts 2, and holds 1");
	CHECK_DIES(out_of_order, "goru: fatal: audit: the timers of P 0 are out of order");
}

TEST_MAIN(TEST(sound), TEST(fatal_are))
