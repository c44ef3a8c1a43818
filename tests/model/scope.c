/* scope.c - a member that begins to wait while its scope ends is ended, once; nobody touches a scope that is closed. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

#include <errno.h>

#include "goru.h"
#include "part/scope.h"
#include "sync/chan.h"
#include "sync/wait.h"

static struct scope s, t;
static struct g *g, *opener;
static goru_chan *c;
static int64_t got, sent = 7;
static int send_result = -1;

/* Until g is runnable; once only. */
static void be_readied(struct g *who)
{
	struct glist mine = { 0 };

	while (!grt_injq_len(&grt_rt.injq))
		model_pause();
	grt_injq_take(&grt_rt.injq, 2, &mine);
	CHECK(mine.n == 1 && mine.head == who);
}

static void never(void *word)
{
	(void)word;
}

static void innermost(struct g *who, struct scope *in)
{
	who->scope = in;
	who->scoped = true;
}

/* g is a child of s, and waits on a channel; opener waits for nothing. */
static void begin(void)
{
	opener = kit_g(never);
	g = kit_g(never);
	c = goru_chan_make(8, 0);
	grt_scope_init(&s, opener, INT64_MAX);
	CHECK(grt_scope_add(&s, g));
}

/* g is in t, which it has opened in s. */
static void begin_under(void)
{
	begin();
	grt_scope_init(&t, g, INT64_MAX);
	grt_scope_link(&t);
	innermost(g, &t);
}

/* As sync/chan.c waits. 0, or what the scope says. */
static int receive(void)
{
	struct waiter w;
	struct wnode n;
	enum ending end;
	int rc = grt_scope_ask(g->scope);

	if (rc)
		return rc;
	grt_spin_lock(&c->lock);
	grt_wnode_init(&n, &w, c, &got, 0, false);
	grt_wait_begin(&w, g, KIND_CHAN, &n, 1);
	rc = grt_wait_arm(NULL, &w, INT64_MAX);
	if (rc) {
		grt_spin_unlock(&c->lock);
		return rc;
	}
	grt_chan_enqueue(c, &n);
	grt_spin_unlock(&c->lock);
	be_readied(g);
	end = grt_waiter_ending(&w);
	if (end != END_READY)
		grt_chan_remove(&n);
	model_dead(&n, sizeof(n));
	model_dead(&w, sizeof(w));
	return end == END_READY ? 0 : grt_ending_error(end);
}

static void is_ended(void)
{
	CHECK(receive() == -ECANCELED);
	CHECK(grt_scope_ask(g->scope) == -ECANCELED);
}

static void is_ended_or_served(void)
{
	int rc = receive();

	CHECK(rc == 0 ? got == sent : rc == -ECANCELED && got == 0);
}

static void ends(void)
{
	struct scope_walk k;
	struct glist out = { 0 };

	if (grt_scope_end(&k, &s, 0) > 0)
		while (grt_scope_walk(&k, &out))
			grt_ready_batch(NULL, &out);
}

static void sends(void)
{
	int rc = goru_chan_try_send(c, &sent);

	CHECK(rc == 0 || rc == -EAGAIN);
	send_result = rc;
}

/* As sync/scope.c closes; the memory is gone at once. */
static void until_done(struct scope *x, struct g *who)
{
	while (!grt_scope_done(x)) {
		struct waiter w;

		grt_wait_begin(&w, who, KIND_SLEEP, NULL, 0);
		x->closer = &w;
		grt_spin_unlock(&x->lock);
		be_readied(who);
		model_dead(&w, sizeof(w));
		grt_scope_lock(x);
	}
}

static void closes(void)
{
	grt_scope_lock(&s);
	until_done(&s, opener);
	s.self = NULL;
	until_done(&s, opener);
	grt_spin_unlock(&s.lock);
	model_dead(&s, sizeof(s));
}

static void child_ends(void)
{
	struct g *closer = grt_scope_leave(g);

	if (closer)
		grt_ready(NULL, closer);
}

/* Who cancels is a member, too: so it is open until then. */
static void child_cancels(void)
{
	ends();
	child_ends();
}

/* t is closed under the walk of s. */
static void closes_under(void)
{
	grt_scope_lock(&t);
	until_done(&t, g);
	t.self = NULL;
	grt_spin_unlock(&t.lock);
	grt_scope_unlink(&t);
	grt_scope_lock(&t);
	until_done(&t, g);
	grt_spin_unlock(&t.lock);
	model_dead(&t, sizeof(t));
	innermost(g, &s);
}

/* t is opened under it, and what waits in t is ended as well. */
static void opens_and_waits(void)
{
	grt_scope_init(&t, g, INT64_MAX);
	grt_scope_link(&t);
	innermost(g, &t);
	is_ended();
}

static void nobody_left(void)
{
	CHECK(!grt_injq_len(&grt_rt.injq));
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "scope/wait", begin, { is_ended, ends }, nobody_left },
		{ "scope/wait-under", begin_under, { is_ended, ends }, nobody_left },
		{ "scope/twice",
		  begin_under,
		  { is_ended, ends, ends },
		  nobody_left,
		  .switches = 2,
		  .old = 2 },
		{ "scope/served",
		  begin,
		  { is_ended_or_served, ends, sends },
		  nobody_left,
		  .switches = 3,
		  .old = 3 },
		{ "scope/open", begin, { opens_and_waits, ends }, nobody_left },
		{ "scope/close", begin, { closes, child_cancels }, nobody_left },
		{ "scope/close-under", begin_under, { closes_under, ends }, nobody_left },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
