/* mix.c - every kind of call in any order, nested in each other, while Ps come and go: the books balance. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <fcntl.h>
#include <goru/errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOOPS = 16, THREADS = 2, DEEP = 3, CHANS = 4, ONCES = 64 };

/* Whoever acts: a goroutine, or a thread, which has no scope and is tied to itself. */
struct one {
	uint64_t r;
	int depth;
	bool plain;
};

static goru_chan *chans[CHANS];
static _Atomic uint64_t sent, received; /* sums of what was */
static goru_mutex mu;
static uint64_t guarded; /* mu's */
static _Atomic uint64_t entered;
static goru_rwlock rw;
static uint64_t twin[2]; /* rw's: always alike */
static goru_sem one_unit = GORU_SEM_INIT(1);
static _Atomic bool unit_taken;
static goru_cond filled;
static uint64_t tokens; /* mu's */
static _Atomic uint64_t tokens_put, tokens_taken;
static _Atomic int64_t timers_due; /* that have yet to go off, or to be stopped */
static goru_once onces[ONCES];
static _Atomic int onces_done[ONCES];
static goru_local_key key;
static _Atomic int with_local;
static goru_waitgroup everybody;
static _Atomic bool stop;

static void some(struct one *o, unsigned n);

static unsigned below(struct one *o, unsigned n)
{
	return (unsigned)grt_rand_below(&o->r, n);
}

static struct one *child(struct one *o)
{
	struct one *c = malloc(sizeof(*c));

	CHECK(c);
	*c = (struct one){ .r = stress_rand(o->r), .depth = o->depth + 1 };
	o->r += 2;
	return c;
}

static int64_t soon(struct one *o)
{
	return below(o, 4) ? goru_in(below(o, 200000)) : 0;
}

/* What ends a wait that was not for ever; a thread has no scope. */
static void check_end(struct one *o, int rc)
{
	CHECK(rc == -ETIMEDOUT || (rc == -ECANCELED && !o->plain));
}

static void check_if(struct one *o, int rc)
{
	if (rc)
		check_end(o, rc);
}

static void sends(struct one *o)
{
	uint64_t v = 1 + below(o, 1000);
	goru_chan *c = chans[below(o, CHANS)];
	int rc = below(o, 2) ? goru_chan_send_until(c, &v, soon(o)) : goru_chan_try_send(c, &v);

	if (rc == 0)
		atomic_fetch_add(&sent, v);
	else if (rc != -EAGAIN)
		check_end(o, rc);
}

static void receives(struct one *o)
{
	uint64_t v = 0;
	goru_chan *c = chans[below(o, CHANS)];
	int rc = below(o, 2) ? goru_chan_recv_until(c, &v, soon(o)) : goru_chan_try_recv(c, &v);

	CHECK((rc == 1) == (v != 0));
	if (rc == 1)
		atomic_fetch_add(&received, v);
	else if (rc != -EAGAIN)
		check_end(o, rc);
}

static void selects(struct one *o)
{
	uint64_t in[2] = { 0, 0 }, out = 1 + below(o, 1000);
	unsigned at = below(o, CHANS);
	goru_case k[] = { GORU_RECV(chans[at], &in[0]), GORU_SEND(chans[(at + 1) % CHANS], &out),
			  GORU_RECV(chans[(at + 2) % CHANS], &in[1]), GORU_RECV(NULL, NULL) };
	int rc = below(o, 3) ? goru_select_until(k, 4, soon(o)) : goru_try_select(k, 4);

	CHECK((rc == 0) == (in[0] != 0) && (rc == 2) == (in[1] != 0));
	if (rc == 1)
		atomic_fetch_add(&sent, out);
	else if (rc >= 0)
		atomic_fetch_add(&received, in[0] + in[1]);
	else if (rc != -EAGAIN)
		check_end(o, rc);
}

/* A channel of its own, and one who sends until it is closed. */
static void feeds(goru_chan *c)
{
	uint64_t v = 7;

	while (goru_chan_send(c, &v) == 0)
		;
	goru_chan_unref(c);
	goru_waitgroup_done(&everybody);
}

