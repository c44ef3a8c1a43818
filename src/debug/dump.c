/* dump.c - the list of goroutines, in groups of those that are alike. */
/* SPDX-License-Identifier: MIT */
#include "debug/dump.h"

#include <stdio.h>
#include <string.h>

#include "base/fatal.h"
#include "debug/backtrace.h"
#include "debug/symbol.h"
#include "goru.h"
#include "os/os.h"
#include "part/stack.h"
#include "part/waiter.h"
#include "rt/self.h"
#include "sched/park.h"
#include "walk.h"

enum {
	GROUPS = 100,
	BUCKETS = 256,
	COPY = 64 << 10,
	/* An unwinder's walk takes 10 us. Those who stand like another one need none; of the rest so many are looked at. */
	WALKS = 50000,
};

static const char *const reason_names[] = {
	[WAIT_NONE] = "",
	[WAIT_SEND] = "chan send",
	[WAIT_RECV] = "chan recv",
	[WAIT_SELECT] = "select",
	[WAIT_FOREVER] = "for ever",
	[WAIT_WAITGROUP] = "wait group",
	[WAIT_SLEEP] = "sleep",
	[WAIT_P] = "its turn after a blocking call",
	[WAIT_MUTEX] = "mutex",
	[WAIT_RDLOCK] = "rwlock, to read",
	[WAIT_WRLOCK] = "rwlock, to write",
	[WAIT_COND] = "condition",
	[WAIT_SEM] = "semaphore",
	[WAIT_ONCE] = "once",
	[WAIT_JOIN] = "task",
	[WAIT_SCOPE] = "scope, to close",
};

/* What one goroutine is like; a copy, as the record may change under us. */
struct look {
	uint8_t state, reason;
	bool locked;
	uint32_t age; /* in rt.clock's unit */
	uint64_t id;
	const void *from, *fn;
	char name[G_NAME];
};

struct group {
	struct look look; /* of the first; id the lowest, age the oldest one's */
	uint32_t youngest;
	uint64_t n;
	struct backtrace stands;
	int next; /* in its bucket; -1 */
};

/* All the memory a dump needs, from the kernel: malloc's locks may be what is stuck. */
struct work {
	uint64_t total, others;
	const struct backtrace *self;
	uint32_t now, walks;
	int ngroups;
	int bucket[BUCKETS];
	struct group group[GROUPS];
	struct symbols symbols;
	GRT_ALIGNED(64) char copy[COPY];
};

/* False: nobody is there. */
static bool look_at(struct g *g, struct look *l, uint32_t now)
{
	*l = (struct look){ .state = grt_load(&g->state), .reason = grt_load(&g->reason) };
	if (l->state == G_DEAD || l->state >= G_STATES)
		return false;
	if (l->state == G_WAITING && !grt_load(&g->waiting))
		l->state = G_RUNNING; /* on its way to wait: reason and since are the last wait's */
	if (l->state != G_WAITING || l->reason >= grt_countof(reason_names))
		l->reason = WAIT_NONE;
	if (l->state == G_WAITING)
		l->age = now - grt_load(&g->since);
	if (l->age > UINT32_MAX / 2) /* it began after the dump */
		l->age = 0;
	l->id = g->id;
	l->from = g->from;
	l->fn = (const void *)g->fn;
	l->locked = g->flags & G_LOCKED;
	memcpy(l->name, g->name, sizeof(l->name));
	l->name[G_NAME - 1] = '\0';
	return true;
}

static bool alike(const struct look *a, const struct look *b)
{
	return a->state == b->state && a->reason == b->reason && a->locked == b->locked &&
	       a->from == b->from && a->fn == b->fn && !strcmp(a->name, b->name);
}

static unsigned bucket_of(const struct look *l)
{
	uint64_t h = (uintptr_t)l->from * 31 + (uintptr_t)l->fn + l->state * 8u + l->reason;

	return (unsigned)((h * UINT64_C(0x9e3779b97f4a7c15)) >> 56) % BUCKETS;
}

static bool same_place(const struct backtrace *a, const struct backtrace *b)
{
	return a->n == b->n && !memcmp(a->pc, b->pc, a->n * sizeof(a->pc[0]));
}

static void joins(struct group *e, const struct look *l)
{
	e->n++;
	e->look.id = l->id < e->look.id ? l->id : e->look.id;
	e->youngest = l->age < e->youngest ? l->age : e->youngest;
	e->look.age = l->age > e->look.age ? l->age : e->look.age;
}

static bool is_self(const struct g *g)
{
	struct m *m = grt_arch_self();

	return m && m->curg == g;
}

