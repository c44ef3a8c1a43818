/* lock.c - mutexes, read-write locks, conditions, semaphores, once: every form, every result, misuse. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

static goru_mutex mu;
static goru_rwlock rw;
static goru_cond cond;
static goru_sem sem;
static goru_once once;
static goru_waitgroup wg;
static _Atomic int ran, order;
static int counter;

/* The objects begin anew: whatever waited on them has returned. */
static void anew(void)
{
	memset(&mu, 0, sizeof(mu));
	memset(&rw, 0, sizeof(rw));
	memset(&cond, 0, sizeof(cond));
	memset(&sem, 0, sizeof(sem));
	memset(&once, 0, sizeof(once));
	memset(&wg, 0, sizeof(wg));
	atomic_store(&ran, 0);
	atomic_store(&order, 0);
	counter = 0;
}

static void start(int n, void (*fn)(void))
{
	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		CHECK_EQ(go(fn), 0);
}

static void all_ended(void)
{
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
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

/* Mutexes. */

static void counts(void)
{
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		counter++;
		if (i % 64 == 0)
			goru_yield();
		goru_mutex_unlock(&mu);
	}
	goru_waitgroup_done(&wg);
}

static void one_at_a_time(void)
{
	pthread_t t[2];

	anew();
	start(8, counts);
	goru_waitgroup_add(&wg, 2);
	for (int i = 0; i < 2; i++)
		test_thread(&t[i], counts);
	all_ended();
	for (int i = 0; i < 2; i++)
		test_join(t[i]);
	CHECK_EQ(counter, 10000);
}

static void does_not_get_it(void)
{
	int64_t t = goru_now();

	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN);
	CHECK_EQ(goru_mutex_lock_until(&mu, 0), -ETIMEDOUT);
	CHECK_EQ(goru_mutex_lock_until(&mu, goru_in(3 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 3 * GORU_MSEC);
	goru_waitgroup_done(&wg);
}

static void mutex_forms(void)
{
	pthread_t t;

	anew();
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN); /* one's own, too */
	start(1, does_not_get_it);
	all_ended();
	goru_waitgroup_add(&wg, 1);
	test_thread(&t, does_not_get_it);
	test_join(t);
	goru_mutex_unlock(&mu);
	CHECK_EQ(goru_mutex_try_lock(&mu), 0);
	goru_mutex_unlock(&mu);
	CHECK_EQ(goru_mutex_lock_until(&mu, INT64_MIN), 0); /* free: taken, however late */
	goru_mutex_unlock(&mu);
	CHECK_EQ(goru_mutex_lock_until(&mu, GORU_FOREVER), 0);
	goru_mutex_unlock(&mu);
}

/* One who has waited for a millisecond is next, however quick the others are. */
static _Atomic bool got;

static void patient(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	atomic_store(&got, true);
	goru_mutex_unlock(&mu);
	goru_waitgroup_done(&wg);
}

static void nobody_starves(void)
{
	anew();
	atomic_store(&got, false);
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	start(1, patient);
	UNTIL(test_asleep() == 1);
	for (int64_t end = goru_in(20 * GORU_SEC); !atomic_load(&got) && goru_now() < end;) {
		goru_yield(); /* with the mutex: who is woken finds it taken */
		goru_mutex_unlock(&mu);
		CHECK_EQ(goru_mutex_lock(&mu), 0);
	}
	CHECK(atomic_load(&got));
	goru_mutex_unlock(&mu);
	all_ended();
}

static void locks_in_brackets(void)
{
	for (int i = 0; i < 200; i++) {
		goru_block_enter();
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		counter++;
		if (i % 16 == 0)
			usleep(20);
		goru_mutex_unlock(&mu);
		goru_block_exit();
	}
	goru_waitgroup_done(&wg);
}

static void without_a_p(void)
{
	anew();
	start(4, locks_in_brackets);
	start(1, counts);
	all_ended();
	CHECK_EQ(counter, 4 * 200 + 1000);
}

/* Read-write locks. */

static void reads(void)
{
	CHECK_EQ(goru_rwlock_rdlock(&rw), 0);
	atomic_fetch_add(&ran, 1);
	UNTIL(atomic_load(&ran) == 4); /* all at once */
	goru_rwlock_rdunlock(&rw);
	goru_waitgroup_done(&wg);
}

static void readers_together(void)
{
	anew();
	start(4, reads);
	all_ended();
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), 0);
	goru_rwlock_wrunlock(&rw);
}

