/* lock.c - locks exclude, wake whom they must, and are not touched any more once another may free them. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

#include "sched/ready.h"

#include <errno.h>

#include "goru.h"

static goru_mutex mu;
static goru_rwlock rw;
static goru_cond cond;
static goru_sem sem;
static goru_once once;
static int count, flag, heard, waits;

static void nothing(void) {}

/* Mutex. count is plain memory: two inside at once, or in no order, are a race. */

static void adds_one(void)
{
	CHECK(goru_mutex_lock(&mu) == 0);
	count++;
	goru_mutex_unlock(&mu);
}

static void adds_two(void)
{
	adds_one();
	adds_one();
}

static void adds_until(void)
{
	int rc = goru_mutex_lock_until(&mu, model_now + 1);

	CHECK(rc == 0 || rc == -ETIMEDOUT);
	if (rc)
		return;
	count++;
	goru_mutex_unlock(&mu);
}

static void tries(void)
{
	int rc = goru_mutex_try_lock(&mu);

	CHECK(rc == 0 || rc == -EAGAIN);
	if (rc)
		return;
	count++;
	goru_mutex_unlock(&mu);
}

static void is_free(void)
{
	CHECK(goru_mutex_try_lock(&mu) == 0);
	goru_mutex_unlock(&mu);
	CHECK(mu.word[0] == 0);
}

static void two_added(void)
{
	CHECK(count == 2);
	is_free();
}

static void three_added(void)
{
	CHECK(count == 3);
	is_free();
}

static void four_added(void)
{
	CHECK(count == 4);
	is_free();
}

/* Who has waited for a tick is handed the mutex. */
static void impatient(void)
{
	kit_tick = 1000000;
}

static void sets(void)
{
	CHECK(goru_mutex_lock(&mu) == 0);
	flag = 1;
	goru_mutex_unlock(&mu);
}

static void frees_after_set(void)
{
	CHECK(goru_mutex_lock(&mu) == 0);
	if (!flag) {
		goru_mutex_unlock(&mu);
		return;
	}
	model_dead(&mu, sizeof(mu));
	model_step();
}

/* A goroutine and a plain thread. */
static struct m m0;
static struct p p0;
static struct g *g;
static int ended;

static void locks(void *word)
{
	(void)word;
	grt_leave(&m0);
	adds_one();
	ended++;
	grt_enter();
	kit_end();
}

static void a_goroutine(void)
{
	kit_p(&p0, 0, &m0);
	g = kit_g(locks);
}

