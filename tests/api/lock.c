/* lock.c - all locks together: what zero means, what the list of goroutines says, what a shutdown leaves. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>

#include "test.h"

static goru_mutex mu, other;
static goru_rwlock rw;
static goru_cond cond;
static goru_sem sem;
static goru_once once;
static _Atomic int ran;
static _Atomic bool got;

/* The objects begin anew: whatever waited on them has returned. */
static void anew(void)
{
	memset(&mu, 0, sizeof(mu));
	memset(&other, 0, sizeof(other));
	memset(&rw, 0, sizeof(rw));
	memset(&cond, 0, sizeof(cond));
	memset(&sem, 0, sizeof(sem));
	memset(&once, 0, sizeof(once));
	atomic_store(&ran, 0);
}

static void zero_is_what_the_initialisers_say(void)
{
	static const char zero[64];
	static const goru_mutex m = GORU_MUTEX_INIT;
	static const goru_rwlock l = GORU_RWLOCK_INIT;
	static const goru_cond c = GORU_COND_INIT;
	static const goru_sem s = GORU_SEM_INIT(0);
	static const goru_once o = GORU_ONCE_INIT;

	CHECK(!memcmp(&m, zero, sizeof(m)) && !memcmp(&l, zero, sizeof(l)) &&
	      !memcmp(&c, zero, sizeof(c)) && !memcmp(&s, zero, sizeof(s)) &&
	      !memcmp(&o, zero, sizeof(o)));
}

/* The list of goroutines says what each waits for. */

static void waits_for_lock(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
}

static void waits_to_read(void)
{
	CHECK_EQ(goru_rwlock_rdlock(&rw), 0);
}

static void waits_to_write(void)
{
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
}

static void waits_for_signal(void)
{
	CHECK_EQ(goru_mutex_lock(&other), 0);
	CHECK_EQ(goru_cond_wait(&cond, &other), 0);
}

static void waits_for_unit(void)
{
	CHECK_EQ(goru_sem_wait(&sem), 0);
}

static void never_ends(void *arg)
{
	(void)arg;
	goru_sleep(GORU_FOREVER);
}

static void does_once(void)
{
	goru_once_do(&once, never_ends, NULL);
}

static void owns(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
	goru_sleep(GORU_FOREVER);
}

static void everybody_waits(void)
{
	static void (*const fn[])(void) = { owns,	    waits_for_lock,   waits_to_read,
					    waits_to_write, waits_for_signal, waits_for_unit,
					    does_once,	    does_once };

	CHECK_EQ(goru_init(NULL), 0);
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(go(fn[i]), 0);
		UNTIL(test_parked() == i + 1);
	}
	goru_sem_post(&sem, INT32_MAX);
	goru_sem_post(&sem, INT32_MAX);
}

static void dump_says_what_they_wait_for(void)
{
	static struct test_end c;

	anew();
	test_child(everybody_waits, &c);
	test_drop_ages(c.err);
	CHECK(strstr(c.err, "\ngoroutine 2 [waiting: mutex]\n"));
	CHECK(strstr(c.err, "\ngoroutine 3 [waiting: rwlock, to read]\n"));
	CHECK(strstr(c.err, "\ngoroutine 4 [waiting: rwlock, to write]\n"));
	CHECK(strstr(c.err, "\ngoroutine 5 [waiting: condition]\n"));
	CHECK(strstr(c.err, "\ngoroutine 8 [waiting: once]\n"));
}

/* Shutdown: goroutines that wait are off every list, plain threads are canceled, and the objects go on. */

static _Atomic int canceled;

static void plain_waits(void)
{
	int rc;

	rc = goru_mutex_lock(&mu);
	CHECK_EQ(rc, -ECANCELED);
	CHECK_EQ(goru_rwlock_rdlock_until(&rw, 0), -ETIMEDOUT);
	atomic_fetch_add(&canceled, 1);
}

static void plain_reads(void)
{
	CHECK_EQ(goru_rwlock_rdlock(&rw), -ECANCELED);
	atomic_fetch_add(&canceled, 1);
}

static void plain_takes(void)
{
	CHECK_EQ(goru_sem_wait(&sem), -ECANCELED);
	atomic_fetch_add(&canceled, 1);
}

static void plain_waits_for_signal(void)
{
	CHECK_EQ(goru_mutex_lock(&other), 0);
	CHECK_EQ(goru_cond_wait(&cond, &other), -ECANCELED);
	CHECK_EQ(goru_mutex_try_lock(&other), -EAGAIN);
	goru_mutex_unlock(&other);
	atomic_fetch_add(&canceled, 1);
}