static void no_way_in(void)
{
	CHECK_EQ(goru_rwlock_try_rdlock(&rw), -EAGAIN);
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), -EAGAIN);
	CHECK_EQ(goru_rwlock_rdlock_until(&rw, 0), -ETIMEDOUT);
	CHECK_EQ(goru_rwlock_rdlock_until(&rw, goru_in(GORU_MSEC)), -ETIMEDOUT);
	CHECK_EQ(goru_rwlock_wrlock_until(&rw, 0), -ETIMEDOUT);
	CHECK_EQ(goru_rwlock_wrlock_until(&rw, goru_in(GORU_MSEC)), -ETIMEDOUT);
	goru_waitgroup_done(&wg);
}

static void rwlock_forms(void)
{
	pthread_t t;

	anew();
	CHECK_EQ(goru_rwlock_try_rdlock(&rw), 0);
	CHECK_EQ(goru_rwlock_rdlock_until(&rw, INT64_MIN), 0);
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), -EAGAIN);
	CHECK_EQ(goru_rwlock_wrlock_until(&rw, goru_in(GORU_MSEC)), -ETIMEDOUT);
	goru_rwlock_rdunlock(&rw);
	goru_rwlock_rdunlock(&rw);
	CHECK_EQ(goru_rwlock_wrlock_until(&rw, INT64_MIN), 0);
	CHECK_EQ(goru_rwlock_try_rdlock(&rw), -EAGAIN);
	CHECK_EQ(goru_rwlock_try_wrlock(&rw), -EAGAIN);
	start(1, no_way_in);
	all_ended();
	goru_waitgroup_add(&wg, 1);
	test_thread(&t, no_way_in);
	test_join(t);
	goru_rwlock_wrunlock(&rw);
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
	goru_rwlock_wrunlock(&rw);
}

static void gets(int what, int64_t patience)
{
	int rc;

	atomic_fetch_add(&ran, 1);
	rc = what == 'w' ? goru_rwlock_wrlock_until(&rw, goru_in(patience)) :
			   goru_rwlock_rdlock_until(&rw, goru_in(patience));
	if (rc) {
		CHECK_EQ(rc, -ETIMEDOUT);
		atomic_fetch_add(&order, 1000);
	} else {
		int before = atomic_load(&order);

		/* a digit each, in the order they came in: 1 reader, 2 writer */
		while (!atomic_compare_exchange_weak(&order, &before,
						     before * 10 + (what == 'w' ? 2 : 1)))
			;
		if (what == 'w')
			goru_rwlock_wrunlock(&rw);
		else
			goru_rwlock_rdunlock(&rw);
	}
	goru_waitgroup_done(&wg);
}

static void who_comes_next(int what, int64_t patience)
{
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(gets, what, patience), 0);
	UNTIL(test_asleep() == test_alive()); /* or its patience is over already */
}

/* A waiting writer holds readers back; one that gives up lets them go on. */
static void a_waiting_writer(void)
{
	anew();
	CHECK_EQ(goru_rwlock_rdlock(&rw), 0);
	who_comes_next('w', GORU_FOREVER);
	CHECK_EQ(goru_rwlock_try_rdlock(&rw), -EAGAIN);
	who_comes_next('r', GORU_FOREVER);
	CHECK_EQ(atomic_load(&order), 0);
	goru_rwlock_rdunlock(&rw);
	all_ended();
	CHECK_EQ(atomic_load(&order), 21);

	anew();
	CHECK_EQ(goru_rwlock_rdlock(&rw), 0);
	who_comes_next('w', 40 * GORU_MSEC);
	who_comes_next('r', GORU_FOREVER);
	all_ended(); /* with us inside all the time: the reader came in beside us */
	CHECK_EQ(atomic_load(&order), 10001);
	goru_rwlock_rdunlock(&rw);
}

/* After a writer the readers that wait go first, whoever came first; writers in their order. */
static void after_a_writer(void)
{
	anew();
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
	who_comes_next('w', GORU_FOREVER);
	who_comes_next('r', GORU_FOREVER);
	who_comes_next('w', GORU_FOREVER);
	who_comes_next('r', GORU_FOREVER);
	goru_rwlock_wrunlock(&rw);
	all_ended();
	CHECK_EQ(atomic_load(&order), 1122);
}

/* Conditions. */

static int stock;

static void takes_from_stock(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	atomic_fetch_add(&ran, 1);
	while (!stock)
		CHECK_EQ(goru_cond_wait(&cond, &mu), 0);
	stock--;
	counter++;
	goru_mutex_unlock(&mu);
	goru_waitgroup_done(&wg);
}