static void is_fed(struct one *o)
{
	goru_chan *c = goru_chan_make(8, below(o, 3));
	int n = (int)below(o, 20), rc = 1;
	uint64_t v;

	CHECK(c);
	goru_waitgroup_add(&everybody, 1);
	GO(feeds, goru_chan_ref(c));
	while (n-- > 0 && rc == 1) {
		v = 0;
		rc = goru_chan_recv(c, &v);
		CHECK(rc == 1 ? v == 7 : rc < 0);
	}
	if (rc < 0)
		check_end(o, rc);
	CHECK_EQ(goru_chan_close(c), 0);
	goru_chan_unref(c);
}

static void locks(struct one *o)
{
	int rc = below(o, 2) ? goru_mutex_lock(&mu) : goru_mutex_lock_until(&mu, soon(o));

	if (rc) {
		check_end(o, rc);
		return;
	}
	guarded++;
	if (!below(o, 8))
		goru_yield();
	atomic_fetch_add(&entered, 1);
	goru_mutex_unlock(&mu);
}

static void reads_or_writes(struct one *o)
{
	bool writes = !below(o, 3);
	int rc = writes	     ? goru_rwlock_wrlock_until(&rw, soon(o)) :
		 below(o, 2) ? goru_rwlock_rdlock(&rw) :
			       goru_rwlock_rdlock_until(&rw, soon(o));

	if (rc) {
		check_end(o, rc);
		return;
	}
	if (writes)
		twin[0]++;
	if (!below(o, 4))
		goru_yield();
	if (writes)
		twin[1]++;
	CHECK_EQ(twin[0], twin[1]);
	if (writes)
		goru_rwlock_wrunlock(&rw);
	else
		goru_rwlock_rdunlock(&rw);
}

static void takes_unit(struct one *o)
{
	int rc = below(o, 2) ? goru_sem_wait(&one_unit) : goru_sem_wait_until(&one_unit, soon(o));

	if (rc) {
		check_end(o, rc);
		return;
	}
	CHECK(!atomic_exchange(&unit_taken, true));
	if (!below(o, 4))
		goru_yield();
	atomic_store(&unit_taken, false);
	goru_sem_post(&one_unit, 1);
}

static void puts_token(struct one *o)
{
	goru_shield_enter();
	CHECK_EQ(goru_mutex_lock(&mu), 0);
	goru_shield_exit();
	tokens++;
	atomic_fetch_add(&tokens_put, 1);
	if (below(o, 2))
		goru_cond_signal(&filled);
	else
		goru_cond_broadcast(&filled);
	goru_mutex_unlock(&mu);
}

static void takes_token(struct one *o)
{
	int64_t until = soon(o);
	int rc = goru_mutex_lock(&mu);

	if (rc) {
		check_end(o, rc);
		return;
	}
	while (!tokens && rc == 0)
		rc = goru_cond_wait_until(&filled, &mu, until);
	if (tokens) {
		tokens--;
		atomic_fetch_add(&tokens_taken, 1);
	} else {
		check_end(o, rc);
	}
	goru_mutex_unlock(&mu);
}

static void goes_off(void *arg)
{
	(void)arg;
	atomic_fetch_sub(&timers_due, 1);
}

/* Its memory is ours again after each call. */
static void timers(struct one *o)
{
	goru_timer t = GORU_TIMER_INIT;

	atomic_fetch_add(&timers_due, 1);
	CHECK_EQ(goru_timer_start(&t, soon(o), 0, goes_off, NULL), 0);
	if (below(o, 2))
		some(o, 1);
	if (below(o, 2) && goru_timer_stop(&t) == 1)
		atomic_fetch_sub(&timers_due, 1);
}

static void after(struct one *o)
{
	goru_chan *c = goru_after(below(o, 100000));
	int rc;

	CHECK(c);
	rc = below(o, 2) ? goru_chan_recv(c, NULL) : 1; /* or forgotten */
	if (rc != 1)
		check_end(o, rc);
	goru_chan_unref(c);
}

static void sleeps(struct one *o)
{
	check_if(o, goru_sleep(below(o, 3) ? below(o, 50000) : 0));
}

static void yields(struct one *o)
{
	int e = (int)below(o, 100);

	errno = e;
	goru_yield();
	CHECK_EQ(errno, e);
}

