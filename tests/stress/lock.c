/* lock.c - goroutines and plain threads on the same locks: exclusion, deadlines, order, objects freed at once, shutdown. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GS = 6, THREADS = 2, ALL = GS + THREADS };

static goru_waitgroup all;

/* fn(salt) on goroutines and on plain threads, until all have returned. */
struct call {
	void (*fn)(uint64_t);
	uint64_t salt;
};

static void on_goroutine(void (*fn)(uint64_t), uint64_t salt)
{
	fn(salt);
	goru_waitgroup_done(&all);
}

static void *on_thread(void *arg)
{
	struct call *c = arg;

	c->fn(c->salt);
	return NULL;
}

static void together(void (*fn)(uint64_t))
{
	struct call c[THREADS];
	pthread_t t[THREADS];

	goru_waitgroup_add(&all, GS);
	for (uint64_t i = 0; i < GS; i++)
		GO(on_goroutine, fn, i);
	for (uint64_t i = 0; i < THREADS; i++) {
		c[i] = (struct call){ fn, GS + i };
		stress_thread(&t[i], on_thread, &c[i]);
	}
	for (int i = 0; i < THREADS; i++)
		stress_join(t[i]);
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
}

/* Takes its time: mostly none; now and then lets others run, or the kernel. */
static void dally(uint64_t *r)
{
	switch (grt_rand_below(r, 32)) {
	case 0:
		goru_yield();
		break;
	case 1:
		stress_spin(grt_rand_below(r, 20000));
		break;
	case 2:
		if (grt_rand_below(r, 16) == 0)
			goru_sleep(grt_rand_below(r, 1500000));
		break;
	case 3:
		if (grt_rand_below(r, 16) == 0)
			goru_blocking(usleep(grt_rand_below(r, 100)));
		break;
	default:
		break;
	}
}

/* A lock by any of the forms. */
static bool took(int rc)
{
	CHECK(rc == 0 || rc == -ETIMEDOUT || rc == -EAGAIN);
	return rc == 0;
}

static int64_t soon(uint64_t *r)
{
	return goru_in(grt_rand_below(r, 3) ? grt_rand_below(r, 100000) : 0);
}

/* Mutex: what it guards is counted without atomics. */
static goru_mutex mu;
static uint64_t inside, entries;
static _Atomic uint64_t entered;

static void excludes(uint64_t salt)
{
	uint64_t r = stress_rand(salt), n = 0;

	while (stress_more()) {
		bool mine;

		switch (grt_rand_below(&r, 4)) {
		case 0:
			mine = took(goru_mutex_try_lock(&mu));
			break;
		case 1:
			mine = took(goru_mutex_lock_until(&mu, soon(&r)));
			break;
		default:
			mine = took(goru_mutex_lock(&mu));
			break;
		}
		if (!mine) {
			dally(&r);
			continue;
		}
		CHECK_EQ(inside++, 0);
		entries++;
		dally(&r);
		CHECK_EQ(--inside, 0);
		goru_mutex_unlock(&mu);
		n++;
		dally(&r);
	}
	atomic_fetch_add(&entered, n);
}

static void test_mutex(void **state)
{
	static const goru_mutex nobody;

	(void)state;
	together(excludes);
	CHECK_EQ(entries, atomic_load(&entered));
	CHECK(!memcmp(&mu, &nobody, sizeof(mu)) || goru_mutex_try_lock(&mu) == 0);
}

/* The same within brackets: who has no P locks, waits and unlocks all the same. */
static void in_brackets(uint64_t salt)
{
	uint64_t r = stress_rand(100 + salt);

	while (stress_more()) {
		goru_block_enter();
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		CHECK_EQ(inside++, 0);
		if (grt_rand_below(&r, 8) == 0)
			usleep(grt_rand_below(&r, 50));
		CHECK_EQ(--inside, 0);
		goru_mutex_unlock(&mu);
		goru_block_exit();
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		CHECK_EQ(inside++, 0);
		dally(&r);
		CHECK_EQ(--inside, 0);
		goru_mutex_unlock(&mu);
	}
}

static void test_brackets(void **state)
{
	(void)state;
	memset(&mu, 0, sizeof(mu));
	inside = 0;
	together(in_brackets);
}

/* Until both have had their turns; then as long as there is time. One who is kept out for ever is a hang. */
static bool more_turns(_Atomic uint64_t *turn)
{
	return atomic_load(&turn[0]) <= 2 || atomic_load(&turn[1]) <= 2 || stress_more();
}

/* One who holds it almost all the time cannot keep another out. */
static _Atomic uint64_t turns[2];

static void greedy(uint64_t salt)
{
	while (more_turns(turns)) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		stress_spin(10000);
		if (salt == 0)
			goru_yield();
		goru_mutex_unlock(&mu);
		atomic_fetch_add(&turns[0], 1);
	}
	goru_waitgroup_done(&all);
}

