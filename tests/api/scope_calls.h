/* scope_calls.h - the table: every call that may wait, what it waits for and who lets it go on. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TESTS_SCOPE_CALLS_H
#define GRT_TESTS_SCOPE_CALLS_H

#include "test.h"

/*
 * What is waited for stands so that each call waits; serve lets one call go on, and says so. undo: as it was before prep,
 * served or not.
 */
struct family {
	void (*prep)(void), (*undo)(void);
	void (*serve)(void); /* NULL: only time does */
};

static goru_chan *never, *full, *ready, *room;
static goru_mutex held, mine, outer;
static goru_rwlock written, open_rw;
static goru_cond cond;
static goru_sem none, units;
static goru_waitgroup busy, zero;
static goru_task *runs;
static goru_chan *end_it;
static goru_once once;
static int64_t v;
static bool served;

static void nothing(void) {}

static void serve_recv(void)
{
	CHECK_EQ(goru_chan_try_send(never, &v), 0);
}

static void prep_send(void)
{
	CHECK_EQ(goru_chan_try_send(full, &v), 0);
}

static void serve_send(void)
{
	CHECK_EQ(goru_chan_try_recv(full, &v), 1);
}

static void undo_send(void)
{
	while (goru_chan_try_recv(full, &v) > 0)
		;
}

static void prep_lock(void)
{
	CHECK_EQ(goru_mutex_lock(&held), 0);
}

static void serve_lock(void)
{
	goru_mutex_unlock(&held);
}

static void undo_lock(void)
{
	if (!served)
		goru_mutex_unlock(&held);
}

static void prep_written(void)
{
	CHECK_EQ(goru_rwlock_wrlock(&written), 0);
}

static void serve_written(void)
{
	goru_rwlock_wrunlock(&written);
}

static void undo_written(void)
{
	if (!served)
		goru_rwlock_wrunlock(&written);
}

/* The mutex is free, too: who waits on the condition has given it up, or has it only for a moment. */
static void serve_cond(void)
{
	CHECK_EQ(goru_mutex_lock(&outer), 0);
	goru_cond_signal(&cond);
	goru_mutex_unlock(&outer);
}

static void serve_sem(void)
{
	goru_sem_post(&none, 1);
}

static void prep_group(void)
{
	goru_waitgroup_add(&busy, 1);
}

static void serve_group(void)
{
	goru_waitgroup_done(&busy);
}

static void undo_group(void)
{
	if (!served)
		goru_waitgroup_done(&busy);
}

static void *until_told(void *arg)
{
	CHECK_EQ(goru_chan_recv(end_it, NULL), 1);
	return arg;
}

static void prep_task(void)
{
	CHECK_EQ(goru_task_start(&runs, until_told, &v), 0);
}

static void serve_task(void)
{
	CHECK_EQ(goru_chan_send(end_it, NULL), 0);
}

static void undo_task(void)
{
	if (served)
		return;
	serve_task();
	CHECK_EQ(goru_task_join(runs, NULL), 0);
}

static const struct family TIME = { nothing, nothing, NULL },
			   RECV = { nothing, nothing, serve_recv },
			   SEND = { prep_send, undo_send, serve_send },
			   LOCK = { prep_lock, undo_lock, serve_lock },
			   RW = { prep_written, undo_written, serve_written },
			   COND = { nothing, nothing, serve_cond },
			   SEM = { nothing, nothing, serve_sem },
			   GROUP = { prep_group, undo_group, serve_group },
			   TASK = { prep_task, undo_task, serve_task };

/* The calls, with what has to be true around them. */

static int unlocked(int rc, goru_mutex *mu)
{
	if (rc == 0)
		goru_mutex_unlock(mu);
	return rc;
}

static int rdunlocked(int rc, goru_rwlock *l)
{
	if (rc == 0)
		goru_rwlock_rdunlock(l);
	return rc;
}

static int wrunlocked(int rc, goru_rwlock *l)
{
	if (rc == 0)
		goru_rwlock_wrunlock(l);
	return rc;
}

/* Waits with the mutex, and has it after, whatever the result. */
static int cond_waits(int64_t d)
{
	int rc;

	goru_shield_enter();
	CHECK_EQ(goru_mutex_lock(&outer), 0);
	goru_shield_exit();
	rc = d == GORU_FOREVER ? goru_cond_wait(&cond, &outer) :
				 goru_cond_wait_until(&cond, &outer, d);
	CHECK_EQ(goru_mutex_try_lock(&outer), -EAGAIN);
	goru_mutex_unlock(&outer);
	return rc;
}

static void *returns(void *arg)
{
	return arg;
}

/* A task that has ended, or soon will have: one that could not be joined stays joinable. */
static int joins(int64_t d)
{
	goru_task *t;
	void *result = NULL;
	int rc;

	CHECK_EQ(goru_task_start(&t, returns, &v), 0);
	rc = d == GORU_FOREVER ? goru_task_join(t, &result) : goru_task_join_until(t, &result, d);
	CHECK(rc == 0 ? result == &v : result == NULL);
	goru_shield_enter();
	if (rc < 0)
		CHECK_EQ(goru_task_join(t, NULL), 0);
	goru_shield_exit();
	return rc;
}

static int got(int rc, goru_chan *c)
{
	/* as before */
	if (rc > 0)
		CHECK_EQ(goru_chan_try_send(c, &v), 0);
	return rc;
}

static int sent(int rc, goru_chan *c)
{
	if (rc == 0)
		CHECK_EQ(goru_chan_try_recv(c, &v), 1);
	return rc;
}

