/* scope.c - the ends of scopes against every other end of a wait: nothing is lost, nobody is left, memory is free at once. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 12, STEPS = 40 };

/* What a round's members share. What is sent is received or still there; units are given back; total is the mutex's. */
struct round {
	goru_chan *c, *d;
	goru_mutex mu;
	goru_rwlock rw;
	goru_cond cond;
	goru_sem sem;
	long total;
	_Atomic long sent, received, added;
	_Atomic int ended;
	goru_scope *scope; /* of the heap: gone as soon as it is closed */
	_Atomic bool canceler_done;
	uint64_t salt;
};

static int64_t soon(uint64_t *r)
{
	return goru_in(grt_rand_below(r, 4) ? grt_rand_below(r, 100000) : 0);
}

static void check_error(int rc)
{
	CHECK(rc == -ECANCELED || rc == -ETIMEDOUT);
	stress_progress();
}

static int sends(struct round *t, uint64_t *r)
{
	uint64_t v = 1;
	int rc = grt_rand_below(r, 2) ? goru_chan_send(t->c, &v) :
					goru_chan_send_until(t->c, &v, soon(r));

	if (rc == 0)
		atomic_fetch_add(&t->sent, 1);
	return rc;
}

static int receives(struct round *t, uint64_t *r)
{
	uint64_t v = 0;
	goru_case k[] = { GORU_RECV(t->d, &v), GORU_RECV(t->c, &v), GORU_RECV(NULL, NULL) };
	int rc;

	switch (grt_rand_below(r, 4)) {
	case 0:
		rc = goru_select(k, 3);
		CHECK(rc < 0 || rc == 1);
		break;
	case 1:
		rc = goru_select_until(k, 2, soon(r));
		CHECK(rc < 0 || rc == 1);
		break;
	case 2:
		rc = goru_chan_recv_until(t->c, &v, soon(r));
		break;
	default:
		rc = goru_chan_recv(t->c, &v);
		break;
	}
	if (rc > 0) {
		CHECK_EQ(v, 1);
		atomic_fetch_add(&t->received, 1);
	} else {
		CHECK_EQ(v, 0);
	}
	return rc < 0 ? rc : 0;
}

/* Under the mutex; now and then with a wait on the condition, after which it is held whatever the result. */
static int adds(struct round *t, uint64_t *r)
{
	int rc = grt_rand_below(r, 2) ? goru_mutex_lock(&t->mu) :
					goru_mutex_lock_until(&t->mu, soon(r));

	if (rc)
		return rc;
	t->total++;
	atomic_fetch_add(&t->added, 1);
	if (grt_rand_below(r, 3) == 0)
		rc = grt_rand_below(r, 2) ? goru_cond_wait_until(&t->cond, &t->mu, soon(r)) :
					    goru_cond_wait(&t->cond, &t->mu);
	else
		goru_cond_signal(&t->cond);
	t->total++;
	atomic_fetch_add(&t->added, 1);
	goru_mutex_unlock(&t->mu);
	return rc;
}

static int locks(struct round *t, uint64_t *r)
{
	bool write = grt_rand_below(r, 2);
	int rc = write ? goru_rwlock_wrlock(&t->rw) : goru_rwlock_rdlock_until(&t->rw, soon(r));

	if (rc)
		return rc;
	stress_pause(r, 20);
	if (write)
		goru_rwlock_wrunlock(&t->rw);
	else
		goru_rwlock_rdunlock(&t->rw);
	return 0;
}

static int takes(struct round *t, uint64_t *r)
{
	int rc = grt_rand_below(r, 2) ? goru_sem_wait(&t->sem) :
					goru_sem_wait_until(&t->sem, soon(r));

	if (rc)
		return rc;
	stress_pause(r, 20);
	goru_sem_post(&t->sem, 1);
	return 0;
}