static void done_once(void *arg)
{
	_Atomic int *done = arg;

	goru_yield();
	atomic_fetch_add(done, 1);
}

static void once(struct one *o)
{
	unsigned i = below(o, ONCES);

	goru_once_do(&onces[i], done_once, &onces_done[i]);
	CHECK_EQ(atomic_load(&onces_done[i]), 1);
}

static void blocks(struct one *o)
{
	goru_block_enter();
	if (below(o, 2))
		usleep(below(o, 300));
	if (below(o, 2))
		receives(o); /* takes a P for that, and gives it up again */
	goru_block_exit();
}

static void computes(struct one *o)
{
	stress_spin(below(o, 50) ? below(o, 20000) : 12000000);
}

static void keeps_local(struct one *o)
{
	CHECK(goru_local_get(key) == o);
}

/* From here on for goroutines only. */

static void acts(struct one *o)
{
	CHECK_EQ(goru_local_set(key, o), 0);
	atomic_fetch_add(&with_local, 1);
	some(o, 1 + below(o, 6));
}

struct family {
	goru_scope scope;
	_Atomic int alive;
};

static void member(struct family *f, struct one *o)
{
	bool exits = !below(o, 3);

	acts(o);
	if (!below(o, 4))
		goru_scope_cancel(&f->scope);
	free(o);
	atomic_fetch_sub(&f->alive, 1);
	if (exits)
		goru_exit();
}

static void opens_scope(struct one *o)
{
	struct family *f = calloc(1, sizeof(*f));
	unsigned n = o->depth < DEEP ? below(o, 4) : 0;
	int rc;

	CHECK(f);
	CHECK_EQ(goru_scope_open(&f->scope, below(o, 2) ? GORU_FOREVER : soon(o)), 0);
	atomic_store(&f->alive, (int)n);
	while (n-- > 0)
		CHECK_EQ(goru_scope_go(&f->scope, member, f, child(o)), 0);
	some(o, below(o, 4));
	if (!below(o, 4))
		CHECK_EQ(goru_scope_fail(&f->scope, -EIO), 0);
	rc = goru_scope_close(&f->scope);
	CHECK(rc == 0 || rc == -EIO || rc == -ECANCELED || rc == -ETIMEDOUT);
	CHECK_EQ(atomic_load(&f->alive), 0);
	free(f);
}

static void shields(struct one *o)
{
	goru_shield_enter();
	CHECK_EQ(goru_scope_error(), 0);
	some(o, below(o, 3));
	goru_shield_exit();
}

static void works(goru_waitgroup *wg, struct one *o)
{
	acts(o);
	free(o);
	goru_waitgroup_done(wg);
}

/* Its memory, this frame, is free as soon as the wait is over. */
static void waits_for_all(struct one *o)
{
	goru_waitgroup wg = GORU_WAITGROUP_INIT;
	int n = o->depth < DEEP ? (int)below(o, 4) : 0;

	goru_waitgroup_add(&wg, n);
	while (n-- > 0)
		GO(works, &wg, child(o));
	if (below(o, 2))
		check_if(o, goru_waitgroup_wait_until(&wg, soon(o)));
	goru_shield_enter();
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	goru_shield_exit();
}

static void *task(void *arg)
{
	struct one *o = arg;

	acts(o);
	if (!below(o, 3))
		goru_exit();
	return o;
}

static void joins(struct one *o)
{
	struct one *c = o->depth < DEEP ? child(o) : NULL;
	goru_task *t;
	void *result;
	int rc;

	if (!c)
		return;
	CHECK_EQ(goru_task_start(&t, task, c), 0);
	rc = goru_task_join_until(t, &result, soon(o));
	if (rc) {
		check_end(o, rc);
		goru_shield_enter();
		CHECK_EQ(goru_task_join(t, &result), 0);
		goru_shield_exit();
	}
	CHECK(result == c || !result);
	free(c);
}

static void ties(struct one *o)
{
	long tid;

	CHECK_EQ(goru_lock_thread(), 0);
	tid = syscall(SYS_gettid);
	some(o, 1 + below(o, 2));
	CHECK_EQ(syscall(SYS_gettid), tid);
	CHECK_EQ(goru_unlock_thread(), 0);
}

