/* ways.c - every way in which a goroutine leaves its thread, each with somebody who lets it go on. */
/* SPDX-License-Identifier: MIT */
#include "ways.h"

#include <unistd.h>

#include "test.h"

/* On the stack of the goroutine that waits; whoever helps it is gone before that returns. */
struct own {
	goru_chan *c;
	goru_mutex m;
	goru_rwlock l;
	goru_cond cond;
	goru_sem s;
	goru_once o;
	goru_waitgroup held, w, gone;
	int v;
};

static void helper(struct own *o, void (*fn)(struct own *))
{
	goru_waitgroup_add(&o->gone, 1);
	CHECK_EQ(go(fn, o), 0);
}

static void is_gone(struct own *o)
{
	goru_waitgroup_done(&o->gone);
}

static void nothing(struct own *o)
{
	is_gone(o);
}

static void yields(struct own *o)
{
	helper(o, nothing);
	goru_yield();
}

static void sends(struct own *o)
{
	int v = 5;

	CHECK_EQ(goru_chan_send(o->c, &v), 0);
	is_gone(o);
}

static void receives(struct own *o)
{
	int v = 0;

	CHECK_EQ(goru_chan_recv(o->c, &v), 1);
	CHECK_EQ(v, 5);
	is_gone(o);
}

static void recv(struct own *o)
{
	helper(o, sends);
	CHECK_EQ(goru_chan_recv(o->c, &o->v), 1);
	CHECK_EQ(o->v, 5);
}

static void send(struct own *o)
{
	o->v = 5;
	helper(o, receives);
	CHECK_EQ(goru_chan_send(o->c, &o->v), 0);
}

static void select_(struct own *o)
{
	goru_case k[] = { GORU_RECV(o->c, &o->v), GORU_RECV(NULL, NULL) };

	helper(o, sends);
	CHECK_EQ(goru_select(k, 2), 0);
	CHECK_EQ(o->v, 5);
}

static void too_late(struct own *o)
{
	CHECK_EQ(goru_chan_recv_until(o->c, &o->v, goru_in(1000)), -ETIMEDOUT);
}

static void sleeps(struct own *o)
{
	(void)o;
	CHECK_EQ(goru_sleep(1000), 0);
}

static void holds_mutex(struct own *o)
{
	CHECK_EQ(goru_mutex_lock(&o->m), 0);
	goru_waitgroup_done(&o->held);
	CHECK_EQ(goru_chan_recv(o->c, NULL), 1);
	goru_mutex_unlock(&o->m);
	is_gone(o);
}

static void mutex(struct own *o)
{
	goru_waitgroup_add(&o->held, 1);
	helper(o, holds_mutex);
	CHECK_EQ(goru_waitgroup_wait(&o->held), 0);
	helper(o, sends);
	CHECK_EQ(goru_mutex_lock(&o->m), 0);
	goru_mutex_unlock(&o->m);
}

static void holds_lock(struct own *o)
{
	CHECK_EQ(goru_rwlock_wrlock(&o->l), 0);
	goru_waitgroup_done(&o->held);
	CHECK_EQ(goru_chan_recv(o->c, NULL), 1);
	goru_rwlock_wrunlock(&o->l);
	is_gone(o);
}

static void rdlock(struct own *o)
{
	goru_waitgroup_add(&o->held, 1);
	helper(o, holds_lock);
	CHECK_EQ(goru_waitgroup_wait(&o->held), 0);
	helper(o, sends);
	CHECK_EQ(goru_rwlock_rdlock(&o->l), 0);
	goru_rwlock_rdunlock(&o->l);
}

static void wrlock(struct own *o)
{
	goru_waitgroup_add(&o->held, 1);
	helper(o, holds_lock);
	CHECK_EQ(goru_waitgroup_wait(&o->held), 0);
	helper(o, sends);
	CHECK_EQ(goru_rwlock_wrlock(&o->l), 0);
	goru_rwlock_wrunlock(&o->l);
}