static void waits_once(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_cond_wait(&cond, &mu), 0);
	counter++;
	goru_mutex_unlock(&mu);
	goru_waitgroup_done(&wg);
}

static int counted(void)
{
	int n;

	CHECK_EQ(goru_mutex_lock(&mu), 0);
	n = counter;
	goru_mutex_unlock(&mu);
	return n;
}

static void signal_and_broadcast(void)
{
	pthread_t t[2];

	anew();
	stock = 0;
	goru_cond_signal(&cond); /* nobody: nothing, and nothing is kept */
	goru_cond_broadcast(&cond);
	start(3, waits_once);
	goru_waitgroup_add(&wg, 2);
	for (int i = 0; i < 2; i++)
		test_thread(&t[i], waits_once);
	UNTIL(test_asleep() == 5);
	CHECK_EQ(counted(), 0);
	goru_cond_signal(&cond);
	UNTIL(counted() == 1);
	goru_sleep(2 * GORU_MSEC);
	CHECK_EQ(counted(), 1); /* one, and none without a cause */
	goru_cond_broadcast(&cond);
	all_ended();
	CHECK_EQ(counted(), 5);
	for (int i = 0; i < 2; i++)
		test_join(t[i]);

	anew();
	start(6, takes_from_stock);
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		stock++;
		goru_cond_signal(&cond);
		goru_mutex_unlock(&mu);
	}
	all_ended();
	CHECK_EQ(counter, 6);
}

static void cond_deadlines(void)
{
	int64_t t = goru_now();

	anew();
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_cond_wait_until(&cond, &mu, INT64_MIN), -ETIMEDOUT);
	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN); /* held, whatever the result */
	CHECK_EQ(goru_cond_wait_until(&cond, &mu, goru_in(3 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 3 * GORU_MSEC);
	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN);
	goru_mutex_unlock(&mu);
}

static int64_t moment;

static void gives_up_at_the_moment(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_cond_wait_until(&cond, &mu, moment + 1), -ETIMEDOUT);
	goru_mutex_unlock(&mu);
	goru_waitgroup_done(&wg);
}

static void signals_at_the_moment(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_sleep_until(moment), 0);
	goru_cond_signal(&cond);
	goru_waitgroup_done(&wg);
}

static void computes_past_it(void)
{
	while (goru_now() < moment + 2 * GORU_MSEC)
		;
	goru_waitgroup_done(&wg);
}

/* Both deadlines have come when the one P looks next: the first waiter's wait is over, but it has not run, and still
 * stands first on the list when the signal comes. The signal is the next one's. */
static void who_times_out_uses_no_signal(void)
{
	unsigned n = goru_procs();

	anew();
	CHECK_EQ(goru_set_procs(1), 0);
	moment = goru_in(30 * GORU_MSEC);
	start(1, gives_up_at_the_moment);
	UNTIL(test_asleep() == test_alive()); /* or it is late, and has given up already */
	start(1, waits_once);
	UNTIL(test_asleep() == test_alive());
	start(1, signals_at_the_moment);
	UNTIL(test_asleep() == test_alive());
	start(1, computes_past_it);
	all_ended();
	CHECK_EQ(counter, 1);
	CHECK_EQ(goru_set_procs(n), 0);
}

/* Semaphores. */

static void takes_a_unit(int number)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_sem_wait(&sem), 0);

	int before = atomic_load(&order);

	while (!atomic_compare_exchange_weak(&order, &before, before * 10 + number))
		;
	goru_waitgroup_done(&wg);
}

static void sem_forms(void)
{
	int64_t t;

	anew();
	sem = (goru_sem)GORU_SEM_INIT(2);
	CHECK_EQ(goru_sem_wait(&sem), 0);
	CHECK_EQ(goru_sem_try_wait(&sem), 0);
	CHECK_EQ(goru_sem_try_wait(&sem), -EAGAIN);
	CHECK_EQ(goru_sem_wait_until(&sem, INT64_MIN), -ETIMEDOUT);
	t = goru_now();
	CHECK_EQ(goru_sem_wait_until(&sem, goru_in(3 * GORU_MSEC)), -ETIMEDOUT);
	CHECK(goru_now() - t >= 3 * GORU_MSEC);
	goru_sem_post(&sem, 0);
	CHECK_EQ(goru_sem_try_wait(&sem), -EAGAIN);
	goru_sem_post(&sem, 3);
	CHECK_EQ(goru_sem_wait_until(&sem, INT64_MIN), 0);
	CHECK_EQ(goru_sem_wait_until(&sem, GORU_FOREVER), 0);
	CHECK_EQ(goru_sem_wait(&sem), 0);
	goru_sem_post(&sem, INT32_MAX);
	CHECK_EQ(goru_sem_try_wait(&sem), 0);
	goru_sem_post(&sem, 1);
}

