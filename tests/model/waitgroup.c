/* waitgroup.c - wait returns after the last done and all before it, and nobody touches the group after that. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

#include "sched/ready.h"

#include <errno.h>

#include "goru.h"

static goru_waitgroup wg;
static int work[2], waited;

static void two(void)
{
	goru_waitgroup_add(&wg, 2);
}

static void one(void)
{
	goru_waitgroup_add(&wg, 1);
}

static void done0(void)
{
	work[0] = 1;
	goru_waitgroup_done(&wg);
}

static void done1(void)
{
	work[1] = 1;
	goru_waitgroup_done(&wg);
}

static void wait_and_free(void)
{
	CHECK(goru_waitgroup_wait(&wg) == 0);
	CHECK(work[0]);
	model_dead(&wg, sizeof(wg));
	model_step();
	CHECK(work[0]);
}

static void wait_for_two(void)
{
	CHECK(goru_waitgroup_wait(&wg) == 0);
	CHECK(work[0] && work[1]);
	model_dead(&wg, sizeof(wg));
	model_step();
}

static void wait_again(void)
{
	int rc = goru_waitgroup_wait_until(&wg, model_now + 1);

	CHECK(rc == 0 || rc == -ETIMEDOUT);
	model_step();
	if (rc)
		CHECK(goru_waitgroup_wait(&wg) == 0);
	CHECK(work[0]);
	model_dead(&wg, sizeof(wg));
	model_step();
}

/* Two wait: neither may free, both return. */
static void wait_too(void)
{
	CHECK(goru_waitgroup_wait(&wg) == 0);
	CHECK(work[0]);
	model_step();
}

static void wait_until(void)
{
	int rc = goru_waitgroup_wait_until(&wg, model_now + 1);

	CHECK(rc == -ETIMEDOUT || work[0]);
	model_step();
}

/* A goroutine with a deadline: the timer's and the group's wake go to one wait. */
static struct m m0;
static struct p p0;
static struct g *g;

static void waiting(void *word)
{
	(void)word;
	grt_leave(&m0);

	int rc = goru_waitgroup_wait_until(&wg, model_now + 1);

	CHECK(rc == -ETIMEDOUT || (rc == 0 && work[0]));
	if (!rc)
		model_dead(&wg, sizeof(wg));
	waited++;
	grt_enter();
	kit_end();
}

static void goroutine(void)
{
	one();
	kit_p(&p0, 0, &m0);
	g = kit_g(waiting);
}

static void worker(void)
{
	struct m *m = kit_begin(&m0, &p0);
	struct glist due = { 0 };
	struct due_alarms alarms = { .n = 0 };

	grt_run(m, &p0, g);
	if (model_choose(2)) {
		grt_timers_expire(&p0.timers, model_now + 1, 1, &due, &alarms);
		grt_ready_batch(NULL, &due);
	}
	while (!waited) {
		struct glist mine = { 0 };

		while (!grt_injq_len(&grt_rt.injq))
			model_pause();
		grt_injq_take(&grt_rt.injq, 2, &mine);
		CHECK(mine.n <= 1);
		if (mine.n)
			grt_run(m, &p0, mine.head);
	}
	CHECK(!grt_injq_len(&grt_rt.injq));
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "waitgroup/free", one, { wait_and_free, done0 } },
		{ "waitgroup/two", two, { wait_for_two, done0, done1 } },
		{ "waitgroup/deadline", one, { wait_again, done0 } },
		{ "waitgroup/waiters", one, { wait_too, wait_too, done0 }, .switches = 2, .old = 2 },
		{ "waitgroup/until", one, { wait_too, wait_until, done0 }, .switches = 1, .old = 2 },
		{ "waitgroup/goroutine", goroutine, { worker, done0 } },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
