/* scope.c - scopes: children that are waited for, deadlines and cancellation for all who are in one. */
/* SPDX-License-Identifier: MIT */
#include "part/scope.h"

#include "base/fatal.h"
#include "goru.h"
#include "os/os.h"
#include "sched/block.h"
#include "sched/spawn.h"
#include "sync/arm.h"
#include "sync/wait.h"
#include "sync/who.h"

_Static_assert(sizeof(struct scope) <= sizeof(goru_scope), "the header's size is fixed");

static struct scope *scope_of(goru_scope *s)
{
	return (struct scope *)(void *)s;
}

static struct g *self_g(void)
{
	struct m *m = grt_arch_self();

	if (m)
		return m->curg;
	grt_not_forked();
	return NULL;
}

/* s is what calls of g ask from now on; NULL: none. */
static void innermost(struct g *g, struct scope *s)
{
	g->scope = s;
	g->scoped = s && !g->shield;
}

/* Ends s at when. While the runtime shuts down there are no alarms, and those who wait are dropped. */
static int arm(struct scope *s, int64_t when, const void *from)
{
	struct arming a;
	int rc = grt_arm_enter(&a);

	if (rc < 0)
		return rc == -ESHUTDOWN ? 0 : rc;
	rc = grt_arm_begin(&a);
	if (rc == 0) {
		a.armed.alarm->fn = NULL;
		a.armed.alarm->arg = s;
		a.armed.alarm->period = ALARM_OF_SCOPE;
		a.armed.alarm->from = from;
		s->armed = a.armed;
		grt_store(&s->holds, 1);
		grt_arm_end(&a, when);
	}
	grt_arm_leave(&a);
	return rc;
}

GRT_PUBLIC int goru_scope_open(goru_scope *scope, int64_t deadline)
{
	struct scope *s = scope_of(scope);
	struct g *g = self_g();
	int rc = 0;

	if (!s)
		return -EINVAL;
	if (!g)
		return -EPERM;
	if (GRT_UNLIKELY(s->self == s))
		grt_fatal("scope %p opened again by %s, but it is open", (void *)s,
			  grt_g_label(g).text);
	/* the end of those around it would come first */
	if (!grt_scope_init(s, g, deadline) && s->deadline != GORU_FOREVER &&
	    !(s->parent && s->parent->deadline == s->deadline))
		rc = arm(s, s->deadline, GRT_CALLER);
	if (rc < 0) {
		s->self = NULL;
		return rc;
	}
	if (s->parent)
		grt_scope_link(s);
	g->flags |= G_SCOPED;
	g->nopen++;
	innermost(g, s);
	return 0;
}

static GRT_COLD _Noreturn void not_to_close(struct scope *s, struct g *g)
{
	if (s->self != s)
		grt_fatal("scope %p closed by %s, but it is not open", (void *)s,
			  grt_g_label(g).text);
	if (s->opener != g)
		grt_fatal("scope %p closed by %s, opened by %s", (void *)s, grt_g_label(g).text,
			  grt_who((uintptr_t)s->opener).text);
	grt_fatal("scope %p closed by %s before scope %p, which it opened later", (void *)s,
		  grt_g_label(g).text, (void *)g->scope);
}

/* Under the lock. Neither scopes nor deadlines end this. */
static void wait_until_done(struct scope *s, struct m **m, struct p **p)
{
	while (!grt_scope_done(s)) {
		struct g *g = grt_g_of(*m);
		struct waiter w;

		grt_wait_begin(&w, g, KIND_SLEEP, NULL, 0);
		s->closer = &w;
		grt_spin_unlock(&s->lock);
		grt_wait_g(m, p, g, &w, WAIT_SCOPE);
		grt_scope_lock(s);
	}
}

/* Those who are not children, and will touch it yet. */
static void wait_for_holders(struct scope *s, struct m **m, struct p **p)
{
	if (s->parent)
		grt_scope_unlink(s);
	grt_scope_lock(s);
	if (grt_armed_stop(&s->armed))
		atomic_fetch_sub_explicit(&s->holds, 1, memory_order_relaxed);
	wait_until_done(s, m, p);
	grt_spin_unlock(&s->lock);
}

