/* rt.c - the runtime's one state, its Ps, and the words each thread has. */
/* SPDX-License-Identifier: MIT */
#include "rt/rt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fatal.h"
#include "rt/self.h"

struct rt grt_rt;

__thread struct m *grt_tls_m __attribute__((used)); /* also named by the ports' assembly */
__thread uintptr_t grt_tls_words[G_WORDS] __attribute__((used));

/* As before the first start, but for the epoch, which tells one start from the next. */
void grt_rt_reset(void)
{
	uint64_t epoch = grt_load(&grt_rt.epoch);

	memset(&grt_rt, 0, sizeof(grt_rt));
	grt_store(&grt_rt.epoch, epoch);
	grt_store(&grt_rt.id_next, 1);
}

static GRT_COLD _Noreturn void overflow(struct g *g)
{
	grt_fatal("stack overflow in goroutine %llu%s%.*s%s, %zu-byte stack (without a guard page: memory below it is "
		  "damaged)",
		  (unsigned long long)g->id, g->name[0] ? " (" : "", G_NAME - 1, g->name, g->name[0] ? ")" : "",
		  g->stack_size);
}

GRT_NOINLINE void grt_enter_slow(struct m *m)
{
	uint32_t flags = grt_load(&grt_rt.enter_flags);
	struct g *g = m->curg;

	if (flags & ENTER_FENCE)
		atomic_thread_fence(memory_order_seq_cst); /* handshake.F */
	if (flags & ENTER_CHECK && g && grt_arch_sp() < g->limit)
		overflow(g);
}

struct p *grt_p_really(struct m *m)
{
	grt_spin_lock(&grt_rt.lock);

	struct p *p = grt_load(&m->p);

	grt_spin_unlock(&grt_rt.lock);
	return p;
}

int grt_p_new(uint32_t id)
{
	struct p *p = aligned_alloc(_Alignof(struct p), sizeof(*p));

	if (!p)
		return -ENOMEM;
	memset(p, 0, sizeof(*p));
	p->id = id;
	p->rand = id + 1;
	grt_store(&p->status, P_DEAD);
	grt_timers_init(&p->timers);
	grt_store(&grt_rt.allp[id], p);
	atomic_store_explicit(&grt_rt.nallp, id + 1, memory_order_release); /* allp.A */
	return 0;
}

void grt_p_free_all(void)
{
	for (uint32_t i = 0; i < grt_load(&grt_rt.nallp); i++) {
		struct p *p = grt_load(&grt_rt.allp[i]);

		grt_timers_fini(&p->timers);
		free(p);
	}
}

/*
 * PROTOCOL allp
 *   Words    nallp, allp[0..nallp).
 *   Owners   writer: whoever holds rt.lock in start or set_procs.
 *   Pairs    A new: nallp release -> B look: nallp acquire   the P is initialised and in allp before it is counted
 *   Relaxed  allp[i] for i below a count read by B.
 *   Reuse    a P that retires stays, empty, until shutdown.
 *   Checked  tests/stress/procs.c
 */