static void first_come_first_served(void)
{
	unsigned n = goru_procs();

	anew();
	CHECK_EQ(goru_set_procs(1),
		 0); /* so that the order they run in is the order they are served in */
	for (int i = 1; i <= 4; i++) {
		goru_waitgroup_add(&wg, 1);
		CHECK_EQ(go(takes_a_unit, i), 0);
		UNTIL(test_asleep() == i);
	}
	for (int i = 0; i < 2; i++) {
		goru_sem_post(&sem, 1);
		UNTIL(test_alive() == 3 - i);
	}
	CHECK_EQ(goru_sem_try_wait(&sem), -EAGAIN); /* units go to those who wait */
	goru_sem_post(&sem, 3);
	all_ended();
	CHECK_EQ(atomic_load(&order), 1234);
	CHECK_EQ(goru_sem_try_wait(&sem), 0); /* what was left */
	CHECK_EQ(goru_sem_try_wait(&sem), -EAGAIN);
	CHECK_EQ(goru_set_procs(n), 0);
}

/* Once. */

static void makes(void *arg)
{
	goru_sleep(2 * GORU_MSEC);
	*(int *)arg += 1;
}

static void all_need_it(void)
{
	goru_once_do(&once, makes, &counter);
	CHECK_EQ(counter, 1);
	goru_waitgroup_done(&wg);
}

static void runs_once(void)
{
	pthread_t t[2];

	anew();
	start(6, all_need_it);
	goru_waitgroup_add(&wg, 2);
	for (int i = 0; i < 2; i++)
		test_thread(&t[i], all_need_it);
	all_ended();
	for (int i = 0; i < 2; i++)
		test_join(t[i]);
	goru_once_do(&once, makes, &counter);
	CHECK_EQ(counter, 1);
}

/* Misuse, in a child each. */

static void run(void (*fn)(void *))
{
	goru_attr a = { .name = "worker" };

	CHECK_EQ(goru_go_attr(&a, fn, NULL), 0);
	sleep(20);
}

