/* scope_calls.c - every call that may wait, against everything that may end it because of scopes: one table. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include <stdatomic.h>

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

/* These may wait, and no scope ends that. */
static const char *const beyond[] = {
	"goru_once_do", "goru_scope_close",       /* as they are meant */
	"goru_yield", "goru_block_exit",          /* their turn */
	"goru_call_on_big_stack",                 /* what fn does there, asks by itself */
	"goru_set_procs",                         /* not for anybody */
	"goru_run", "goru_shutdown", "goru_shutdown_until", /* plain threads only */
};
/* clang-format on */

#define NEVER_AT_ONCE INT32_MIN /* a condition is always waited for */

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

static bool has_own(const struct call *c)
{
	return strstr(c->name, "_until") != NULL;
}

static bool may_go_on(const struct call *c)
{
	return c->family != &COND;
}

static int served_result(const struct call *c)
{
	return c->family == &RECV;
}

/* One call of one goroutine in a scope of its own, and in another one around that. */
struct job {
	const struct call *call;
	int64_t deadline, own; /* the outer scope's, the call's; 0: none */
	bool no_scope, nested, shielded, later, at_once;
	_Atomic(goru_scope *) scope;
	_Atomic bool go_on, done;
	int first, rc, error, closed;
};

static int64_t or_forever(int64_t deadline)
{
	return deadline ? deadline : GORU_FOREVER;
}

static void member(struct job *j)
{
	goru_scope s = GORU_SCOPE_INIT, inner = GORU_SCOPE_INIT;

	if (!j->no_scope)
		CHECK_EQ(goru_scope_open(&s, or_forever(j->deadline)), 0);
	if (j->nested)
		CHECK_EQ(goru_scope_open(&inner, GORU_FOREVER), 0);
	if (j->shielded)
		goru_shield_enter();
	atomic_store(&j->scope, &s);
	while (j->later && !atomic_load(&j->go_on))
		goru_yield();
	j->first = goru_scope_error();
	j->rc = (j->at_once ? j->call->at_once : j->call->waits)(or_forever(j->own));
	j->error = goru_scope_error();
	if (j->shielded)
		goru_shield_exit();
	if (j->nested)
		CHECK_EQ(goru_scope_close(&inner), j->error);
	if (!j->no_scope)
		j->closed = goru_scope_close(&s);
	atomic_store(&j->done, true);
}

static int others(const struct call *c)
{
	return c->family == &TASK;
}

/* It has begun, and waits if it is to. */
static void begin(struct job *j)
{
	UNTIL(test_asleep() == others(j->call));
	CHECK_EQ(go(member, j), 0);
	UNTIL(atomic_load(&j->scope));
}

static void waits_now(struct job *j)
{
	UNTIL(test_asleep() == 1 + others(j->call));
	CHECK(!atomic_load(&j->done));
}

static void serve(const struct call *c)
{
	c->family->serve();
	served = true;
}

static void is_over(struct job *j, int rc, int error, int closed)
{
	UNTIL(atomic_load(&j->done));
	if (!test_check_eq(j->rc, rc, __FILE__, __LINE__, j->call->name))
		return;
	CHECK_EQ(j->error, error);
	CHECK_EQ(j->closed, closed);
}

/* fn with each call, all of them prepared. */
static void each(void (*fn)(const struct call *c))
{
	for (int i = 0; i < N; i++) {
		int before = test_failures();

		served = false;
		calls[i].family->prep();
		fn(&calls[i]);
		calls[i].family->undo();
		if (test_failures() != before) {
			fprintf(stderr, "... of %s, row %d\n", calls[i].name, i);
			return;
		}
	}
}

#define SOON (goru_in(2 * GORU_MSEC))
#define FAR  (goru_in(1000 * GORU_SEC))
/* clang-format off */
#define JOB(c, ...) { .call = (c), __VA_ARGS__ }
/* clang-format on */

static void now_canceled(const struct call *c)
{
	struct job j = JOB(c, .nested = false);

	begin(&j);
	waits_now(&j);
	goru_scope_cancel(j.scope);
	is_over(&j, -ECANCELED, -ECANCELED, -ECANCELED);
}