static void worker(void)
{
	struct m *m = kit_begin(&m0, &p0);

	grt_run(m, &p0, g);
	while (!ended) {
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

/* Semaphore. */

static void one_unit(void)
{
	goru_sem_post(&sem, 1);
}

static void uses_unit(void)
{
	CHECK(goru_sem_wait(&sem) == 0);
	count++;
	goru_sem_post(&sem, 1);
}

static void gives(void)
{
	flag = 1;
	goru_sem_post(&sem, 1);
}

static void receives_and_frees(void)
{
	CHECK(goru_sem_wait(&sem) == 0);
	CHECK(flag == 1);
	model_dead(&sem, sizeof(sem));
	model_step();
}

static void receives(void)
{
	CHECK(goru_sem_wait(&sem) == 0);
	CHECK(flag == 1);
	heard = 1;
	model_step();
}

static void receives_until(void)
{
	int rc = goru_sem_wait_until(&sem, model_now + 1);

	CHECK(rc == -ETIMEDOUT || (rc == 0 && flag == 1));
	waits = rc == 0;
	model_step();
}

/* A unit that came is with one of the two or in the semaphore. */
static void unit_is_somewhere(void)
{
	CHECK(heard + waits == 1);
}

static void unit_or_none(void)
{
	CHECK((goru_sem_try_wait(&sem) == 0) == !waits);
}

/* Read-write lock. */

static void writes(void)
{
	CHECK(goru_rwlock_wrlock(&rw) == 0);
	count++;
	goru_rwlock_wrunlock(&rw);
}

static void writes_until(void)
{
	int rc = goru_rwlock_wrlock_until(&rw, model_now + 1);

	CHECK(rc == 0 || rc == -ETIMEDOUT);
	if (rc)
		return;
	count++;
	goru_rwlock_wrunlock(&rw);
}

static void reads(void)
{
	int n;

	CHECK(goru_rwlock_rdlock(&rw) == 0);
	n = count;
	model_step();
	CHECK(n == count);
	goru_rwlock_rdunlock(&rw);
}

static void reads_until(void)
{
	int n, rc = goru_rwlock_rdlock_until(&rw, model_now + 1);

	CHECK(rc == 0 || rc == -ETIMEDOUT);
	if (rc)
		return;
	n = count;
	model_step();
	CHECK(n == count);
	goru_rwlock_rdunlock(&rw);
}

static void writes_and_frees(void)
{
	CHECK(goru_rwlock_wrlock(&rw) == 0);
	if (!flag) {
		goru_rwlock_wrunlock(&rw);
		return;
	}
	model_dead(&rw, sizeof(rw));
	model_step();
}

static void sets_writing(void)
{
	CHECK(goru_rwlock_wrlock(&rw) == 0);
	flag = 1;
	goru_rwlock_wrunlock(&rw);
}

/* Whose stay the init began. */
static void leaves_reading(void)
{
	flag = 1;
	goru_rwlock_rdunlock(&rw);
}

static void one_reader(void)
{
	CHECK(goru_rwlock_rdlock(&rw) == 0);
}

static void rw_is_free(void)
{
	CHECK(goru_rwlock_try_wrlock(&rw) == 0);
	goru_rwlock_wrunlock(&rw);
	CHECK(rw.word[0] == 0);
}

/* Condition. */

static void waits_for_flag(void)
{
	CHECK(goru_mutex_lock(&mu) == 0);
	while (!flag)
		CHECK(goru_cond_wait(&cond, &mu) == 0);
	goru_mutex_unlock(&mu);
}

static void raises_flag(void)
{
	CHECK(goru_mutex_lock(&mu) == 0);
	flag = 1;
	goru_cond_signal(&cond);
	goru_mutex_unlock(&mu);
}

static void raises_flag_for_all(void)
{
	CHECK(goru_mutex_lock(&mu) == 0);
	flag = 1;
	goru_mutex_unlock(&mu);
	goru_cond_broadcast(&cond);
}

/* Who was woken may free the condition: the waker has let it go. */
static void waits_and_frees(void)
{
	CHECK(goru_mutex_lock(&mu) == 0);
	if (!flag) {
		CHECK(goru_cond_wait(&cond, &mu) == 0);
		CHECK(flag);
		model_dead(&cond, sizeof(cond));
		model_step();
	}
	goru_mutex_unlock(&mu);
}

/* The signal is heard by a waiter, or there was none. */
static void hears(void)
{
	CHECK(goru_mutex_lock(&mu) == 0);
	waits++;
	CHECK(goru_cond_wait(&cond, &mu) == 0);
	heard++;
	goru_mutex_unlock(&mu);
}

static void hears_until(void)
{
	int rc;

	CHECK(goru_mutex_lock(&mu) == 0);
	waits++;
	rc = goru_cond_wait_until(&cond, &mu, model_now + 1);
	CHECK(rc == 0 || rc == -ETIMEDOUT);
	if (rc == 0)
		heard++;
	else
		waits--;
	goru_mutex_unlock(&mu);
}

/* With both waiting, or none: one more hears it than before. */
static void signals_waiters(void)
{
	bool any;

	CHECK(goru_mutex_lock(&mu) == 0);
	any = waits == 2;
	if (any)
		goru_cond_signal(&cond);
	flag = any;
	goru_mutex_unlock(&mu);
}

static void signal_was_heard(void)
{
	CHECK(heard == flag);
}

/* Once. */

static void counts(void *arg)
{
	(void)arg;
	count++;
}

static void does(void)
{
	goru_once_do(&once, counts, NULL);
	CHECK(count == 1);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "lock/mutex", nothing, { adds_one, adds_one }, two_added },
		{ "lock/barging",
		  nothing,
		  { adds_two, adds_two },
		  four_added,
		  .switches = 3,
		  .old = 1 },
		{ "lock/three",
		  nothing,
		  { adds_one, adds_one, adds_one },
		  three_added,
		  .switches = 2,
		  .old = 1 },
		{ "lock/starving",
		  impatient,
		  { adds_two, adds_one, adds_one },
		  four_added,
		  .switches = 2,
		  .old = 1 },
		{ "lock/until",
		  nothing,
		  { adds_until, adds_one, adds_one },
		  is_free,
		  .switches = 2,
		  .old = 1 },
		{ "lock/gives-up",
		  impatient,
		  { adds_until, adds_two, tries },
		  is_free,
		  .switches = 3,
		  .old = 1 },
		{ "lock/try", nothing, { tries, adds_one }, is_free },
		{ "lock/free", nothing, { frees_after_set, sets } },
		{ "lock/goroutine", a_goroutine, { worker, adds_one }, two_added },
		{ "lock/sem", one_unit, { uses_unit, uses_unit }, nothing },
		{ "lock/sem-three",
		  one_unit,
		  { uses_unit, uses_unit, uses_unit },
		  nothing,
		  .switches = 2,
		  .old = 1 },
		{ "lock/sem-free", nothing, { receives_and_frees, gives } },
		{ "lock/sem-until", nothing, { receives_until, gives }, unit_or_none },
		{ "lock/sem-two",
		  nothing,
		  { receives_until, receives, gives },
		  unit_is_somewhere,
		  .sleepers = 2,
		  .switches = 2,
		  .old = 1 },
		{ "lock/rwlock", nothing, { writes, reads }, rw_is_free },
		{ "lock/rw-three",
		  nothing,
		  { writes, reads, writes },
		  rw_is_free,
		  .switches = 2,
		  .old = 1 },
		{ "lock/rw-until",
		  one_reader,
		  { leaves_reading, writes_until, reads },
		  rw_is_free,
		  .switches = 2,
		  .old = 1 },
		{ "lock/rw-readers",
		  nothing,
		  { writes, reads_until, reads },
		  rw_is_free,
		  .switches = 2,
		  .old = 1 },
		{ "lock/rw-free", one_reader, { leaves_reading, writes_and_frees } },
		{ "lock/rw-written", nothing, { sets_writing, writes_and_frees } },
		{ "lock/cond", nothing, { waits_for_flag, raises_flag }, is_free },
		{ "lock/broadcast",
		  nothing,
		  { waits_for_flag, waits_for_flag, raises_flag_for_all },
		  is_free,
		  .switches = 1,
		  .old = 1 },
		{ "lock/cond-free", nothing, { waits_and_frees, raises_flag_for_all }, is_free },
		{ "lock/cond-until",
		  nothing,
		  { hears_until, hears, signals_waiters },
		  signal_was_heard,
		  .sleepers = 2,
		  .switches = 1,
		  .old = 1 },
		{ "lock/once", nothing, { does, does } },
		{ "lock/once-three", nothing, { does, does, does }, .switches = 2, .old = 1 },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