#define ON_GOROUTINE(name, ...)                                                                    \
	static void name##_body(void *arg)                                                         \
	{                                                                                          \
		(void)arg;                                                                         \
		__VA_ARGS__;                                                                       \
	}                                                                                          \
	static void name(void)                                                                     \
	{                                                                                          \
		run(name##_body);                                                                  \
	}                                                                                          \
	static void name##_plain(void)                                                             \
	{                                                                                          \
		name##_body(NULL);                                                                 \
	}

static void owns(void)
{
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
	atomic_fetch_add(&ran, 1);
	goru_sleep(GORU_FOREVER);
}

static void others_own(void)
{
	CHECK_EQ(go(owns), 0);
	UNTIL(atomic_load(&ran));
}

static void again(void *arg)
{
	goru_once_do(&once, again, arg);
}

ON_GOROUTINE(lock_twice, CHECK_EQ(goru_mutex_lock(&mu), 0); CHECK_EQ(goru_mutex_lock(&mu), 0))
ON_GOROUTINE(lock_twice_until, CHECK_EQ(goru_mutex_lock(&mu), 0);
	     CHECK_EQ(goru_mutex_lock_until(&mu, 0), 0))
ON_GOROUTINE(unlock_free, goru_mutex_unlock(&mu))
ON_GOROUTINE(unlock_others, others_own(); goru_mutex_unlock(&mu))
ON_GOROUTINE(wait_without, CHECK_EQ(goru_cond_wait(&cond, &mu), 0))
ON_GOROUTINE(write_twice, CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
	     CHECK_EQ(goru_rwlock_wrlock(&rw), 0))
ON_GOROUTINE(read_own, CHECK_EQ(goru_rwlock_wrlock(&rw), 0); CHECK_EQ(goru_rwlock_rdlock(&rw), 0))
ON_GOROUTINE(rdunlock_free, goru_rwlock_rdunlock(&rw))
ON_GOROUTINE(rdunlock_written, CHECK_EQ(goru_rwlock_wrlock(&rw), 0); goru_rwlock_rdunlock(&rw))
ON_GOROUTINE(wrunlock_free, goru_rwlock_wrunlock(&rw))
ON_GOROUTINE(wrunlock_others, others_own(); goru_rwlock_wrunlock(&rw))
ON_GOROUTINE(wrunlock_read, CHECK_EQ(goru_rwlock_rdlock(&rw), 0); goru_rwlock_wrunlock(&rw))
ON_GOROUTINE(post_too_many, goru_sem_post(&sem, INT32_MAX); goru_sem_post(&sem, 1))
ON_GOROUTINE(post_far_too_many, goru_sem_post(&sem, 1); goru_sem_post(&sem, UINT32_MAX))
ON_GOROUTINE(once_again, goru_once_do(&once, again, NULL))

/* The line: kind and address of the object, what was done, who did it, what else. */
static void dies(void (*fn)(void), const char *kind, void *object, const char *done,
		 const char *who, const char *else_)
{
	char want[256];

	anew();
	snprintf(want, sizeof(want), "goru: fatal: %s %p%s%s%s", kind, object, done, who, else_);
	CHECK_DIES(fn, want);
}
#define DIES(fn, ...)                                                                              \
	DIES_(fn, __VA_ARGS__, "goroutine 1 (worker)");                                            \
	DIES_(fn##_plain, __VA_ARGS__, "a plain thread")
#define DIES_(fn, kind, object, done, else_, who) dies(fn, kind, object, done, who, else_)

static void mutex_misuse(void)
{
	char its[64];

	DIES(lock_twice, "mutex", &mu, " locked again by ", ", which holds it");
	DIES(lock_twice_until, "mutex", &mu, " locked again by ", ", which holds it");
	DIES(unlock_free, "mutex", &mu, " unlocked by ", ", held by nobody");
	dies(unlock_others, "mutex", &mu, " unlocked by ", "goroutine 1 (worker)",
	     ", held by goroutine 2");
	dies(unlock_others_plain, "mutex", &mu, " unlocked by ", "a plain thread",
	     ", held by goroutine 1");
	snprintf(its, sizeof(its), " without its mutex %p", (void *)&mu);
	DIES(wait_without, "condition", &cond, " waited on by ", its);
}

static void rwlock_misuse(void)
{
	DIES(rdunlock_free, "rwlock", &rw, " read-unlocked without readers by ",
	     ", written by nobody");
	DIES(rdunlock_written, "rwlock", &rw, " read-unlocked without readers by ", "..");
	DIES(wrunlock_free, "rwlock", &rw, " write-unlocked by ", ", written by nobody");
	DIES(wrunlock_read, "rwlock", &rw, " write-unlocked by ", ", written by nobody");
	dies(wrunlock_others, "rwlock", &rw, " write-unlocked by ", "goroutine 1 (worker)",
	     ", written by goroutine 2");
	dies(wrunlock_others_plain, "rwlock", &rw, " write-unlocked by ", "a plain thread",
	     ", written by goroutine 1");
	DIES(read_own, "rwlock", &rw, " read-locked by ", "..");
	dies(write_twice, "rwlock", &rw, " locked again by ", "goroutine 1 (worker)",
	     ", written by goroutine 1 (worker)");
	dies(write_twice_plain, "rwlock", &rw, " locked again by ", "a plain thread",
	     ", written by a plain thread");
}

static void sem_and_once_misuse(void)
{
	DIES(post_too_many, "semaphore", &sem, ": count out of range (2147483648) in ", "");
	DIES(post_far_too_many, "semaphore", &sem, ": count out of range (4294967296) in ", "");
	DIES(once_again, "once", &once, " done again from its own function, by ", "");
}

/* The list of goroutines says what each waits for. */

static void waits_for_lock(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_mutex_lock(&mu), 0);
}

static void waits_to_read(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_rwlock_rdlock(&rw), 0);
}

static void waits_to_write(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
}

static goru_mutex other;

static void waits_for_signal(void)
{
	CHECK_EQ(goru_mutex_lock(&other), 0);
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_cond_wait(&cond, &other), 0);
}

static void waits_for_unit(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_sem_wait(&sem), 0);
}

static void never_ends(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ran, 1);
	goru_sleep(GORU_FOREVER);
}

static void does_once(void)
{
	goru_once_do(&once, never_ends, NULL);
}