static void now_canceled_around(const struct call *c)
{
	struct job j = JOB(c, .nested = true);

	begin(&j);
	waits_now(&j);
	goru_scope_cancel(j.scope);
	is_over(&j, -ECANCELED, -ECANCELED, -ECANCELED);
}

static void now_canceled_with_own(const struct call *c)
{
	struct job j = JOB(c, .deadline = FAR, .own = FAR);

	begin(&j);
	waits_now(&j);
	goru_scope_cancel(j.scope);
	is_over(&j, -ECANCELED, -ECANCELED, -ECANCELED);
}

static void now_failed(const struct call *c)
{
	struct job j = JOB(c, .nested = false);

	begin(&j);
	waits_now(&j);
	CHECK_EQ(goru_scope_fail(j.scope, -EIO), 0);
	is_over(&j, -ECANCELED, -ECANCELED, -EIO);
}

static void now_deadline(const struct call *c)
{
	struct job j = JOB(c, .deadline = SOON);

	begin(&j);
	is_over(&j, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT);
}

static void now_deadline_around(const struct call *c)
{
	struct job j = JOB(c, .deadline = SOON, .nested = true);

	begin(&j);
	is_over(&j, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT);
}

static void scope_before_own(const struct call *c)
{
	struct job j = JOB(c, .deadline = SOON, .own = FAR);

	begin(&j);
	is_over(&j, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT);
}

static void own_before_scope(const struct call *c)
{
	struct job j = JOB(c, .deadline = FAR, .own = SOON);

	if (!has_own(c))
		return;
	begin(&j);
	is_over(&j, c->family == &TIME ? 0 : -ETIMEDOUT, 0, 0);
}

static void own_without_scopes_deadline(const struct call *c)
{
	struct job j = JOB(c, .nested = true, .own = SOON);

	if (!has_own(c))
		return;
	begin(&j);
	is_over(&j, c->family == &TIME ? 0 : -ETIMEDOUT, 0, 0);
}

/* Also when its own deadline is past already. */
static void later_canceled(const struct call *c)
{
	for (int i = 0; i < 4; i++) {
		struct job j = JOB(c, .later = true, .at_once = i & 1, .nested = i & 2,
				   .own = i & 2 ? 1 : 0);

		if (j.at_once && !may_go_on(c))
			continue;
		begin(&j);
		goru_scope_cancel(j.scope);
		atomic_store(&j.go_on, true);
		is_over(&j, -ECANCELED, -ECANCELED, -ECANCELED);
	}
}

static void later_deadline(const struct call *c)
{
	for (int i = 0; i < 4; i++) {
		struct job j =
			JOB(c, .deadline = SOON, .later = true, .at_once = i & 1, .nested = i & 2);

		if (j.at_once && !may_go_on(c))
			continue;
		begin(&j);
		while (goru_now() < j.deadline)
			test_nap();
		atomic_store(&j.go_on, true);
		is_over(&j, -ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT);
	}
}

/* Cancelled, and then its deadline passes; the machine may have been slow, and the deadline was first. */
static void first_stays(const struct call *c)
{
	struct job j = JOB(c, .deadline = SOON, .later = true);

	begin(&j);
	goru_scope_cancel(j.scope);
	while (goru_now() < j.deadline)
		test_nap();
	atomic_store(&j.go_on, true);
	UNTIL(atomic_load(&j.done));
	CHECK(j.first == -ECANCELED || j.first == -ETIMEDOUT);
	is_over(&j, j.first, j.first, j.first);
}

static void shielded_now(const struct call *c)
{
	struct job j = JOB(c, .shielded = true);

	if (!c->family->serve)
		return;
	begin(&j);
	waits_now(&j);
	goru_scope_cancel(j.scope);
	waits_now(&j);
	serve(c);
	is_over(&j, served_result(c), 0, -ECANCELED);
}

static void shielded_later(const struct call *c)
{
	struct job j = JOB(c, .shielded = true, .later = true, .at_once = true);

	if (!may_go_on(c))
		return;
	begin(&j);
	goru_scope_cancel(j.scope);
	atomic_store(&j.go_on, true);
	is_over(&j, c->result, 0, -ECANCELED);
}

