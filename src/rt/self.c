/* self.c - the rare halves of entering goru, and the other side of it: a P taken from an M. */
/* SPDX-License-Identifier: MIT */
#include "rt/self.h"

#include "base/chaos.h"
#include "base/fatal.h"
#include "os/os.h"

static GRT_COLD _Noreturn void overflow(struct g *g)
{
	grt_fatal(
		"stack overflow in %s, %zu-byte stack (without a guard page: memory below it is damaged)",
		grt_g_label(g).text, g->stack_size);
}

GRT_NOINLINE void grt_enter_slow(struct m *m)
{
	uint32_t flags = grt_load(&grt_rt.enter_flags);
	struct g *g = m->curg;

	if (flags & ENTER_FENCE) {
		atomic_thread_fence(memory_order_seq_cst); /* handshake.F */
		if (!grt_load(&m->fences))
			grt_store(&m->fences, true);
	}
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

bool grt_take(struct m *m, struct p *p)
{
	bool fence = grt_load(&grt_rt.enter_flags) & ENTER_FENCE;

	if (fence && !grt_load(&m->fences))
		return false;
	grt_store(&m->p, NULL);
	if (fence) {
		atomic_thread_fence(memory_order_seq_cst); /* handshake.F */
	} else if (grt_os_membarrier() < 0) {		   /* handshake.E */
		atomic_fetch_or_explicit(&grt_rt.enter_flags, ENTER_FENCE, memory_order_relaxed);
		grt_store(&m->p, p);
		return false;
	}
	grt_chaos();
	if (!atomic_load_explicit(&m->in_rt, memory_order_acquire)) /* handshake.B */
		return true;
	grt_store(&m->p, p);
	return false;
}