static int sleeps(struct round *t, uint64_t *r)
{
	(void)t;
	return goru_sleep(grt_rand_below(r, 20000));
}

static void grandchild(struct round *t, uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	for (int i = 0; i < 5; i++)
		if (sends(t, &r) < 0 || receives(t, &r) < 0)
			break;
}

static void *task_fn(void *arg)
{
	goru_sleep(1000);
	return arg;
}

static int joins(struct round *t, uint64_t *r)
{
	goru_task *task;
	void *result = NULL;
	int rc;

	CHECK_EQ(goru_task_start(&task, task_fn, t), 0);
	rc = grt_rand_below(r, 2) ? goru_task_join(task, &result) :
				    goru_task_join_until(task, &result, soon(r));
	CHECK(rc ? !result : result == t);
	goru_shield_enter();
	if (rc)
		CHECK_EQ(goru_task_join(task, NULL), 0);
	goru_shield_exit();
	return rc;
}

static int nests(struct round *t, uint64_t *r)
{
	goru_scope s = GORU_SCOPE_INIT;
	int rc;

	CHECK_EQ(goru_scope_open(&s, grt_rand_below(r, 2) ? soon(r) : GORU_FOREVER), 0);
	for (int i = (int)grt_rand_below(r, 3); i >= 0; i--)
		CHECK_EQ(goru_scope_go(&s, grandchild, t, grt_rand64(r)), 0);
	if (grt_rand_below(r, 2))
		receives(t, r);
	if (grt_rand_below(r, 2))
		goru_scope_cancel(&s);
	rc = goru_scope_close(&s);
	CHECK(rc == 0 || rc == -ECANCELED || rc == -ETIMEDOUT);
	memset(&s, 0xa5, sizeof(s));
	return goru_scope_error();
}

static void child(struct round *t, uint64_t salt)
{
	static int (*const steps[])(struct round *, uint64_t *) = { sends, receives, adds,  locks,
								    takes, sleeps,   joins, nests };
	uint64_t r = stress_rand(salt);

	for (int i = 0; i < STEPS; i++) {
		int rc = steps[grt_rand_below(&r, 8)](t, &r);

		if (rc == 0)
			continue;
		check_error(rc);
		/* its own deadline, or the scope's: that stays */
		rc = goru_scope_error();
		if (rc == 0)
			continue;
		CHECK_EQ(goru_sleep(0), rc);
		CHECK_EQ(goru_sem_wait(&t->sem), rc);
		if (grt_rand_below(&r, 2))
			break;
	}
	if (grt_rand_below(&r, 8) == 0)
		goru_scope_cancel(t->scope);
	atomic_fetch_add(&t->ended, 1);
}

/* Ends the scope from outside, once or twice, at any time: it is open until canceler_done. */
static void *cancels(void *arg)
{
	struct round *t = arg;
	uint64_t r = stress_rand(t->salt);

	goru_sleep(grt_rand_below(&r, 300000));
	if (grt_rand_below(&r, 2))
		goru_scope_cancel(t->scope);
	else
		CHECK_EQ(goru_scope_fail(t->scope, -EIO), 0);
	goru_scope_cancel(t->scope);
	atomic_store(&t->canceler_done, true);
	return NULL;
}

/* Holds the scope open for one who is no member: a child that waits, and cannot be told to end. */
static void keeps_open(struct round *t)
{
	while (!atomic_load(&t->canceler_done))
		goru_yield();
}

