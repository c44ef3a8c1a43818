/* freed.c - memory that is free to be used again the moment a result says so: channels, and whatever can be waited on. */
/* SPDX-License-Identifier: MIT */
#include "lock.h"

#include <stdlib.h>

/* A plain thread's send is received at its very deadline; the value carries the reference. */
static void take(goru_chan *c, goru_chan *done, int64_t at)
{
	int got;

	while (goru_now() < at)
		;
	got = goru_chan_try_recv(c, NULL);
	if (got == 1)
		goru_chan_unref(c);
	CHECK_EQ(goru_chan_send(done, &got), 0);
}

static void test_at_the_deadline(void **state)
{
	goru_chan *done = goru_chan_make(sizeof(int), 1);
	int got;

	(void)state;
	for (int i = 0; stress_more(); i++) {
		goru_chan *c = goru_chan_make(0, 0);
		int64_t at = goru_in(60 * GORU_USEC);

		GO(take, c, done, at + 50000 + (i % 64) * 500);

		int rc = goru_chan_send_until(c, NULL, at);

		CHECK_EQ(goru_chan_recv(done, &got), 1);
		CHECK_EQ(rc == 0, got == 1);
		if (got != 1)
			goru_chan_unref(c);
	}
	goru_chan_unref(done);
}

static void to_the_end(goru_chan *c, goru_waitgroup *wg)
{
	int64_t v = 7;

	CHECK_EQ(goru_chan_recv(c, &v), 0);
	CHECK_EQ(v, 0);
	goru_chan_unref(c);
	goru_waitgroup_done(wg);
}