static int close_it(struct scope *s)
{
	bool held;
	int rc;
	struct p *p;
	struct m *m = grt_enter_wait(&p);

	grt_scope_lock(s);
	wait_until_done(s, &m, &p);
	s->self = NULL; /* no child comes any more, and nobody ends it */
	rc = s->error;
	held = s->parent || grt_load(&s->holds);
	grt_spin_unlock(&s->lock);
	if (!rc)
		rc = grt_scope_ask(s);
	if (held)
		wait_for_holders(s, &m, &p);
	grt_tsan_acquire(s);
	grt_leave_wait(m);
	return rc;
}

GRT_PUBLIC int goru_scope_close(goru_scope *scope)
{
	struct scope *s = scope_of(scope), *parent;
	struct g *g = self_g();
	int rc;

	if (!s)
		return -EINVAL;
	if (!g)
		return -EPERM;
	if (GRT_UNLIKELY(s->self != s || g->scope != s || s->opener != g))
		not_to_close(s, g);
	parent = s->parent;
	rc = close_it(s);
	g->nopen--;
	innermost(g, parent);
	grt_leave_bracketed();
	return rc;
}

/* -EINVAL: it is not open. */
static int end(struct scope *s, int error)
{
	struct self me = grt_enter_nowait();
	struct scope_walk k;
	struct glist out = { 0 };
	int rc = grt_scope_end(&k, s, error);

	if (rc > 0)
		while (grt_scope_walk(&k, &out))
			grt_ready_batch(me.p, &out);
	grt_leave_nowait(me);
	return rc < 0 ? rc : 0;
}

GRT_PUBLIC void goru_scope_cancel(goru_scope *scope)
{
	if (scope)
		end(scope_of(scope), 0);
}

GRT_PUBLIC int goru_scope_fail(goru_scope *scope, int err)
{
	return scope && err < 0 ? end(scope_of(scope), err) : -EINVAL;
}

GRT_PUBLIC int goru_scope_error(void)
{
	return grt_scoped_ask();
}

static int go_in(goru_scope *scope, void (*fn)(void), const uintptr_t *words, unsigned n,
		 const void *from)
{
	struct spawn s = { .fn = fn,
			   .word = words,
			   .nwords = n,
			   .cls = CLS_DEFAULT,
			   .from = from,
			   .flags = G_SCOPED,
			   .scope = scope_of(scope) };

	return GRT_LIKELY(scope && fn && n <= G_WORDS) ? grt_spawn(&s) : -EINVAL;
}

GRT_PUBLIC int goru_scope_go_(goru_scope *scope, void (*fn)(void *), void *arg)
{
	uintptr_t word = (uintptr_t)arg;

	return go_in(scope, (void (*)(void))fn, &word, 1, GRT_CALLER);
}

GRT_PUBLIC int goru_scope_go_words_(goru_scope *scope, void (*fn)(void), const uintptr_t *words,
				    unsigned n)
{
	return go_in(scope, fn, words, n, GRT_CALLER);
}

GRT_PUBLIC int goru_scope_go_captured_(goru_scope *scope, void (*fn)(void))
{
	return go_in(scope, fn, grt_tls_words, G_WORDS, GRT_CALLER);
}

GRT_PUBLIC void goru_shield_enter(void)
{
	struct g *g = self_g();

	if (!g)
		return;
	g->shield++;
	g->flags |= G_SCOPED; /* its end takes it off */
	g->scoped = false;
}

GRT_PUBLIC void goru_shield_exit(void)
{
	struct g *g = self_g();

	if (!g)
		return;
	if (g->shield == 0)
		grt_fatal("goru_shield_exit without goru_shield_enter, by %s", grt_g_label(g).text);
	g->shield--;
	innermost(g, g->scope);
}
