/* scope_calls.c - every call that may wait, against everything that may end it because of scopes. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4 */
#include "scope_calls.h"

#include <stdatomic.h>

#include "headers.h"

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

/* clang-format off */

/* These may wait, and no scope ends that. */
static const char *const beyond[] = {
	"goru_once_do", "goru_scope_close",       /* as they are meant */
	"goru_yield", "goru_block_exit",          /* their turn */
	"goru_call_on_big_stack",                 /* what fn does there, asks by itself */
	"goru_posix_spawn",                       /* in the kernel */
	"goru_set_procs",                         /* not for anybody */
	"goru_run", "goru_shutdown", "goru_shutdown_until", /* plain threads only */
};
/* clang-format on */

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

static void is_listed(const char *name)
{
	if (!test_check(listed(name), __FILE__, __LINE__, name))
		fprintf(stderr, "%s may wait, and is not in the table of scope_calls.h\n", name);
}

static void every_call_is_listed(void)
{
	/* some have two rows: it has read what it was to read */
	CHECK(headers_waiting(GRT_SOURCE "/include/goru/*.h", is_listed) >= N - 2);
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