static void shielded_own(const struct call *c)
{
	struct job j = JOB(c, .deadline = SOON, .own = SOON, .shielded = true);

	if (!has_own(c))
		return;
	begin(&j);
	UNTIL(atomic_load(&j.done));
	is_over(&j, c->family == &TIME ? 0 : -ETIMEDOUT, 0, j.closed);
}

/* Who is cancelled has taken nothing: what comes goes to the next. */
static void next_is_served(const struct call *c)
{
	struct job j = JOB(c, .nested = false), next = JOB(c, .no_scope = true);

	if (!c->family->serve || c->family == &TASK) /* one joins */
		return;
	begin(&j);
	waits_now(&j);
	CHECK_EQ(go(member, &next), 0);
	UNTIL(test_asleep() == 2);
	goru_scope_cancel(j.scope);
	is_over(&j, -ECANCELED, -ECANCELED, -ECANCELED);
	CHECK(!atomic_load(&next.done));
	serve(c);
	is_over(&next, served_result(c), 0, 0);
}

/* In a scope in which nobody has ended anything each goes on as without. */
static void not_ended(const struct call *c)
{
	struct job j = JOB(c, .deadline = FAR, .nested = true, .own = FAR);

	if (c->family->serve) {
		begin(&j);
		waits_now(&j);
		serve(c);
		is_over(&j, served_result(c), 0, 0);
	}
	if (may_go_on(c)) {
		struct job at_once = JOB(c, .at_once = true, .deadline = FAR, .own = FAR);

		CHECK_EQ(go(member, &at_once), 0);
		is_over(&at_once, c->result, 0, 0);
	}
}

static void try_forms_do_not_ask(void)
{
	goru_case k[] = { GORU_RECV(ready, &v) }, no[] = { GORU_RECV(never, &v) };
	goru_scope s = GORU_SCOPE_INIT;

	for (int i = 0; i < 2; i++) {
		CHECK_EQ(goru_scope_open(&s, i ? 0 : GORU_FOREVER), 0);
		goru_scope_cancel(&s);
		CHECK(goru_sleep(0) < 0);
		CHECK_EQ(goru_chan_try_send(never, &v), -EAGAIN);
		CHECK_EQ(goru_chan_try_send(room, &v), 0);
		CHECK_EQ(goru_chan_try_recv(room, &v), 1);
		CHECK_EQ(goru_chan_try_recv(room, &v), -EAGAIN);
		CHECK_EQ(goru_try_select(no, 1), -EAGAIN);
		CHECK_EQ(goru_try_select(k, 1), 0);
		CHECK_EQ(goru_chan_try_send(ready, &v), 0);
		CHECK_EQ(goru_mutex_try_lock(&mine), 0);
		CHECK_EQ(goru_mutex_try_lock(&mine), -EAGAIN);
		goru_mutex_unlock(&mine);
		CHECK_EQ(goru_rwlock_try_rdlock(&open_rw), 0);
		CHECK_EQ(goru_rwlock_try_wrlock(&open_rw), -EAGAIN);
		goru_rwlock_rdunlock(&open_rw);
		CHECK_EQ(goru_rwlock_try_wrlock(&open_rw), 0);
		goru_rwlock_wrunlock(&open_rw);
		CHECK_EQ(goru_sem_try_wait(&units), 0);
		goru_sem_post(&units, 1);
		CHECK_EQ(goru_sem_try_wait(&none), -EAGAIN);
		CHECK(goru_scope_close(&s) < 0);
	}
}

/* once: who waits for the one that runs it waits until it has run. */
static _Atomic int in_once, after_once;

static void runs_long(void *arg)
{
	(void)arg;
	atomic_fetch_add(&in_once, 1);
	goru_shield_enter();
	CHECK_EQ(goru_chan_recv(never, &v), 1);
	goru_shield_exit();
}

static void does_once(void)
{
	goru_once_do(&once, runs_long, NULL);
	atomic_fetch_add(&after_once, 1);
}

