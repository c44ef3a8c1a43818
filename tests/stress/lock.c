/* lock.c - all locks together: freed as soon as their last user may, and shutdown under all of it. */
/* SPDX-License-Identifier: MIT */
#include "lock.h"

#include <stdlib.h>

/* Freed as soon as the contract allows: who woke does not look any more. On the heap for AddressSanitizer, and filled
 * with what no lock can be, for all. */
struct box {
	goru_mutex mu;
	goru_rwlock rw;
	goru_cond cond;
	goru_sem sem;
	bool flag;
};

static void gone(struct box *b)
{
	memset(b, 0xff, sizeof(*b));
	free(b);
}

/* Each leaves one thing behind; the other frees the box when it has it. */
static void leaves(struct box *b, int how)
{
	switch (how) {
	case 0: /* the lock that followed another's unlock */
		CHECK_EQ(goru_mutex_lock(&b->mu), 0);
		b->flag = true;
		goru_mutex_unlock(&b->mu);
		break;
	case 1:
		CHECK_EQ(goru_rwlock_wrlock(&b->rw), 0);
		b->flag = true;
		goru_rwlock_wrunlock(&b->rw);
		break;
	case 2:
		CHECK_EQ(goru_mutex_lock(&b->mu), 0);
		b->flag = true;
		goru_cond_signal(&b->cond);
		goru_mutex_unlock(&b->mu);
		break;
	case 3:
		goru_rwlock_rdunlock(&b->rw); /* taken for us */
		break;
	default:
		goru_sem_post(&b->sem, 1);
		break;
	}
}

static void leaves_goroutine(struct box *b, int how)
{
	leaves(b, how);
	goru_waitgroup_done(&all);
}

struct leave {
	struct box *b;
	int how;
};

static void *leaves_thread(void *arg)
{
	struct leave *l = arg;

	leaves(l->b, l->how);
	return NULL;
}

static void takes_over(struct box *b, int how, bool until)
{
	int64_t deadline = until ? goru_in(30 * GORU_SEC) : GORU_FOREVER;

	switch (how) {
	case 0:
		for (;;) {
			CHECK_EQ(goru_mutex_lock_until(&b->mu, deadline), 0);
			if (b->flag)
				break;
			goru_mutex_unlock(&b->mu);
			goru_yield();
		}
		break;
	case 1:
		for (;;) {
			CHECK_EQ(goru_rwlock_rdlock_until(&b->rw, deadline), 0);
			if (b->flag)
				break;
			goru_rwlock_rdunlock(&b->rw);
			goru_yield();
		}
		break;
	case 2:
		CHECK_EQ(goru_mutex_lock(&b->mu), 0);
		while (!b->flag)
			CHECK_EQ(goru_cond_wait_until(&b->cond, &b->mu, deadline), 0);
		break; /* with the mutex held: only now does its last holder let it go */
	case 3:
		CHECK_EQ(goru_rwlock_wrlock_until(&b->rw, deadline), 0);
		break;
	default:
		CHECK_EQ(goru_sem_wait_until(&b->sem, deadline), 0);
		break;
	}
	gone(b);
}

static void test_freed(void **state)
{
	uint64_t r = stress_rand(600);

	(void)state;
	while (stress_more()) {
		struct box *b = calloc(1, sizeof(*b));
		struct leave l = { b, (int)grt_rand_below(&r, 5) };
		bool thread = grt_rand_below(&r, 4) == 0;
		pthread_t t;

		if (l.how == 3)
			CHECK_EQ(goru_rwlock_rdlock(&b->rw), 0);
		goru_waitgroup_add(&all, 2);
		if (thread)
			stress_thread(&t, leaves_thread, &l);
		else
			GO(leaves_goroutine, b, l.how);
		if (!thread)
			takes_over(b, l.how, grt_rand_below(&r, 2));
		else
			GO(takes_over, b, l.how, grt_rand_below(&r, 2));
		goru_waitgroup_done(&all);
		if (thread) {
			stress_join(t);
			goru_waitgroup_done(&all);
		}
		CHECK_EQ(goru_waitgroup_wait(&all), 0);
	}
}