static void everybody_waits(void)
{
	static void (*const fn[])(void) = { owns,	    waits_for_lock,   waits_to_read,
					    waits_to_write, waits_for_signal, waits_for_unit,
					    does_once,	    does_once };

	CHECK_EQ(goru_init(NULL), 0);
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(go(fn[i]), 0);
		UNTIL(test_asleep() == i + 1);
	}
	goru_sem_post(&sem, INT32_MAX);
	goru_sem_post(&sem, INT32_MAX);
}

static void dump_says_what_they_wait_for(void)
{
	static struct test_end c;

	anew();
	test_child(everybody_waits, &c);
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

	atomic_fetch_add(&ran, 1);
	rc = goru_mutex_lock(&mu);
	CHECK_EQ(rc, -ECANCELED);
	CHECK_EQ(goru_rwlock_rdlock_until(&rw, 0), -ETIMEDOUT);
	atomic_fetch_add(&canceled, 1);
}

static void plain_reads(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_rwlock_rdlock(&rw), -ECANCELED);
	atomic_fetch_add(&canceled, 1);
}

static void plain_takes(void)
{
	atomic_fetch_add(&ran, 1);
	CHECK_EQ(goru_sem_wait(&sem), -ECANCELED);
	atomic_fetch_add(&canceled, 1);
}

static void plain_waits_for_signal(void)
{
	CHECK_EQ(goru_mutex_lock(&other), 0);
	atomic_fetch_add(&ran, 1);
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
	memset(&other, 0, sizeof(other));
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

/* What was handed to a goroutine that never ran again is free. */
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

static void handed_over_and_dropped(void)
{
	unsigned n = goru_procs();
	pthread_t t;

	for (int writer = 0; writer < 2; writer++) {
		anew();
		atomic_store(&got, false);
		CHECK_EQ(goru_set_procs(1), 0);
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		CHECK_EQ(goru_rwlock_wrlock(&rw), 0);
		CHECK_EQ(go(waits_for_lock), 0);
		CHECK_EQ(go(writer ? waits_to_write : waits_to_read), 0);
		UNTIL(test_asleep() == 2);
		CHECK_EQ(go(computes), 0); /* on the only P, while the two are served */
		UNTIL(atomic_load(&ran) == 3);
		goru_mutex_unlock(&mu);
		goru_rwlock_wrunlock(&rw);
		test_thread(&t, let_go);
		CHECK_EQ(goru_shutdown(), 0);
		test_join(t);
		CHECK_EQ(goru_mutex_try_lock(&mu), 0);
		goru_mutex_unlock(&mu);
		CHECK_EQ(goru_rwlock_try_wrlock(&rw), 0);
		goru_rwlock_wrunlock(&rw);
	}
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

static void starved_and_dropped(void)
{
	unsigned n = goru_procs();
	pthread_t t;

	anew();
	CHECK_EQ(goru_set_procs(1), 0);
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	CHECK_EQ(go(waits_for_lock), 0);
	UNTIL(test_asleep() == 1);
	busy();
	goru_mutex_unlock(&mu); /* it is woken, and finds it taken when it runs */
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	goru_sleep(2 * GORU_MSEC); /* and has waited for long */
	atomic_store(&got, true);
	UNTIL(test_asleep() == 2);
	busy();
	goru_mutex_unlock(&mu); /* handed over */
	CHECK_EQ(goru_mutex_try_lock(&mu), -EAGAIN);
	test_thread(&t, let_go);
	CHECK_EQ(goru_shutdown(), 0);
	test_join(t);
	CHECK_EQ(goru_mutex_try_lock(&mu), 0);
	goru_mutex_unlock(&mu);
	CHECK_EQ(goru_set_procs(n), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

TEST_MAIN(TEST(zero_is_what_the_initialisers_say), TEST(mutex_misuse), TEST(rwlock_misuse),
	  TEST(sem_and_once_misuse), TEST(dump_says_what_they_wait_for), TEST_BOTH(one_at_a_time),
	  TEST_BOTH(mutex_forms), TEST_BOTH(nobody_starves), TEST_BOTH(without_a_p),
	  TEST_BOTH(readers_together), TEST_BOTH(rwlock_forms), TEST_BOTH(a_waiting_writer),
	  TEST_BOTH(after_a_writer), TEST_BOTH(signal_and_broadcast), TEST_BOTH(cond_deadlines),
	  TEST_BOTH(who_times_out_uses_no_signal), TEST_BOTH(sem_forms),
	  TEST_BOTH(first_come_first_served), TEST_BOTH(runs_once), TEST(objects_survive_shutdown),
	  TEST(handed_over_and_dropped), TEST(starved_and_dropped))
