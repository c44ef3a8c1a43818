/* kit.c - what models need of goru's inside: goroutines on the explorer's stacks, Ms, and the kernel's part. */
/* SPDX-License-Identifier: MIT */
#include "kit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fatal.h"
#include "os/os.h"

void *model_stack(size_t *size);

_Noreturn void grt_fatal(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	model_fail("fatal: %s", text);
}

void grt_warn(const char *fmt, ...)
{
	(void)fmt;
}

int64_t kit_tick;

/* A clock a thread: one that all read would order what they do. */
int64_t grt_os_now(void)
{
	static int64_t looks[MODEL_THREADS];

	return kit_tick ? model_now + kit_tick * looks[model_self()]++ : model_now;
}

bool kit_no_membarrier;

int grt_os_membarrier(void)
{
	if (kit_no_membarrier)
		return -EPERM;
	model_membarrier();
	return 0;
}

int grt_os_membarrier_init(void)
{
	return 0;
}

/* Memory for part/stack.c: what little there is on the explorer's heap. */
size_t grt_os_page_size(void)
{
	return 4096;
}

int grt_os_map(size_t size, void **out)
{
	*out = aligned_alloc(64, (size + 63) & ~(size_t)63);
	if (*out)
		memset(*out, 0, size);
	return *out ? 0 : -ENOMEM;
}

int grt_os_reserve(size_t size, size_t align, void **out)
{
	(void)align;
	if (size > 32768)
		return -ENOMEM;
	return grt_os_map(size, out);
}

bool grt_os_locked(void *base)
{
	(void)base;
	return false;
}

int grt_os_commit(void *base, size_t size)
{
	(void)base, (void)size;
	return 0;
}

int grt_os_protect(void *base, size_t size)
{
	(void)base, (void)size;
	return 0;
}

uint32_t grt_os_guard(void *base, size_t stride, size_t len, uint32_t n)
{
	(void)base, (void)stride, (void)len;
	return n;
}

bool grt_os_guard_supported(void)
{
	return true;
}

size_t grt_os_max_map_count(void)
{
	return 65530;
}

void grt_os_unmap(void *base, size_t size)
{
	(void)base, (void)size;
}

void grt_os_populate(void *base, size_t stride, uint32_t n)
{
	(void)base, (void)stride, (void)n;
}

void grt_os_discard(const struct os_range *r, unsigned n)
{
	(void)r, (void)n;
}

struct g *kit_injq_pop(void)
{
	struct glist one = { 0 };

	grt_injq_take(&grt_rt.injq, 1, &one);
	return grt_glist_pop(&one);
}

struct g *kit_g(void (*fn)(void *))
{
	size_t size;
	char *lo = model_stack(&size);
	struct g *g = (struct g *)(lo + ((size - sizeof(*g)) & ~(size_t)63));

	memset(g, 0, sizeof(*g));
	g->stack_lo = lo;
	g->stack_size = size;
	grt_arch_prepare(&g->sched, g, fn);
	model_unordered(&g->state); /* for reports: who parks may say so after who wakes it */
	return g;
}

struct m *kit_begin(struct m *m, struct p *p)
{
	static int errno_of[MODEL_THREADS];

	model_set_self(m);
	m->errno_at = &errno_of[model_self()];
	if (p)
		m->held = p;
	return m;
}

void kit_p(struct p *p, uint32_t id, struct m *m)
{
	p->id = id;
	p->to_loop = 1000;
	model_unordered(&grt_rt.wakeable); /* a hint */
	grt_timers_init(&p->timers);
	grt_rt.allp[id] = p;
	grt_rt.nallp = id + 1;
	grt_rt.procs = id + 1;
	if (m)
		grt_give(m, p);
	else
		grt_pidle_put(p);
}

_Noreturn void kit_end(void)
{
	struct m *m = grt_arch_self();

	grt_switch(m, m->held, m->curg, NULL);
	model_fail("a goroutine that ended goes on");
}
