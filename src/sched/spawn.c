/* spawn.c - go: a record and stack from the pool, a first frame, runnext. */
/* SPDX-License-Identifier: MIT */
#include "sched/spawn.h"

#include <errno.h>
#include <string.h>

#include "base/fatal.h"
#include "base/hooks.h"
#include "goru.h"
#include "part/scope.h"
#include "rt/gpool.h"
#include "rt/plain.h"
#include "sched/block.h"
#include "sched/park.h"
#include "sched/ready.h"

enum { ID_BATCH = 64 };

/* Resolved late: before the first spawn the runtime may be off and its default unknown. */
GRT_INLINE unsigned class_of(const struct spawn *s)
{
	return s->cls == CLS_DEFAULT ? grt_rt.default_cls : s->cls;
}

/* Ids rise without gaps as long as one P spawns; several take them in batches, as in Go. */
static GRT_NOINLINE void more_ids(struct p *p)
{
	p->id_next = atomic_fetch_add_explicit(&grt_rt.id_next, ID_BATCH, memory_order_relaxed);
	p->id_end = p->id_next + ID_BATCH;
}

GRT_INLINE uint64_t next_id(struct p *p)
{
	if (GRT_UNLIKELY(!p))
		return atomic_fetch_add_explicit(&grt_rt.id_next, 1, memory_order_relaxed);
	if (GRT_UNLIKELY(p->id_next == p->id_end))
		more_ids(p);
	return p->id_next++;
}

/* All that a record needs which is new or was used before; what a goroutine leaves as it found it is not stored again. */
GRT_INLINE void set_up(struct g *g, uint64_t id, const struct spawn *s)
{
	uint32_t was = g->flags;

	if (GRT_UNLIKELY(was & G_NAMED))
		g->name[0] = '\0';
	g->flags = (was & G_UNGUARDED) | s->flags | (s->nwords > 1 ? G_WIDE : 0);
	g->block_depth = 0;
	g->id = id;
	g->from = s->from;
	g->fn = s->fn;
	for (unsigned i = 0; i < s->nwords; i++)
		g->word[i] = s->word[i];
	grt_g_prepare(g);
	grt_tsan_release(g);
}

static GRT_COLD int failed(int rc)
{
	atomic_fetch_add_explicit(&grt_rt.nspawn_failed, 1, memory_order_relaxed);
	if (grt_rt.spawn_log || grt_rt.spawn_fatal) {
		const char *why = rc == -ENOMEM ? "no memory or address space" :
				  rc == -EAGAIN ? "a system limit" :
						  "the runtime shuts down";

		if (grt_rt.spawn_fatal && rc != -ESHUTDOWN)
			grt_fatal("cannot start a goroutine: %s", why);
		grt_warn("cannot start a goroutine: %s", why);
	}
	return rc;
}

static void set_name(struct g *g, const char *name)
{
	strncpy(g->name, name, sizeof(g->name) - 1);
	g->name[sizeof(g->name) - 1] = '\0';
	g->flags |= G_NAMED;
}

static void count_spawned(struct p *p)
{
	if (p)
		p->nspawned++;
	else
		atomic_fetch_add_explicit(&grt_rt.nspawned, 1, memory_order_relaxed);
}

/* On whatever stack the pools and the kernel have. */
static int spawn_any(struct p *p, const struct spawn *s)
{
	struct g *g;
	int rc = grt_gpool_get(p, class_of(s), &g);

	if (rc < 0)
		return failed(rc);
	if (s->scope && !grt_scope_add(s->scope, g)) {
		grt_gpool_put(p, g);
		return -EINVAL;
	}
	set_up(g, next_id(p), s);
	if (s->name)
		set_name(g, s->name);
	count_spawned(p);
	if (p)
		grt_ready_new(p, g);
	else
		grt_ready(NULL, g);
	return 0;
}

struct g *grt_spawn_get(struct p *p)
{
	struct g *g;
	int rc = grt_gpool_get(p, grt_rt.default_cls, &g);

	if (rc < 0)
		failed(rc);
	return rc < 0 ? NULL : g;
}

void grt_spawn_begin(struct p *p, struct g *g, const struct spawn *s)
{
	set_up(g, next_id(p), s);
	count_spawned(p);
}