static void objects_survive_shutdown(void)
{
	static void (*const waits[])(void) = { plain_waits, plain_reads, plain_takes,
					       plain_waits_for_signal };
	pthread_t t[4];

	anew();
	atomic_store(&canceled, 0);
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
	CHECK_EQ(go(waits_for_lock), 0);
	CHECK_EQ(go(waits_to_read), 0);
	CHECK_EQ(go(waits_to_write), 0);
	CHECK_EQ(go(waits_for_signal), 0);
	CHECK_EQ(go(waits_for_unit), 0);
	for (int i = 0; i < 4; i++)
		test_thread(&t[i], waits[i]);
	UNTIL(test_asleep() == 9);
	CHECK_EQ(goru_shutdown(), 0);
	UNTIL(atomic_load(&canceled) == 4);
	for (int i = 0; i < 4; i++)
		test_join(t[i]);
	goru_mutex_unlock(&mu);
	goru_rwlock_wrunlock(&rw);
	goru_cond_broadcast(&cond);
	goru_sem_post(&sem, 1);
	CHECK_EQ(goru_sem_try_wait(&sem), 0);
	CHECK_EQ(goru_mutex_try_lock(&mu), 0);
	goru_mutex_unlock(&mu);
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), 0);
	goru_rwlock_wrunlock(&rw);
}

/* What was handed to a goroutine that never ran again is free. The OS may hold shutdown up until it did run: then again. */
static _Atomic int served;

static void waits_to_be_served(int kind)
{
	int rc;

	atomic_fetch_add(&ran, 1);
	if (kind == 0)
		rc = goru_mutex_lock(&mu);
	else
		rc = kind == 1 ? goru_rwlock_wrlock(&rw) : goru_rwlock_rdlock(&rw);
	CHECK_EQ(rc, 0);
	atomic_fetch_add(&served, 1);
}

static void computes(void)
{
	atomic_fetch_add(&ran, 1);
	while (!atomic_load(&got))
		;
	goru_sleep(GORU_FOREVER);
}

static void let_go(void)
{
	test_await_shutdown();
	atomic_store(&got, true);
}

/* Those who wait for a P do not get one: were they dropped, as it should be? */
static bool dropped(void)
{
	pthread_t t;

	test_thread(&t, let_go);
	CHECK_EQ(goru_shutdown(), 0);
	test_join(t);
	return !atomic_load(&served);
}

/* It is as if they had never waited: who waits from now on is woken. */
static void is_as_new(void)
{
	atomic_store(&ran, 0);
	atomic_store(&served, 0);
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(go(waits_to_be_served, 0), 0);
	UNTIL(test_asleep() == 1);
	goru_mutex_unlock(&mu);
	UNTIL(atomic_load(&served) == 1);
	CHECK_EQ(goru_shutdown(), 0);
}

static bool handed_over_once(int kind)
{
	anew();
	atomic_store(&served, 0);
	atomic_store(&got, false);
	CHECK_EQ(goru_set_procs(1), 0);
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
	CHECK_EQ(go(waits_to_be_served, 0), 0);
	CHECK_EQ(go(waits_to_be_served, kind), 0);
	UNTIL(test_asleep() == 2);
	CHECK_EQ(go(computes), 0); /* on the only P, while the two are served */
	UNTIL(atomic_load(&ran) == 3);
	goru_mutex_unlock(&mu);
	goru_rwlock_wrunlock(&rw);
	return dropped();
}

static void handed_over_and_dropped(void)
{
	unsigned n = goru_procs();

	test_handoff(false);
	for (int kind = 1; kind <= 2; kind++) {
		while (!handed_over_once(kind))
			;
		CHECK_EQ(goru_mutex_try_lock(&mu), 0);
		goru_mutex_unlock(&mu);
		CHECK_EQ(goru_rwlock_try_wrlock(&rw), 0);
		goru_rwlock_wrunlock(&rw);
		is_as_new();
	}
	test_handoff(true);
	CHECK_EQ(goru_set_procs(n), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

/* The same for one who had waited for long: the mutex was his by name. */
static void busy(void)
{
	int n = atomic_load(&ran);

	atomic_store(&got, false);
	CHECK_EQ(go(computes), 0);
	UNTIL(atomic_load(&ran) == n + 1);
}

static bool starved_once(void)
{
	anew();
	atomic_store(&served, 0);
	CHECK_EQ(goru_set_procs(1), 0);
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(go(waits_to_be_served, 0), 0);
	UNTIL(test_asleep() == 1);
	goru_sleep(2 * GORU_MSEC);
	busy();
	goru_mutex_unlock(&mu);	      /* it is woken, and finds it taken when it runs */
	if (goru_mutex_try_lock(&mu)) /* the only P was taken from the busy one meanwhile */
		return dropped();
	atomic_store(&got, true);
	UNTIL(test_asleep() == 2); /* and so does the busy one */
	busy();
	goru_mutex_unlock(&mu); /* handed over */
	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN);
	return dropped();
}

static void starved_and_dropped(void)
{
	unsigned n = goru_procs();

	test_handoff(false);
	while (!starved_once())
		;
	CHECK_EQ(goru_mutex_try_lock(&mu), 0);
	goru_mutex_unlock(&mu);
	test_handoff(true);
	CHECK_EQ(goru_set_procs(n), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

TEST_MAIN(TEST(zero_is_what_the_initialisers_say), TEST(dump_says_what_they_wait_for),
	  TEST(objects_survive_shutdown), TEST(handed_over_and_dropped), TEST(starved_and_dropped))