static void round_once(uint64_t salt)
{
	struct round *t = calloc(1, sizeof(*t));
	uint64_t r = stress_rand(salt), v;
	bool plain = grt_rand_below(&r, 2);
	pthread_t thread;
	int rc;

	t->c = goru_chan_make(8, grt_rand_below(&r, 3));
	t->d = goru_chan_make(8, 0);
	t->scope = calloc(1, sizeof(*t->scope));
	t->salt = salt;
	goru_sem_post(&t->sem, 2);
	CHECK_EQ(goru_scope_open(t->scope, grt_rand_below(&r, 2) ? goru_in(500000) : GORU_FOREVER),
		 0);
	for (int i = 0; i < MEMBERS; i++)
		CHECK_EQ(goru_scope_go(t->scope, child, t, grt_rand64(&r)), 0);
	CHECK_EQ(goru_scope_go(t->scope, keeps_open, t), 0);
	if (plain)
		stress_thread(&thread, cancels, t);
	else
		GO(cancels, t);
	if (grt_rand_below(&r, 2))
		sleeps(t, &r);
	rc = goru_scope_close(t->scope);
	CHECK(rc == -EIO || rc == -ECANCELED || rc == -ETIMEDOUT);
	memset(t->scope, 0xa5, sizeof(*t->scope));
	free(t->scope);
	CHECK_EQ(atomic_load(&t->ended), MEMBERS);
	CHECK_EQ(t->total, atomic_load(&t->added));
	while (goru_chan_try_recv(t->c, &v) > 0)
		atomic_fetch_add(&t->received, 1);
	CHECK_EQ(atomic_load(&t->sent), atomic_load(&t->received));
	CHECK_EQ(goru_sem_try_wait(&t->sem), 0);
	CHECK_EQ(goru_sem_try_wait(&t->sem), 0);
	CHECK_EQ(goru_sem_try_wait(&t->sem), -EAGAIN);
	CHECK_EQ(goru_mutex_try_lock(&t->mu), 0);
	CHECK_EQ(goru_rwlock_try_wrlock(&t->rw), 0);
	if (plain)
		stress_join(thread);
	goru_chan_unref(t->c);
	goru_chan_unref(t->d);
	free(t);
}

static goru_waitgroup wg;

static void rounds(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	while (stress_more())
		round_once(grt_rand64(&r));
	goru_waitgroup_done(&wg);
}

static void test_every_end(void **state)
{
	(void)state;
	goru_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		GO(rounds, (uint64_t)(i + 1));
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* A tree of scopes that is ended in several places at once. */

enum { FAN = 3, DEPTH = 4, PLACES = 4 };

struct tree {
	_Atomic(goru_scope *) place[PLACES];
	_Atomic int waits, ended, holders;
	goru_chan *never;
};

static void leaf(struct tree *t)
{
	int rc;

	atomic_fetch_add(&t->waits, 1);
	rc = goru_chan_recv(t->never, NULL);
	check_error(rc);
	CHECK_EQ(goru_scope_error(), rc);
	atomic_fetch_add(&t->ended, 1);
}

/* Is open until all who cancel are through: they may name it. */
static void node(struct tree *t, int depth, uint64_t salt)
{
	uint64_t r = stress_rand(salt);
	goru_scope *s = calloc(1, sizeof(*s));
	int rc;

	CHECK_EQ(goru_scope_open(s, grt_rand_below(&r, 4) ? GORU_FOREVER : soon(&r)), 0);
	atomic_store(&t->place[grt_rand_below(&r, PLACES)], s);
	for (int i = 0; i < FAN; i++)
		if (depth)
			CHECK_EQ(goru_scope_go(s, node, t, depth - 1, grt_rand64(&r)), 0);
		else
			CHECK_EQ(goru_scope_go(s, leaf, t), 0);
	check_error(goru_sleep(GORU_FOREVER));
	while (atomic_load(&t->holders))
		goru_yield();
	rc = goru_scope_close(s);
	check_error(rc);
	free(s);
}

static void *ends_some(void *arg)
{
	struct tree *t = arg;
	uint64_t r = stress_rand((uint64_t)goru_now());

	for (int i = 0; i < 8; i++) {
		goru_scope *s = atomic_load(&t->place[grt_rand_below(&r, PLACES)]);

		if (s)
			goru_scope_cancel(s);
		stress_pause(&r, 50);
	}
	atomic_fetch_sub(&t->holders, 1);
	return NULL;
}

static void grow(uint64_t salt)
{
	struct tree t = { .holders = 3, .never = goru_chan_make(8, 0) };
	uint64_t r = stress_rand(salt);
	goru_scope s = GORU_SCOPE_INIT;
	pthread_t thread;
	int64_t start = goru_now();

	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, node, &t, DEPTH - 1, salt), 0);
	while (atomic_load(&t.waits) < 1 + (int)grt_rand_below(&r, 81) &&
	       goru_now() < start + 2000000)
		goru_yield();
	stress_thread(&thread, ends_some, &t);
	GO(ends_some, &t);
	GO(ends_some, &t);
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	memset(&s, 0xa5, sizeof(s));
	CHECK_EQ(atomic_load(&t.waits), 81);
	CHECK_EQ(atomic_load(&t.ended), 81);
	stress_join(thread);
	goru_chan_unref(t.never);
}