static GRT_NOINLINE int spawn_plain(const struct spawn *s)
{
	int rc = grt_plain_enter_on();

	if (rc == 0) {
		rc = spawn_any(NULL, s);
		grt_plain_leave();
	}
	return rc;
}

/* m: of the calling goroutine, entered; NULL on a plain thread. */
static GRT_NOINLINE int spawn_slow(struct m *m, const struct spawn *s)
{
	int rc;

	if (!m)
		return spawn_plain(s);
	if (grt_load(&grt_rt.phase) == RT_STOPPING) {
		rc = failed(-ESHUTDOWN);
	} else {
		struct p *p = grt_p_of(m);

		/* one who lost its P and spawns may spawn many */
		rc = spawn_any(p ? p : grt_reacquire_idle(m), s);
	}
	grt_leave(m);
	return rc;
}

int grt_spawn(const struct spawn *s)
{
	return spawn_slow(grt_enter(), s);
}

/* The usual case, on a goroutine that holds its P and has a hot stack: nothing here is shared. False: nothing done. */
GRT_INLINE bool spawn_hot(struct m *m, const struct spawn *s)
{
	struct p *p = grt_p_of(m);
	struct g *g;

	if (GRT_UNLIKELY(!p || grt_load(&grt_rt.phase) == RT_STOPPING))
		return false;
	g = grt_gpool_hot(p);
	if (GRT_UNLIKELY(!g))
		return false;
	set_up(g, next_id(p), s);
	p->nspawned++;
	grt_ready_new(p, g);
	grt_leave(m);
	return true;
}

/* Of the default class, without a name. The record that spawn_slow wants is made only for it. */
static GRT_NOINLINE int go_slow(struct m *m, void (*fn)(void), const uintptr_t *word, unsigned n,
				const void *from)
{
	struct spawn s = { .fn = fn, .word = word, .nwords = n, .cls = CLS_DEFAULT, .from = from };

	return spawn_slow(m, &s);
}

static GRT_NOINLINE int go_slow_1(struct m *m, void (*fn)(void), uintptr_t word, const void *from)
{
	return go_slow(m, fn, &word, 1, from);
}

GRT_PUBLIC int goru_go(void (*fn)(void *), void *arg)
{
	uintptr_t word = (uintptr_t)arg;
	struct spawn s = {
		.fn = (void (*)(void))fn, .word = &word, .nwords = 1, .from = GRT_CALLER
	};
	struct m *m;

	if (GRT_UNLIKELY(!fn))
		return -EINVAL;
	m = grt_enter();
	if (GRT_LIKELY(m && spawn_hot(m, &s)))
		return 0;
	return go_slow_1(m, s.fn, word, s.from);
}

GRT_INLINE int go_words(void (*fn)(void), const uintptr_t *words, unsigned n, const void *from)
{
	struct spawn s = { .fn = fn, .word = words, .nwords = n, .from = from };
	struct m *m;

	if (GRT_UNLIKELY(!fn || n > G_WORDS))
		return -EINVAL;
	m = grt_enter();
	if (GRT_LIKELY(m && spawn_hot(m, &s)))
		return 0;
	return go_slow(m, fn, words, n, from);
}

GRT_PUBLIC int goru_go_words_(void (*fn)(void), const uintptr_t *words, unsigned n)
{
	return go_words(fn, words, n, GRT_CALLER);
}

GRT_PUBLIC int goru_go_captured_(void (*fn)(void))
{
	return go_words(fn, grt_tls_words, G_WORDS, GRT_CALLER);
}

GRT_PUBLIC int goru_go_attr(const goru_attr *attr, void (*fn)(void *), void *arg)
{
	uintptr_t word = (uintptr_t)arg;
	struct spawn s = { .fn = (void (*)(void))fn,
			   .word = &word,
			   .nwords = 1,
			   .cls = CLS_DEFAULT,
			   .from = GRT_CALLER };

	if (!fn)
		return -EINVAL;
	if (attr && attr->stack_size) {
		int cls = grt_stack_class(attr->stack_size);

		if (cls < 0)
			return cls;
		s.cls = (unsigned)cls;
	}
	if (attr)
		s.name = attr->name;
	return grt_spawn(&s);
}

GRT_PUBLIC uint64_t goru_id(void)
{
	struct m *m = grt_arch_self();

	if (GRT_UNLIKELY(!m))
		grt_not_forked();
	return m && m->curg ? m->curg->id : 0;
}