/* close and the last unref in a row, under a receiver that waits. */
static void test_close_and_unref(void **state)
{
	(void)state;
	while (stress_more()) {
		goru_waitgroup wg = GORU_WAITGROUP_INIT;
		goru_chan *c = goru_chan_make(sizeof(int64_t), 0);

		goru_waitgroup_add(&wg, 1);
		GO(to_the_end, c, &wg);
		goru_chan_ref(c); /* the receiver's, for when it does not wait yet */
		goru_sleep(200 * GORU_USEC);
		CHECK_EQ(goru_chan_close(c), 0);
		goru_chan_unref(c);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

/*
 * Of two who share an object one leaves it behind for the other, who frees it as soon as he has it; both call at the same
 * time. On the heap for AddressSanitizer, and filled with what no object can be for those who look again.
 */
struct box {
	goru_mutex mu;
	goru_rwlock rw;
	goru_cond cond;
	goru_sem sem;
	goru_waitgroup wg;
	goru_once once;
	bool flag; /* under mu or rw */
};

/* One of the forms of a call that waits: as long as it takes, for a while, or not at all. */
#define GETTER(name, wait, until, try_it, object)                                                  \
	static int name(struct box *b, uint64_t *r)                                                \
	{                                                                                          \
		switch (grt_rand_below(r, 4)) {                                                    \
		case 0:                                                                            \
			return try_it;                                                             \
		case 1:                                                                            \
			return until(&b->object, soon(r));                                         \
		case 2:                                                                            \
			return until(&b->object, goru_in(3600 * GORU_SEC));                        \
		default:                                                                           \
			return wait(&b->object);                                                   \
		}                                                                                  \
	}
GETTER(lock, goru_mutex_lock, goru_mutex_lock_until, goru_mutex_try_lock(&b->mu), mu)
GETTER(rdlock, goru_rwlock_rdlock, goru_rwlock_rdlock_until, goru_rwlock_try_rdlock(&b->rw), rw)
GETTER(wrlock, goru_rwlock_wrlock, goru_rwlock_wrlock_until, goru_rwlock_try_wrlock(&b->rw), rw)
GETTER(unit, goru_sem_wait, goru_sem_wait_until, goru_sem_try_wait(&b->sem), sem)
GETTER(zero, goru_waitgroup_wait, goru_waitgroup_wait_until, goru_waitgroup_wait_until(&b->wg, 0),
       wg)

/* Looks again at once, mostly: the moment is short. */
static void get(int (*one)(struct box *, uint64_t *), struct box *b, uint64_t *r)
{
	while (!took(one(b, r))) {
		if (grt_rand_below(r, 64))
			grt_relax();
		else
			goru_yield();
	}
}

/* Leaving and taking: is the box the caller's to free? */

static bool leave_mutex(struct box *b, uint64_t *r)
{
	get(lock, b, r);
	b->flag = true;
	goru_mutex_unlock(&b->mu);
	return false;
}

static bool take_mutex(struct box *b, uint64_t *r)
{
	for (get(lock, b, r); !b->flag; get(lock, b, r)) {
		goru_mutex_unlock(&b->mu);
		goru_yield();
	}
	return true;
}

static bool leave_written(struct box *b, uint64_t *r)
{
	get(wrlock, b, r);
	b->flag = true;
	goru_rwlock_wrunlock(&b->rw);
	return false;
}

static bool read_written(struct box *b, uint64_t *r)
{
	for (get(rdlock, b, r); !b->flag; get(rdlock, b, r)) {
		goru_rwlock_rdunlock(&b->rw);
		goru_yield();
	}
	return true;
}

static bool write_written(struct box *b, uint64_t *r)
{
	for (get(wrlock, b, r); !b->flag; get(wrlock, b, r)) {
		goru_rwlock_wrunlock(&b->rw);
		goru_yield();
	}
	return true;
}

/* It was taken before. */
static bool leave_read(struct box *b, uint64_t *r)
{
	(void)r;
	goru_rwlock_rdunlock(&b->rw);
	return false;
}

static bool write_read(struct box *b, uint64_t *r)
{
	get(wrlock, b, r);
	return true;
}

static bool leave_cond(struct box *b, uint64_t *r)
{
	get(lock, b, r);
	b->flag = true;
	if (grt_rand_below(r, 2))
		goru_cond_signal(&b->cond);
	else
		goru_cond_broadcast(&b->cond);
	goru_mutex_unlock(&b->mu);
	return false;
}

static bool take_cond(struct box *b, uint64_t *r)
{
	get(lock, b, r);
	while (!b->flag) {
		if (grt_rand_below(r, 2))
			CHECK_EQ(goru_cond_wait(&b->cond, &b->mu), 0);
		else
			(void)took(goru_cond_wait_until(&b->cond, &b->mu, soon(r)));
	}
	return true; /* with the mutex held: only now does its last holder let it go */
}

static bool leave_unit(struct box *b, uint64_t *r)
{
	(void)r;
	goru_sem_post(&b->sem, 1);
	return false;
}

static bool take_unit(struct box *b, uint64_t *r)
{
	get(unit, b, r);
	return true;
}

/* It is one before. */
static bool leave_zero(struct box *b, uint64_t *r)
{
	(void)r;
	goru_waitgroup_done(&b->wg);
	return false;
}

static bool take_zero(struct box *b, uint64_t *r)
{
	get(zero, b, r);
	return true;
}

static void runs_it(void *mine)
{
	*(bool *)mine = true;
}

static void runs_it_slowly(void *mine)
{
	*(bool *)mine = true;
	goru_yield();
}

/* Who finds it done has it: the other ran the function, and is done with it too. */
static bool do_once(struct box *b, uint64_t *r)
{
	bool mine = false;

	goru_once_do(&b->once, grt_rand_below(r, 2) ? runs_it : runs_it_slowly, &mine);
	return !mine;
}

typedef bool (*step)(struct box *, uint64_t *);

static const struct kind {
	step leave, take;
} kinds[] = {
	{ leave_mutex, take_mutex },	  { leave_written, read_written },
	{ leave_written, write_written }, { leave_read, write_read },
	{ leave_cond, take_cond },	  { leave_unit, take_unit },
	{ leave_zero, take_zero },	  { do_once, do_once },
};

static void has(struct box *b, step fn, uint64_t salt)
{
	uint64_t r = stress_rand(salt);

	dally(&r);
	if (fn(b, &r)) {
		memset(b, 0xff, sizeof(*b));
		free(b);
	}
}

static void has_there(struct box *b, step fn, uint64_t salt, goru_waitgroup *left)
{
	has(b, fn, salt);
	goru_waitgroup_done(left);
}

static void shares(uint64_t salt)
{
	goru_waitgroup left = GORU_WAITGROUP_INIT;
	uint64_t r = stress_rand(900 + salt);

	while (stress_more()) {
		const struct kind *k = &kinds[grt_rand_below(&r, sizeof(kinds) / sizeof(*kinds))];
		struct box *b = calloc(1, sizeof(*b));
		bool swap = grt_rand_below(&r, 2);

		if (k->leave == leave_read)
			CHECK_EQ(goru_rwlock_rdlock(&b->rw), 0);
		goru_waitgroup_add(&b->wg, 1);
		goru_waitgroup_add(&left, 1);
		GO(has_there, b, swap ? k->take : k->leave, grt_rand64(&r), &left);
		has(b, swap ? k->leave : k->take, grt_rand64(&r));
		CHECK_EQ(goru_waitgroup_wait(&left), 0);
	}
}

static void test_each_type(void **state)
{
	(void)state;
	together(shares);
}

static void bracket(goru_waitgroup *wg, unsigned us)
{
	for (int i = 0; i < 20; i++)
		goru_blocking(usleep(us));
	goru_waitgroup_done(wg);
}

/* More goroutines in the kernel than threads that exist: the monitor makes them while others come back. */
static void test_brackets(void **state)
{
	int n = stress_many(256);

	(void)state;
	while (stress_more()) {
		goru_waitgroup wg = GORU_WAITGROUP_INIT;

		goru_waitgroup_add(&wg, n);
		for (int i = 0; i < n; i++)
			GO(bracket, &wg, 1 + 4 * (unsigned)i);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	}
}

STRESS_MAIN("stress/freed", cmocka_unit_test(test_at_the_deadline),
	    cmocka_unit_test(test_close_and_unref), cmocka_unit_test(test_each_type),
	    cmocka_unit_test(test_brackets))