/* On goroutines' stacks, by those who wait: the box is theirs. */
static void asks(uint64_t salt)
{
	uint64_t r = stress_rand(700 + salt);

	while (stress_more()) {
		struct box *b = calloc(1, sizeof(*b));
		int how = (int)grt_rand_below(&r, 5);

		if (how == 3)
			CHECK_EQ(goru_rwlock_rdlock(&b->rw), 0);
		goru_waitgroup_add(&all, 1);
		GO(leaves_goroutine, b, how);
		dally(&r);
		takes_over(b, how, grt_rand_below(&r, 2));
	}
}

static void test_freed_by_many(void **state)
{
	(void)state;
	together(asks);
}

/* Shutdown under all of it: waiters are dropped or canceled, and the objects work as before for who goes on. */
static goru_mutex mu, lost; /* lost is held all the time */
static goru_rwlock rw;
static goru_cond cond;
static goru_sem sem;
static uint64_t entries; /* under mu */
static _Atomic bool over;

static void uses(uint64_t salt, bool thread)
{
	uint64_t r = stress_rand(salt);

	while (!thread || !atomic_load(&over)) {
		int rc = 0;

		switch (grt_rand_below(&r, 7)) {
		case 0:
			rc = goru_mutex_lock(&mu);
			if (!rc) {
				entries++;
				goru_mutex_unlock(&mu);
			}
			break;
		case 1:
			rc = goru_rwlock_rdlock(&rw);
			if (!rc)
				goru_rwlock_rdunlock(&rw);
			break;
		case 2:
			rc = goru_rwlock_wrlock_until(&rw, grt_rand_below(&r, 2) ? GORU_FOREVER :
										   soon(&r));
			if (!rc)
				goru_rwlock_wrunlock(&rw);
			break;
		case 3:
			rc = goru_mutex_lock(&mu);
			if (rc)
				break;
			rc = goru_cond_wait_until(&cond, &mu, soon(&r));
			goru_mutex_unlock(&mu);
			break;
		case 4:
			goru_cond_signal(&cond);
			rc = goru_mutex_lock_until(&mu, soon(&r));
			if (!rc)
				goru_mutex_unlock(&mu);
			break;
		case 5:
			rc = goru_mutex_lock_until(&lost, thread ? soon(&r) : GORU_FOREVER);
			break;
		default:
			rc = goru_sem_wait_until(&sem, soon(&r));
			if (!rc)
				goru_sem_post(&sem, 1);
			break;
		}
		CHECK(rc == 0 || rc == -ETIMEDOUT || (thread && rc == -ECANCELED));
		if (grt_rand_below(&r, 8) == 0)
			goru_yield();
	}
}

static void uses_goroutine(uint64_t salt)
{
	uses(salt, false);
}

static void *uses_thread(void *arg)
{
	uses((uint64_t)(uintptr_t)arg, true);
	return NULL;
}

static void test_shutdown(void **state)
{
	uint64_t r = stress_rand(800);

	(void)state;
	/* who has lost its P waits for another one with mu held, before it waits on cond; dropped there, it holds mu for ever */
	stress_handoff(false);
	CHECK_EQ(goru_mutex_lock(&lost), 0);
	while (stress_more()) {
		pthread_t t[THREADS];

		atomic_store(&over, false);
		for (uintptr_t i = 0; i < THREADS; i++)
			stress_thread(&t[i], uses_thread, (void *)(900 + i));
		for (int i = 0; i < GS * 2; i++)
			GO(uses_goroutine, grt_rand64(&r));
		usleep(grt_rand_below(&r, 4) ? grt_rand_below(&r, 2000) : 0);
		CHECK_EQ(goru_shutdown(), 0);
		/* nobody but the plain threads is left: what they wait for, they give one another */
		usleep(grt_rand_below(&r, 2000));
		atomic_store(&over, true);
		for (int i = 0; i < THREADS; i++)
			stress_join(t[i]);
		CHECK_EQ(goru_mutex_try_lock(&mu), 0);
		goru_mutex_unlock(&mu);
		CHECK_EQ(goru_rwlock_try_wrlock(&rw), 0);
		goru_rwlock_wrunlock(&rw);
		stress_progress();
	}
	goru_mutex_unlock(&lost);
	stress_handoff(true);
}

STRESS_MAIN("stress/lock", cmocka_unit_test(test_freed), cmocka_unit_test(test_freed_by_many),
	    cmocka_unit_test(test_shutdown))