/* The second of n cases is the one that can be; the others cannot. */
static int selects(goru_chan *c, int n, int64_t d)
{
	goru_case k[20];
	int rc;

	for (int i = 0; i < 20; i++)
		k[i] = GORU_RECV(i == 1 ? c : NULL, &v);
	rc = d == GORU_FOREVER ? goru_select(k, n) : goru_select_until(k, n, d);
	if (rc >= 0 && c == ready)
		got(k[rc].result, c);
	return rc;
}

/* clang-format off */

#define NEVER_AT_ONCE INT32_MIN /* a condition is always waited for */

/*
 * Every call that may wait is here, once or oftener: listed() sees to that. d: its own deadline, where it has one.
 *   function, what it is waited for with, where it waits, where it could go on at once, its result then
 */
#define CALLS(X)                                                                                                    \
	X(goru_sleep,               TIME,  goru_sleep(GORU_FOREVER),             goru_sleep(0),                          0) \
	X(goru_sleep_until,         TIME,  goru_sleep_until(d),                  goru_sleep_until(0),                    0) \
	X(goru_chan_send,           SEND,  goru_chan_send(full, &v),             sent(goru_chan_send(room, &v), room),   0) \
	X(goru_chan_send_until,     SEND,  goru_chan_send_until(full, &v, d),    sent(goru_chan_send_until(room, &v, d), room), 0) \
	X(goru_chan_recv,           RECV,  goru_chan_recv(never, &v),            got(goru_chan_recv(ready, &v), ready),  1) \
	X(goru_chan_recv_until,     RECV,  goru_chan_recv_until(never, &v, d),   got(goru_chan_recv_until(ready, &v, d), ready), 1) \
	X(goru_select,              RECV,  selects(never, 2, GORU_FOREVER),      selects(ready, 2, GORU_FOREVER),        1) \
	X(goru_select,              TIME,  goru_select(NULL, 0),                 selects(ready, 20, GORU_FOREVER),       1) \
	X(goru_select_until,        RECV,  selects(never, 20, d),                selects(ready, 2, d),                   1) \
	X(goru_mutex_lock,          LOCK,  unlocked(goru_mutex_lock(&held), &held), unlocked(goru_mutex_lock(&mine), &mine), 0) \
	X(goru_mutex_lock_until,    LOCK,  unlocked(goru_mutex_lock_until(&held, d), &held), unlocked(goru_mutex_lock_until(&mine, d), &mine), 0) \
	X(goru_rwlock_rdlock,       RW,    rdunlocked(goru_rwlock_rdlock(&written), &written), rdunlocked(goru_rwlock_rdlock(&open_rw), &open_rw), 0) \
	X(goru_rwlock_rdlock_until, RW,    rdunlocked(goru_rwlock_rdlock_until(&written, d), &written), rdunlocked(goru_rwlock_rdlock_until(&open_rw, d), &open_rw), 0) \
	X(goru_rwlock_wrlock,       RW,    wrunlocked(goru_rwlock_wrlock(&written), &written), wrunlocked(goru_rwlock_wrlock(&open_rw), &open_rw), 0) \
	X(goru_rwlock_wrlock_until, RW,    wrunlocked(goru_rwlock_wrlock_until(&written, d), &written), wrunlocked(goru_rwlock_wrlock_until(&open_rw, d), &open_rw), 0) \
	X(goru_cond_wait,           COND,  cond_waits(GORU_FOREVER),             NEVER_AT_ONCE,                          0) \
	X(goru_cond_wait_until,     COND,  cond_waits(d),                        NEVER_AT_ONCE,                          0) \
	X(goru_sem_wait,            SEM,   goru_sem_wait(&none),                 goru_sem_wait(&units),                  0) \
	X(goru_sem_wait_until,      SEM,   goru_sem_wait_until(&none, d),        goru_sem_wait_until(&units, d),         0) \
	X(goru_waitgroup_wait,      GROUP, goru_waitgroup_wait(&busy),           goru_waitgroup_wait(&zero),             0) \
	X(goru_waitgroup_wait_until, GROUP, goru_waitgroup_wait_until(&busy, d), goru_waitgroup_wait_until(&zero, d),    0) \
	X(goru_task_join,           TASK,  goru_task_join(runs, NULL),           joins(GORU_FOREVER),                    0) \
	X(goru_task_join_until,     TASK,  goru_task_join_until(runs, NULL, d),  joins(d),                               0)

/* clang-format on */

struct call {
	const char *name;
	const struct family *family;
	int (*waits)(int64_t d);
	int (*at_once)(int64_t d);
	int result; /* of at_once */
};

#define DEFINE(name, family, waits, at_once, result)                                               \
	static int name##_waits_##family(int64_t d)                                                \
	{                                                                                          \
		(void)d;                                                                           \
		return waits;                                                                      \
	}                                                                                          \
	static int name##_at_once_##family(int64_t d)                                              \
	{                                                                                          \
		(void)d;                                                                           \
		return at_once;                                                                    \
	}
CALLS(DEFINE)

#define ROW(name, family, waits, at_once, result)                                                  \
	{ #name, &family, name##_waits_##family, name##_at_once_##family, result },

static const struct call calls[] = { CALLS(ROW) };
enum { N = sizeof(calls) / sizeof(calls[0]) };

static void prepare(void)
{
	if (never)
		return;
	never = goru_chan_make(8, 0);
	full = goru_chan_make(8, 1);
	ready = goru_chan_make(8, 1);
	room = goru_chan_make(8, 1);
	end_it = goru_chan_make(0, 0);
	CHECK_EQ(goru_chan_try_send(ready, &v), 0);
	goru_sem_post(&units, 1000);
}

#endif