static void on_big(void *arg)
{
	volatile char room[100000];

	room[0] = room[sizeof(room) - 1] = 1;
	some(arg, 1);
}

static void grows(struct one *o)
{
	CHECK_EQ(goru_call_on_big_stack((size_t)512 << 10, on_big, o), 0);
}

static void (*const acts_of_all[])(struct one *) = {
	sends,	    receives,	 selects,  locks,	reads_or_writes, takes_unit,
	puts_token, takes_token, timers,   after,	sleeps,		 yields,
	once,	    blocks,	 computes, keeps_local,
};
static void (*const acts_of_goroutines[])(struct one *) = {
	is_fed, opens_scope, shields, waits_for_all, joins, ties, grows,
};

static void some(struct one *o, unsigned n)
{
	const unsigned all = grt_countof(acts_of_all), more = grt_countof(acts_of_goroutines);

	while (n-- > 0) {
		unsigned i = below(o, o->plain ? all : all + more);

		if (i < all)
			acts_of_all[i](o);
		else
			acts_of_goroutines[i - all](o);
		stress_progress();
	}
}

static void goes_on(struct one *o)
{
	CHECK_EQ(goru_local_set(key, o), 0);
	atomic_fetch_add(&with_local, 1);
	while (!atomic_load(&stop))
		some(o, 1);
	goru_waitgroup_done(&everybody);
}

static void *goes_on_here(void *arg)
{
	goes_on(arg);
	return NULL;
}

static void ends(void *value)
{
	(void)value;
	atomic_fetch_sub(&with_local, 1);
}

/* From outside, whatever happens inside. */
static void look_and_change(uint64_t *r, int null)
{
	goru_stats st;

	switch (grt_rand_below(r, 8)) {
	case 0:
		CHECK_EQ(goru_set_procs((unsigned)grt_rand_below(r, stress_procs() + 2) + 1), 0);
		break;
	case 1:
		goru_dump(null);
		break;
	default:
		CHECK_EQ(goru_stats_get(&st), 0);
		CHECK(st.procs >= 1 && st.procs <= stress_procs() + 2);
		break;
	}
	goru_sleep(grt_rand_below(r, 2000000));
}

static void drain(void)
{
	for (int i = 0; i < CHANS; i++) {
		uint64_t v;

		while (goru_chan_try_recv(chans[i], &v) == 1)
			atomic_fetch_add(&received, v);
		goru_chan_unref(chans[i]);
	}
}

static void everything(void **state)
{
	uint64_t r = stress_rand(0);
	struct one at[LOOPS + THREADS];
	pthread_t t[THREADS];
	int null = open("/dev/null", O_WRONLY);

	CHECK(null >= 0);
	for (int i = 0; i < CHANS; i++)
		CHECK(chans[i] = goru_chan_make(8, (size_t)(i * i)));
	CHECK_EQ(goru_local_create(&key, ends), 0);
	goru_waitgroup_add(&everybody, LOOPS + THREADS);
	for (int i = 0; i < LOOPS + THREADS; i++) {
		at[i] = (struct one){ .r = stress_rand((uint64_t)i + 1), .plain = i >= LOOPS };
		if (i < LOOPS)
			GO(goes_on, &at[i]);
		else
			stress_thread(&t[i - LOOPS], goes_on_here, &at[i]);
	}
	while (stress_more())
		look_and_change(&r, null);
	atomic_store(&stop, true);
	CHECK_EQ(goru_waitgroup_wait(&everybody), 0);
	for (int i = 0; i < THREADS; i++)
		stress_join(t[i]);
	STRESS_UNTIL(!atomic_load(&timers_due) && !atomic_load(&with_local));
	drain();
	CHECK_EQ(atomic_load(&sent), atomic_load(&received));
	CHECK_EQ(guarded, atomic_load(&entered));
	CHECK_EQ(tokens + atomic_load(&tokens_taken), atomic_load(&tokens_put));
	CHECK(!atomic_load(&unit_taken));
	CHECK_EQ(goru_local_delete(key), 0);
	close(null);
	(void)state;
}

STRESS_MAIN("stress/mix", cmocka_unit_test(everything))