static void modest(void)
{
	while (more_turns(turns)) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		goru_mutex_unlock(&mu);
		atomic_fetch_add(&turns[1], 1);
		goru_sleep(50 * GORU_USEC);
	}
	goru_waitgroup_done(&all);
}

static void test_greedy(void **state)
{
	(void)state;
	goru_waitgroup_add(&all, 2);
	GO(greedy, 0);
	GO(modest);
	CHECK_EQ(goru_waitgroup_wait(&all), 0);
}

/* Read-write lock: writers alone, readers see what one writer left. */
static goru_rwlock rw;
static uint64_t pair[2];
static _Atomic int readers, writers;

static void reads_or_writes(uint64_t salt)
{
	uint64_t r = stress_rand(200 + salt);

	while (stress_more()) {
		bool write = grt_rand_below(&r, 4) == 0, mine;
		int64_t until = grt_rand_below(&r, 4) ? GORU_FOREVER : soon(&r);
		bool try = grt_rand_below(&r, 8) == 0;

		if (write)
			mine = took(try ? goru_rwlock_try_wrlock(&rw) :
					  goru_rwlock_wrlock_until(&rw, until));
		else
			mine = took(try ? goru_rwlock_try_rdlock(&rw) :
					  goru_rwlock_rdlock_until(&rw, until));
		if (!mine) {
			dally(&r);
		} else if (write) {
			CHECK_EQ(atomic_fetch_add(&writers, 1), 0);
			CHECK_EQ(atomic_load(&readers), 0);
			pair[0]++;
			dally(&r);
			pair[1]++;
			CHECK_EQ(atomic_fetch_sub(&writers, 1), 1);
			goru_rwlock_wrunlock(&rw);
		} else {
			atomic_fetch_add(&readers, 1);
			CHECK_EQ(atomic_load(&writers), 0);
			CHECK_EQ(pair[0], pair[1]);
			dally(&r);
			CHECK_EQ(pair[0], pair[1]);
			atomic_fetch_sub(&readers, 1);
			goru_rwlock_rdunlock(&rw);
		}
	}
}

static void test_rwlock(void **state)
{
	(void)state;
	together(reads_or_writes);
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), 0);
	goru_rwlock_wrunlock(&rw);
}

/* A stream of readers does not keep a writer out, nor the other way round. */
static _Atomic uint64_t had[2];

static void stream(bool write)
{
	while (more_turns(had)) {
		CHECK_EQ(write ? goru_rwlock_wrlock(&rw) : goru_rwlock_rdlock(&rw), 0);
		goru_yield();
		if (write)
			goru_rwlock_wrunlock(&rw);
		else
			goru_rwlock_rdunlock(&rw);
		atomic_fetch_add(&had[write], 1);
	}
	goru_waitgroup_done(&all);
}

static void test_streams(void **state)
{
	(void)state;
	for (int many = 0; many < 2; many++) {
		stress_again();
		atomic_store(&had[0], 0);
		atomic_store(&had[1], 0);
		goru_waitgroup_add(&all, 5);
		for (int i = 0; i < 5; i++)
			GO(stream, i ? many : !many);
		CHECK_EQ(goru_waitgroup_wait(&all), 0);
	}
}

/* Conditions: a bounded buffer. What goes in comes out, once. */
static goru_cond not_full, not_empty;
static uint64_t buffer[3], nbuffer, in_sum, out_sum;
static _Atomic int producers;

static void put_or_take(uint64_t salt)
{
	uint64_t r = stress_rand(300 + salt);
	bool puts = salt % 2;

	while (puts ? stress_more() : true) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		while (puts ? nbuffer == 3 : nbuffer == 0 && atomic_load(&producers)) {
			goru_cond *c = puts ? &not_full : &not_empty;
			int rc = grt_rand_below(&r, 4) ? goru_cond_wait(c, &mu) :
							 goru_cond_wait_until(c, &mu, soon(&r));

			CHECK(rc == 0 || rc == -ETIMEDOUT);
		}
		if (puts) {
			buffer[nbuffer] = grt_rand64(&r);
			in_sum += buffer[nbuffer++];
		} else if (nbuffer) {
			out_sum += buffer[--nbuffer];
		} else {
			goru_mutex_unlock(&mu);
			return;
		}
		dally(&r);
		/* with the mutex or after it */
		if (grt_rand_below(&r, 2)) {
			goru_cond_signal(puts ? &not_empty : &not_full);
			goru_mutex_unlock(&mu);
		} else {
			goru_mutex_unlock(&mu);
			goru_cond_signal(puts ? &not_empty : &not_full);
		}
		stress_progress();
	}
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	if (atomic_fetch_sub(&producers, 1) == 1)
		goru_cond_broadcast(&not_empty);
	goru_mutex_unlock(&mu);
}

