/* scope_nest.c - scopes in scopes, shields, and who has no scope: whom an end reaches. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include "scope.h"

/* Scopes in scopes. */

static void opens_its_own(int64_t deadline)
{
	goru_scope own = GORU_SCOPE_INIT;
	int rc;

	CHECK_EQ(goru_scope_open(&own, deadline), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(goru_scope_go(&own, waits), 0);
	count(goru_chan_recv(never, NULL));
	rc = goru_scope_close(&own);
	CHECK_EQ(rc, deadline == GORU_FOREVER ? -ECANCELED : -ETIMEDOUT);
	/* its own is over, the one around it perhaps not */
	rc = goru_scope_error();
	CHECK(rc == 0 || rc == -ECANCELED);
	waits();
}

static void the_outer_ends_the_inner(void)
{
	anew();
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(goru_scope_go(&s, opens_its_own, GORU_FOREVER), 0);
	UNTIL(test_asleep() == 40);
	CHECK_EQ(goru_scope_open(&inner, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&inner, waits), 0);
	UNTIL(test_asleep() == 41);
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_close(&inner), -ECANCELED);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	CHECK_EQ(atomic_load(&canceled), 10 * 5 + 1);
}

static void the_inner_leaves_the_outer(void)
{
	anew();
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, waits), 0);
	CHECK_EQ(goru_scope_open(&inner, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&inner, waits), 0);
	goru_scope_cancel(&inner);
	CHECK_EQ(goru_scope_error(), -ECANCELED);
	CHECK_EQ(goru_scope_close(&inner), -ECANCELED);
	CHECK_EQ(goru_scope_error(), 0);
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	CHECK_EQ(atomic_load(&canceled), 1);
	goru_scope_cancel(&s);
	/* under one that has ended everything has */
	CHECK_EQ(goru_scope_open(&inner, goru_in(1000 * GORU_SEC)), 0);
	CHECK_EQ(goru_scope_error(), -ECANCELED);
	CHECK_EQ(goru_scope_close(&inner), -ECANCELED);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	CHECK_EQ(atomic_load(&canceled), 2);
}

static void the_earlier_deadline_counts(void)
{
	anew();
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, opens_its_own, goru_in(GORU_MSEC)), 0);
	UNTIL(atomic_load(&timedout) == 4);
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	CHECK_EQ(atomic_load(&canceled), 1);
	anew();
	CHECK_EQ(goru_scope_open(&s, goru_in(GORU_MSEC)), 0);
	CHECK_EQ(goru_scope_open(&inner, goru_in(1000 * GORU_SEC)), 0);
	CHECK_EQ(goru_scope_go(&inner, waits), 0);
	CHECK_EQ(goru_sleep(GORU_FOREVER), -ETIMEDOUT);
	CHECK_EQ(goru_scope_close(&inner), -ETIMEDOUT);
	CHECK_EQ(goru_scope_close(&s), -ETIMEDOUT);
	CHECK_EQ(atomic_load(&timedout), 1);
}

/* As deep as one likes: neither cancel nor close recurses. */
static void very_deep(void)
{
	enum { DEPTH = 20000 };
	goru_scope *many = calloc(DEPTH, sizeof(*many));

	anew();
	for (int i = 0; i < DEPTH; i++)
		CHECK_EQ(goru_scope_open(&many[i], GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&many[DEPTH - 1], waits), 0);
	UNTIL(test_asleep() == 1);
	goru_scope_cancel(&many[0]);
	CHECK_EQ(goru_scope_error(), -ECANCELED);
	for (int i = DEPTH; i--;)
		CHECK_EQ(goru_scope_close(&many[i]), -ECANCELED);
	CHECK_EQ(atomic_load(&canceled), 1);
	free(many);
}

/* Shields. */

static void shielded(void)
{
	anew();
	CHECK_EQ(goru_scope_open(&s, goru_in(GORU_MSEC)), 0);
	goru_shield_enter();
	goru_shield_enter();
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_error(), 0);
	CHECK_EQ(goru_sleep(3 * GORU_MSEC), 0);
	goru_shield_exit();
	CHECK_EQ(goru_sleep(0), 0);
	/* also of scopes opened in it */
	CHECK_EQ(goru_scope_open(&inner, goru_now() - 1), 0);
	CHECK_EQ(goru_sleep(0), 0);
	CHECK(goru_scope_close(&inner) < 0);
	goru_shield_exit();
	CHECK(goru_scope_error() < 0);
	CHECK(goru_sleep(0) < 0);
	CHECK(goru_scope_close(&s) < 0);
	CHECK_EQ(goru_scope_error(), 0);
}

static goru_chan *go_on;

static void sleeps_shielded(void)
{
	goru_shield_enter();
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_chan_recv(go_on, NULL), 0);
	atomic_fetch_add(&ran, 1);
	goru_shield_exit();
	waits();
	goru_shield_enter(); /* which its end takes off */
}

static void shield_holds_a_wait(void)
{
	anew();
	go_on = goru_chan_make(0, 0);
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, sleeps_shielded), 0);
	UNTIL(test_asleep() == 1);
	goru_scope_cancel(&s);
	goru_shield_enter();
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	goru_shield_exit();
	CHECK_EQ(atomic_load(&ran), 1);
	goru_chan_close(go_on);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	CHECK_EQ(atomic_load(&ran), 3);
	CHECK_EQ(atomic_load(&canceled), 1);
	goru_chan_unref(go_on);
}

/* Plain go, tasks and timers have no scope, nor has the next goroutine on the same record. */
static void free_goroutine(void)
{
	CHECK_EQ(goru_scope_error(), 0);
	CHECK_EQ(goru_sleep(GORU_MSEC), 0);
	atomic_fetch_add(&ran, 1);
}

static void *free_task(void *arg)
{
	free_goroutine();
	return arg;
}

static void free_timer(void *arg)
{
	(void)arg;
	free_goroutine();
}

static void others_have_no_scope(void)
{
	goru_timer t = GORU_TIMER_INIT;
	goru_task *task;

	anew();
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(goru_scope_go(&s, waits), 0);
	goru_scope_cancel(&s);
	CHECK_EQ(go(free_goroutine), 0);
	CHECK_EQ(goru_task_start(&task, free_task, NULL), 0);
	CHECK_EQ(goru_timer_start(&t, goru_in(1), 0, free_timer, NULL), 0);
	CHECK_EQ(goru_task_join(task, NULL), -ECANCELED);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	CHECK_EQ(goru_task_join(task, NULL), 0); /* it stayed joinable */
	UNTIL(atomic_load(&ran) == 10 + 3);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(go(free_goroutine), 0);
	UNTIL(atomic_load(&ran) == 10 + 23);
}

TEST_MAIN(TEST_GO(the_outer_ends_the_inner), TEST_GO(the_inner_leaves_the_outer),
	  TEST_GO(the_earlier_deadline_counts), TEST_GO(very_deep), TEST_GO(shielded),
	  TEST_GO(shield_holds_a_wait), TEST_GO(others_have_no_scope))