static void once_is_not_ended(void)
{
	goru_scope s = GORU_SCOPE_INIT;

	CHECK_EQ(goru_scope_open(&s, GORU_FOREVER), 0);
	CHECK_EQ(goru_scope_go(&s, does_once), 0);
	UNTIL(atomic_load(&in_once) && test_asleep() == 1);
	CHECK_EQ(goru_scope_go(&s, does_once), 0);
	UNTIL(test_asleep() == 2);
	goru_scope_cancel(&s);
	CHECK_EQ(goru_scope_go(&s, does_once), 0);
	UNTIL(test_asleep() == 3);
	CHECK_EQ(atomic_load(&after_once), 0);
	CHECK_EQ(goru_chan_try_send(never, &v), 0);
	CHECK_EQ(goru_scope_close(&s), -ECANCELED);
	CHECK_EQ(atomic_load(&in_once), 1);
	CHECK_EQ(atomic_load(&after_once), 3);
}

/* The headers say of each function whether it waits: each that does is in the table, or among those beyond it. */

static bool listed(const char *name)
{
	for (int i = 0; i < N; i++)
		if (!strcmp(calls[i].name, name))
			return true;
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		if (!strcmp(beyond[i], name))
			return true;
	return false;
}

/* The name of the function that a line declares, into out; false: it declares none. */
static bool declares(const char *line, char *out)
{
	const char *at = strstr(line, "goru_"), *end;

	if (strncmp(line, "GORU_API", 8) || !strchr(line, '('))
		return false;
	for (end = strchr(line, '('); at && at < end;) {
		size_t n = strcspn(at, " *(");

		if (at[n] == '(') {
			memcpy(out, at, n);
			out[n] = '\0';
			return true;
		}
		at = strstr(at + n, "goru_");
	}
	return false;
}

static int read_header(FILE *f)
{
	char line[512], name[512];
	bool waits = false, last = false;
	int found = 0;

	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "/*", 2))
			waits = false;
		else if (!strncmp(line, " * Waits: ", 10))
			waits = strncmp(line + 10, "no", 2) != 0;
		else if (!strncmp(line, " * Call from, Waits", 19))
			waits = last; /* as the one before */
		if (!declares(line, name))
			continue;
		if (waits && !test_check(listed(name), __FILE__, __LINE__, name))
			fprintf(stderr, "%s may wait, and is not in the table here\n", name);
		found += waits;
		last = waits;
		waits = false;
	}
	return found;
}

static void every_call_is_listed(void)
{
	static const char *const names[] = { "run",  "task",  "chan",  "select", "sync",
					     "time", "block", "scope", "debug" };
	int found = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[4096];
		FILE *f;

		snprintf(path, sizeof(path), "%s/include/goru/%s.h", GRT_SOURCE, names[i]);
		f = fopen(path, "r");
		if (!test_check(f != NULL, __FILE__, __LINE__, path))
			return;
		found += read_header(f);
		fclose(f);
	}
	CHECK(found >= N - 2); /* it has read what it was to read */
}

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

#define COLUMN(fn)                                                                                 \
	static void test_##fn(void)                                                                \
	{                                                                                          \
		prepare();                                                                         \
		each(fn);                                                                          \
	}
#define COLUMNS(X)                                                                                 \
	X(now_canceled)                                                                            \
	X(now_canceled_around)                                                                     \
	X(now_canceled_with_own)                                                                   \
	X(now_failed)                                                                              \
	X(now_deadline)                                                                            \
	X(now_deadline_around)                                                                     \
	X(scope_before_own)                                                                        \
	X(own_before_scope)                                                                        \
	X(own_without_scopes_deadline)                                                             \
	X(later_canceled)                                                                          \
	X(later_deadline)                                                                          \
	X(first_stays)                                                                             \
	X(shielded_now)                                                                            \
	X(shielded_later)                                                                          \
	X(shielded_own)                                                                            \
	X(next_is_served)                                                                          \
	X(not_ended)
COLUMNS(COLUMN)

#define ENTRY(fn) TEST_GO(test_##fn),
TEST_MAIN(TEST(every_call_is_listed), COLUMNS(ENTRY) TEST_GO(try_forms_do_not_ask),
	  TEST_GO(once_is_not_ended))