static void test_buffer(void **state)
{
	(void)state;
	memset(&mu, 0, sizeof(mu));
	atomic_store(&producers, ALL / 2);
	together(put_or_take);
	CHECK_EQ(nbuffer, 0);
	CHECK(in_sum == out_sum);
}

/* Two take turns by signals alone: none may be lost, none come twice. */
static uint64_t turn;
static bool last;

static void ping_pong(uint64_t salt)
{
	bool go_on = true;

	while (go_on) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		while (turn % ALL != salt && !last)
			CHECK_EQ(goru_cond_wait(&not_full, &mu), 0);
		if (!last) {
			turn++;
			last = turn > ALL && !stress_more();
			goru_cond_broadcast(&not_full);
		}
		go_on = !last;
		goru_mutex_unlock(&mu);
	}
}

static void test_turns(void **state)
{
	(void)state;
	together(ping_pong);
}

/* A signal by one who times out is the next one's: as many signals as waits that had one. */
static uint64_t signals, heard;

static void hears(uint64_t salt)
{
	uint64_t r = stress_rand(400 + salt);

	while (stress_more()) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		if (grt_rand_below(&r, 2)) {
			if (heard + 1 <= signals || grt_rand_below(&r, 2))
				goru_cond_signal(&not_empty);
			signals++;
		} else if (goru_cond_wait_until(&not_empty, &mu, soon(&r)) == 0) {
			heard++;
		}
		CHECK(heard <= signals);
		goru_mutex_unlock(&mu);
	}
}

static void test_signals(void **state)
{
	(void)state;
	together(hears);
}

/* Semaphore: so many at once and no more; no unit is lost. */
static goru_sem sem;
enum { UNITS = 3 };
static _Atomic int holding;

static void holds_units(uint64_t salt)
{
	uint64_t r = stress_rand(500 + salt);

	while (stress_more()) {
		int n = 0, want = 1 + (int)grt_rand_below(&r, 2);

		while (n < want) {
			int rc = n || grt_rand_below(&r, 4) == 0 ? goru_sem_try_wait(&sem) :
				 grt_rand_below(&r, 2) ? goru_sem_wait_until(&sem, soon(&r)) :
							 goru_sem_wait(&sem);

			if (!took(rc))
				break;
			n++;
		}
		CHECK(atomic_fetch_add(&holding, n) + n <= UNITS);
		dally(&r);
		atomic_fetch_sub(&holding, n);
		if (n)
			goru_sem_post(&sem, (unsigned)n);
	}
}

static void test_sem(void **state)
{
	int n = 0;

	(void)state;
	goru_sem_post(&sem, UNITS);
	together(holds_units);
	while (goru_sem_try_wait(&sem) == 0)
		n++;
	CHECK_EQ(n, UNITS);
}

/* Once: everybody at once, over and over; all see what it did. */
static struct {
	goru_once o;
	uint64_t value;
} cells[64];
static _Atomic uint64_t cell;

static void fills(void *arg)
{
	uint64_t *value = arg;

	if (*value % 2 == 0)
		goru_yield();
	++*value;
}

static void does(uint64_t salt)
{
	(void)salt;
	for (;;) {
		uint64_t i = atomic_load(&cell);

		if (i >= 64)
			return;
		goru_once_do(&cells[i].o, fills, &cells[i].value);
		CHECK_EQ(cells[i].value, 1);
		atomic_compare_exchange_strong(&cell, &i, i + 1);
	}
}

static void test_once(void **state)
{
	(void)state;
	while (stress_more()) {
		memset(cells, 0, sizeof(cells));
		atomic_store(&cell, 0);
		together(does);
	}
}

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
static goru_mutex lost; /* held all the time */
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
				inside++;
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
			rc = goru_cond_wait_until(&not_full, &mu, soon(&r));
			goru_mutex_unlock(&mu);
			break;
		case 4:
			goru_cond_signal(&not_full);
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
	memset(&mu, 0, sizeof(mu));
	memset(&rw, 0, sizeof(rw));
	memset(&sem, 0, sizeof(sem));
	memset(&not_full, 0, sizeof(not_full));
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
}

STRESS_MAIN("stress/lock", cmocka_unit_test(test_mutex), cmocka_unit_test(test_brackets),
	    cmocka_unit_test(test_greedy), cmocka_unit_test(test_rwlock),
	    cmocka_unit_test(test_streams), cmocka_unit_test(test_buffer),
	    cmocka_unit_test(test_turns), cmocka_unit_test(test_signals),
	    cmocka_unit_test(test_sem), cmocka_unit_test(test_once), cmocka_unit_test(test_freed),
	    cmocka_unit_test(test_freed_by_many), cmocka_unit_test(test_shutdown))