static void one(struct g *g, void *arg)
{
	struct work *w = arg;
	struct backtrace b = { 0 };
	struct look l;

	if (!look_at(g, &l, w->now))
		return;
	w->total++;

	unsigned k = bucket_of(&l);
	bool full = w->ngroups == GROUPS, may_join = false;

	for (int i = w->bucket[k]; i >= 0; i = w->group[i].next) {
		if (!alike(&w->group[i].look, &l))
			continue;
		may_join = true;
		if (l.state != G_WAITING || grt_backtrace_same(g, &w->group[i].stands)) {
			joins(&w->group[i], &l);
			return;
		}
	}
	if (full && !may_join) {
		w->others++;
		return;
	}
	if (is_self(g))
		b = *w->self;
	else if (l.state == G_WAITING && w->walks++ < WALKS)
		grt_backtrace(g, &b, w->copy, sizeof(w->copy));
	for (int i = w->bucket[k]; i >= 0; i = w->group[i].next)
		if (alike(&w->group[i].look, &l) && same_place(&w->group[i].stands, &b)) {
			joins(&w->group[i], &l);
			return;
		}
	if (full) {
		w->others++;
		return;
	}
	w->group[w->ngroups] = (struct group){
		.look = l, .youngest = l.age, .n = 1, .stands = b, .next = w->bucket[k]
	};
	w->bucket[k] = w->ngroups++;
}

static uint64_t ms(uint32_t age)
{
	return ((uint64_t)age << GRT_CLOCK_SHIFT) / 1000000;
}

/* ", 3.2 s" or ", 1.0 to 3.2 s"; nothing below a second, which a stuck one soon is over. */
static void put_age(const struct group *e, char *out, size_t size)
{
	double most = (double)ms(e->look.age) / 1000, least = (double)ms(e->youngest) / 1000;

	*out = '\0';
	if (most < 1)
		return;
	if (most - least < 0.1)
		snprintf(out, size, ", %.1f s", most);
	else
		snprintf(out, size, ", %.1f to %.1f s", least, most);
}

static bool in_entry(uintptr_t pc)
{
	return pc - (uintptr_t)grt_arch_entry < 64;
}

static void put_group(int fd, struct work *w, const struct group *e)
{
	char age[48], sym[256], others[40] = "";
	const struct look *l = &e->look;
	uint32_t n = e->stands.n;

	put_age(e, age, sizeof(age));
	if (e->n > 1)
		snprintf(others, sizeof(others), " and %llu other%s", (unsigned long long)e->n - 1,
			 e->n > 2 ? "s" : "");
	grt_line(fd, "goroutine %llu%s%s%s%s [%s%s%s%s%s]", (unsigned long long)l->id,
		 *l->name ? " (" : "", l->name, *l->name ? ")" : "", others, grt_g_states[l->state],
		 l->reason ? ": " : "", reason_names[l->reason],
		 l->locked ? ", locked to its thread" : "", age);
	/* the last two are the first frame's and grt_g_main */
	if (n > 1 && in_entry(e->stands.pc[n - 1]))
		n -= 2;
	for (uint32_t i = 0; i < n; i++) {
		grt_symbol(&w->symbols, e->stands.pc[i], true, sym, sizeof(sym));
		grt_line(fd, "    %s", sym);
	}
	if (e->stands.cut)
		grt_line(fd, "    ...");
	if (!e->stands.n && l->fn) {
		grt_symbol(&w->symbols, (uintptr_t)l->fn, false, sym, sizeof(sym));
		grt_line(fd, "    in %s or what it calls", sym);
	}
	if (l->from) {
		grt_symbol(&w->symbols, grt_arch_plain((uintptr_t)l->from), true, sym, sizeof(sym));
		grt_line(fd, "    started by %s", sym);
	}
}

/* No memory for more: one after the other, without a backtrace. */
static void list_one(struct g *g, void *arg)
{
	struct look l;
	int *fd = arg;

	if (look_at(g, &l, 0))
		grt_line(*fd, "%s [%s%s%s]", grt_g_label(g).text, grt_g_states[l.state],
			 l.reason ? ": " : "", reason_names[l.reason]);
}

static void dump(int fd, const struct backtrace *self)
{
	struct work *w;
	void *memory;

	if (grt_os_map(sizeof(*w), &memory) < 0) {
		grt_stack_each(list_one, &fd);
		return;
	}
	w = memory;
	w->self = self;
	memset(w->bucket, -1, sizeof(w->bucket));
	w->now = (uint32_t)(grt_os_now() >> GRT_CLOCK_SHIFT);
	grt_stack_each(one, w);
	if (w->total)
		grt_symbols_init(&w->symbols);
	else
		grt_line(fd, "no goroutines");
	for (int i = 0; i < w->ngroups; i++)
		put_group(fd, w, &w->group[i]);
	if (w->others)
		grt_line(fd, "... and %llu more goroutines, unlike these",
			 (unsigned long long)w->others);
	grt_symbols_fini(&w->symbols);
	grt_os_unmap(memory, sizeof(*w));
}

void grt_dump(int fd)
{
	/* shutdown waits for goroutines by itself, and for plain threads that are inside */
	bool plain = !grt_arch_self();
	struct backtrace self;

	if (grt_on_goroutine())
		grt_backtrace_self(&self);

	if (plain) {
		grt_plain_enter();
		atomic_thread_fence(memory_order_seq_cst); /* plain.F */
		if (atomic_load_explicit(&grt_rt.phase, memory_order_acquire) ==
		    RT_STOPPING) { /* phase.B */
			grt_plain_leave();
			grt_line(fd, "the runtime shuts down");
			return;
		}
	}
	dump(fd, &self);
	if (plain)
		grt_plain_leave();
}

GRT_PUBLIC void goru_dump(int fd)
{
	grt_dump(fd);
}