static void trees(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	while (stress_more())
		grow(grt_rand64(&r));
	goru_waitgroup_done(&wg);
}

static void test_trees(void **state)
{
	(void)state;
	goru_waitgroup_add(&wg, 2);
	GO(trees, 5);
	GO(trees, 6);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* Children that end at the moment of the cancel, and of the close; the scope is on a stack that is used again at once. */
static void short_lived(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	stress_pause(&r, 5);
	if (grt_rand_below(&r, 2))
		goru_sleep(grt_rand_below(&r, 3000));
}

static void opens_and_closes(uint64_t *r)
{
	goru_scope s = GORU_SCOPE_INIT;
	int64_t deadline = grt_rand_below(r, 3) ? GORU_FOREVER : goru_in(grt_rand_below(r, 8000));
	int rc;

	CHECK_EQ(goru_scope_open(&s, deadline), 0);
	for (int i = (int)grt_rand_below(r, 4); i > 0; i--)
		CHECK_EQ(goru_scope_go(&s, short_lived, grt_rand64(r)), 0);
	if (grt_rand_below(r, 4) == 0)
		goru_scope_cancel(&s);
	rc = goru_scope_close(&s);
	CHECK(rc == 0 || rc == -ECANCELED || rc == -ETIMEDOUT);
	memset(&s, 0xa5, sizeof(s));
}

static void churns(uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	while (stress_more())
		for (int i = 0; i < 20; i++)
			opens_and_closes(&r);
	goru_waitgroup_done(&wg);
}

static void test_churn(void **state)
{
	(void)state;
	goru_waitgroup_add(&wg, 4);
	for (uint64_t i = 0; i < 4; i++)
		GO(churns, 10 + i);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

/* Very many members, in one scope and in one each. */
static struct tree crowd;

static void one_of_many(bool own)
{
	goru_scope s = GORU_SCOPE_INIT;

	if (own)
		CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	leaf(&crowd);
	if (own)
		CHECK_EQ(goru_scope_close(&s), -ECANCELED);
}

static void crowd_once(bool own)
{
	int n = stress_many(20000);
	goru_scope s = GORU_SCOPE_INIT;

	crowd = (struct tree){ .never = goru_chan_make(8, 0) };
	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	for (int i = 0; i < n; i++)
		CHECK_EQ(goru_scope_go(&s, one_of_many, own), 0);
	while (atomic_load(&crowd.waits) < n)
		goru_yield();
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	CHECK_EQ(atomic_load(&crowd.ended), n);
	goru_chan_unref(crowd.never);
	goru_waitgroup_done(&wg);
}

static void test_crowd(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		goru_waitgroup_add(&wg, 1);
		GO(crowd_once, i == 1);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		stress_progress();
	}
}

STRESS_MAIN("stress/scope", cmocka_unit_test(test_every_end), cmocka_unit_test(test_trees),
	    cmocka_unit_test(test_churn), cmocka_unit_test(test_crowd))