static void signals(struct own *o)
{
	CHECK_EQ(goru_mutex_lock(&o->m), 0);
	o->v = 5;
	goru_cond_signal(&o->cond);
	goru_mutex_unlock(&o->m);
	is_gone(o);
}

static void cond(struct own *o)
{
	CHECK_EQ(goru_mutex_lock(&o->m), 0);
	o->v = 0;
	helper(o, signals);
	while (o->v != 5)
		CHECK_EQ(goru_cond_wait(&o->cond, &o->m), 0);
	goru_mutex_unlock(&o->m);
}

static void posts(struct own *o)
{
	goru_sem_post(&o->s, 1);
	is_gone(o);
}

static void sem(struct own *o)
{
	helper(o, posts);
	CHECK_EQ(goru_sem_wait(&o->s), 0);
}

static void ends(struct own *o)
{
	goru_waitgroup_done(&o->w);
	is_gone(o);
}

static void waitgroup(struct own *o)
{
	goru_waitgroup_add(&o->w, 1);
	helper(o, ends);
	CHECK_EQ(goru_waitgroup_wait(&o->w), 0);
}

static void slow(void *arg)
{
	struct own *o = arg;

	goru_waitgroup_done(&o->held);
	CHECK_EQ(goru_chan_recv(o->c, NULL), 1);
}

static void first(struct own *o)
{
	goru_once_do(&o->o, slow, o);
	is_gone(o);
}

static void once(struct own *o)
{
	goru_waitgroup_add(&o->held, 1);
	helper(o, first);
	CHECK_EQ(goru_waitgroup_wait(&o->held), 0);
	helper(o, sends);
	goru_once_do(&o->o, slow, o);
}

static void *result(void *arg)
{
	return arg;
}

static void join(struct own *o)
{
	goru_task *t;
	void *r;

	CHECK_EQ(goru_task_start(&t, result, o), 0);
	CHECK_EQ(goru_task_join(t, &r), 0);
	CHECK(r == o);
}

/* Ends by goru_exit: what runs there next is somebody else. */
static void *exits(void *arg)
{
	(void)arg;
	goru_yield();
	goru_exit();
}

static void join_exit(struct own *o)
{
	goru_task *t;

	CHECK_EQ(goru_task_start(&t, exits, o), 0);
	CHECK_EQ(goru_task_join(t, NULL), 0);
}

static void brackets(struct own *o)
{
	helper(o, nothing);
	goru_block_enter();
	usleep(10);
	goru_block_exit();
}

static void recv_there(void *arg)
{
	recv(arg);
}

static void big(struct own *o)
{
	CHECK_EQ(goru_call_on_big_stack(1 << 19, recv_there, o), 0);
}

/* clang-format off */
static const struct {
	const char *name;
	void (*wait)(struct own *);
	bool parks;
} ways[] = {
	{ "yield", yields, true },	 { "recv", recv, true },	 { "send", send, true },
	{ "select", select_, true },	 { "deadline", too_late, true }, { "sleep", sleeps, true },
	{ "mutex", mutex, true },	 { "rdlock", rdlock, true },	 { "wrlock", wrlock, true },
	{ "cond", cond, true },		 { "sem", sem, true },		 { "waitgroup", waitgroup, true },
	{ "once", once, true },		 { "join", join, true },	 { "exit", join_exit, true },
	{ "big stack", big, true },	 { "brackets", brackets, false },
};
/* clang-format on */
const int ways_n = sizeof(ways) / sizeof(ways[0]);

const char *ways_name(int way)
{
	return ways[way].name;
}

bool ways_parks(int way)
{
	return ways[way].parks;
}

void ways_go(int way)
{
	struct own o;

	memset(&o, 0, sizeof(o));
	o.c = goru_chan_make(sizeof(int), 0);
	CHECK(o.c);
	ways[way].wait(&o);
	CHECK_EQ(goru_waitgroup_wait(&o.gone), 0);
	goru_chan_unref(o.c);
}
