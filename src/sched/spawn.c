/* spawn.c - go: a record and stack from the pool, a first frame, runnext. */
/* SPDX-License-Identifier: MIT */
#include "sched/spawn.h"

#include <errno.h>
#include <string.h>

#include "base/fatal.h"
#include "base/hooks.h"
#include "goru.h"
#include "rt/gpool.h"
#include "rt/plain.h"
#include "sched/park.h"
#include "sched/ready.h"

enum { ID_BATCH = 16 };

/* Resolved late: before the first spawn the runtime may be off and its default unknown. */
GRT_INLINE unsigned class_of(const struct spawn *s)
{
	return s->cls == CLS_DEFAULT ? grt_rt.default_cls : s->cls;
}

/* Ids rise without gaps as long as one P spawns; several take them in batches, as in Go. */
static uint64_t next_id(struct p *p)
{
	if (!p)
		return atomic_fetch_add_explicit(&grt_rt.id_next, 1, memory_order_relaxed);
	if (GRT_UNLIKELY(p->id_next == p->id_end)) {
		p->id_next =
			atomic_fetch_add_explicit(&grt_rt.id_next, ID_BATCH, memory_order_relaxed);
		p->id_end = p->id_next + ID_BATCH;
	}
	return p->id_next++;
}

GRT_INLINE void init(struct g *g, struct p *p, const struct spawn *s)
{
	g->id = next_id(p);
	g->fn = s->fn;
	for (unsigned i = 0; i < s->nwords; i++)
		g->word[i] = s->word[i];
	g->flags = (uint8_t)((g->flags & G_UNGUARDED) | s->flags | (s->nwords > 1 ? G_WIDE : 0));
	g->block_depth = 0;
	grt_store(&g->waiting, NULL);
	g->name[0] = '\0';
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
}

/* On a goroutine that holds its P: nothing here is shared but what the pool may need. */
static inline int spawn_local(struct p *p, const struct spawn *s)
{
	struct g *g;
	int rc = grt_gpool_get(p, class_of(s), &g);

	if (GRT_UNLIKELY(rc < 0))
		return failed(rc);
	init(g, p, s);
	if (GRT_UNLIKELY(s->name))
		set_name(g, s->name);
	p->nspawned++;
	grt_ready_new(p, g);
	return 0;
}

static int spawn_shared(const struct spawn *s)
{
	struct g *g;
	int rc = grt_gpool_get(NULL, class_of(s), &g);

	if (rc < 0)
		return failed(rc);
	init(g, NULL, s);
	if (s->name)
		set_name(g, s->name);
	atomic_fetch_add_explicit(&grt_rt.nspawned, 1, memory_order_relaxed);
	grt_ready(NULL, g);
	return 0;
}

/* A plain thread: the runtime may be off, or go off meanwhile. */
static GRT_NOINLINE int spawn_plain(const struct spawn *s)
{
	for (;;) {
		int rc = 0;

		grt_plain_enter();
		atomic_thread_fence(memory_order_seq_cst);			     /* plain.F */
		switch (atomic_load_explicit(&grt_rt.phase, memory_order_acquire)) { /* phase.B */
		case RT_ON:
			rc = spawn_shared(s);
			grt_plain_leave();
			return rc;
		case RT_STOPPING:
			grt_plain_leave();
			return -ESHUTDOWN;
		default:
			grt_plain_leave();
			rc = grt_hook_start();
			if (rc < 0 && rc != -EALREADY)
				return rc;
		}
	}
}

GRT_INLINE int spawn(const struct spawn *s)
{
	struct m *m = grt_enter();
	struct p *p;
	int rc;

	if (GRT_UNLIKELY(!m))
		return spawn_plain(s);
	p = grt_p_of(m);
	if (GRT_UNLIKELY(grt_load(&grt_rt.phase) == RT_STOPPING))
		rc = -ESHUTDOWN;
	else if (GRT_LIKELY(p))
		rc = spawn_local(p, s);
	else
		rc = spawn_shared(s);
	grt_leave(m);
	return rc;
}

int grt_spawn(const struct spawn *s)
{
	return spawn(s);
}

GRT_PUBLIC int goru_go(void (*fn)(void *), void *arg)
{
	uintptr_t word = (uintptr_t)arg;
	struct spawn s = {
		.fn = (void (*)(void))fn, .word = &word, .nwords = 1, .cls = CLS_DEFAULT
	};

	if (GRT_UNLIKELY(!fn))
		return -EINVAL;
	return spawn(&s);
}

GRT_PUBLIC int goru_go_words_(void (*fn)(void), const uintptr_t *words, unsigned n)
{
	struct spawn s = { .fn = fn, .word = words, .nwords = n, .cls = CLS_DEFAULT };

	if (GRT_UNLIKELY(!fn || n > G_WORDS))
		return -EINVAL;
	return spawn(&s);
}

GRT_PUBLIC int goru_go_captured_(void (*fn)(void))
{
	return goru_go_words_(fn, grt_tls_words, G_WORDS);
}

GRT_PUBLIC int goru_go_attr(const goru_attr *attr, void (*fn)(void *), void *arg)
{
	uintptr_t word = (uintptr_t)arg;
	struct spawn s = {
		.fn = (void (*)(void))fn, .word = &word, .nwords = 1, .cls = CLS_DEFAULT
	};

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
	return spawn(&s);
}

GRT_PUBLIC uint64_t goru_id(void)
{
	struct m *m = grt_arch_self();

	return m && m->curg ? m->curg->id : 0;
}
