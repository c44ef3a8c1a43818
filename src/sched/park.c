/* park.c - the ends of a run: yield, exit, the first frame, and the loop's way in. */
/* SPDX-License-Identifier: MIT */
#include "sched/park.h"

#include <sched.h>

#include "goru.h"
#include "os/os.h"
#include "part/scope.h"
#include "rt/gpool.h"
#include "sched/block.h"
#include "sched/local.h"
#include "sched/ready.h"

/* False: it is full. */
static bool into_ring(struct p *p, struct g *g)
{
	grt_store(&p->ring_trees, false); /* g has run: it keeps its turn */
	return grt_runq_push(&p->runq, g);
}

/* Nobody else waits where p's holder looks, whose goroutine has queued itself and is no longer queued then. To give p away
 * for that one would take two threads' switches. */
static GRT_COLD bool locked_alone(struct p *p)
{
	if (grt_load(&p->runnext) || grt_lane_len(&p->spawned) || grt_lane_len(&p->woken) != 1 ||
	    grt_runq_len(&p->runq) || grt_injq_len(&grt_rt.injq) || grt_load(&p->attention))
		return false;
	grt_lane_oldest(&p->woken);
	return true;
}

/* Behind everybody of its own P; what was shared and is still here has waited already. */
GRT_INLINE void queue_itself(struct p *p, struct g *g)
{
	grt_g_set_state(g, G_RUNNABLE);
	if (GRT_LIKELY(!grt_runq_len(&p->runq)) || !into_ring(p, g))
		grt_ready_last(p, g);
}

/* Nobody there: it goes on. */
static GRT_NOINLINE void yield_to_others(struct m *m, struct p *p)
{
	struct g *g = m->curg, *next = grt_own_next(p);

	if (GRT_UNLIKELY(!next)) {
		grt_leave(m);
		return;
	}
	if (GRT_UNLIKELY(!grt_saved(next)))
		next = grt_next_unsaved(p, next);
	queue_itself(p, g);
	grt_leave(grt_switch(m, p, g, next));
}

/* The others' turn has come, attention is asked for, or a locked one yields. */
static GRT_NOINLINE void yield_over_loop(struct m *m, struct p *p)
{
	struct g *g = m->curg;

	queue_itself(p, g);
	if (!(g->flags & G_LOCKED))
		m = grt_switch(m, p, g, NULL);
	else if (!locked_alone(p))
		m = grt_switch_locked(m, p, g);
	else
		grt_g_set_state(g, G_RUNNING);
	grt_leave(m);
}

GRT_PUBLIC void goru_yield(void)
{
	struct m *m = grt_enter();

	if (GRT_UNLIKELY(!m || !m->curg)) {
		grt_not_forked();
		sched_yield();
		return;
	}

	struct p *p = grt_p_of(m);

	if (GRT_UNLIKELY(!p)) { /* it lost its P: taking its turn for another one is the yield */
		grt_leave(grt_reacquire(m));
		grt_leave_bracketed();
		return;
	}
	if (GRT_UNLIKELY(grt_load(&p->attention) || !p->to_loop)) {
		yield_over_loop(m, p);
		return;
	}
	p->to_loop--;
	yield_to_others(m, p);
}

/* The goroutine goru_run waits for has ended. */
static void main_ended(void)
{
	grt_tsan_release(&grt_rt.run_state);
	atomic_store_explicit(&grt_rt.run_state, 2, memory_order_release); /* run.A */
	grt_os_futex_wake(&grt_rt.run_state, INT32_MAX);
}

/* Inlined into the first function of each stack: a call without a return is one the CPU waits for (arch entry.S). */
_Noreturn GRT_INLINE void leave_for_good(struct m *m, struct g *g)
{
	struct p *p = grt_p_settled(m);
	struct g *next = p ? grt_next(p, NULL) : NULL;
	/* the tools want to hear of the end on another stack */
	bool kept = !GRT_ASAN_ON && !GRT_TSAN_ON && p && grt_gpool_keep(p, g);

	grt_check_unlocked(g, "ends");
	grt_g_set_state(g, G_DEAD);
	grt_tsan_release(g); /* the stack's next user comes after us */
	if (GRT_LIKELY(p)) {
		p->nended++;
	} else {
		atomic_fetch_add_explicit(&grt_rt.nended, 1, memory_order_relaxed);
		m->blocked = false;
		m->oldp = NULL;
	}

	struct gobuf *to = &m->g0;
	struct san_stack *to_san = &m->san;

	m->curg = next;
	m->held = p;
	if (GRT_UNLIKELY(!kept))
		m->dead = g;
	if (GRT_LIKELY(next)) {
		grt_note_run(p, next);
		to = &next->sched;
		to_san = &next->san;
	}
	grt_unlocked_here("a goroutine ends");
	grt_tsan_switch(to_san);
	grt_san_leave(&g->san, to_san, true);
	grt_arch_leave(to, m);
}

/* They stand on its stack, or would never be closed. */
static GRT_COLD _Noreturn void left_open(struct g *g)
{
	grt_fatal("%s ended with scope %p open", grt_g_label(g).text, (void *)g->scope);
}

static void leave_scope(struct m *m, struct g *g)
{
	struct g *closer;

	if (g->nopen)
		left_open(g); /* by a destructor */
	g->shield = 0;
	closer = g->scope ? grt_scope_leave(g) : NULL;
	if (closer)
		grt_ready(grt_p_of(m), closer);
}

/* The goroutine's function has returned in the child of a fork that it made: the thread is the program's, and ends as one
 * whose first function returns. Its own stack stands where it began to run the goroutine. */
static GRT_COLD _Noreturn void forked_end(void)
{
	struct m *m = grt_forked_m;

	grt_tsan_switch(&m->san);
	grt_san_leave(&m->curg->san, &m->san, true);
	grt_arch_leave(&m->g0, m);
}

/* What the end of few goroutines means to others. The destructors are the program's code: they may wait. */
static GRT_COLD struct m *last_words(struct m *m, struct g *g)
{
	grt_leave(m);
	if (g->nopen)
		left_open(g);
	if (g->flags & G_LOCALS)
		grt_locals_end(g);
	m = grt_enter();
	if (!m)
		forked_end(); /* by a destructor */
	if (g->flags & G_SCOPED)
		leave_scope(m, g);
	if (g->flags & G_LOCKED)
		grt_locked_end(m, g);
	if (g->flags & G_MAIN)
		main_ended();
	return m;
}

/* Inlined for the same reason. */
_Noreturn GRT_INLINE void run_over(struct m *m)
{
	struct g *g;

	if (GRT_UNLIKELY(!m))
		forked_end();
	g = m->curg;
	if (GRT_UNLIKELY(g->flags & (G_MAIN | G_LOCALS | G_LOCKED | G_SCOPED)))
		m = last_words(m, g);
	leave_for_good(m, g);
}

_Noreturn void grt_exit(void)
{
	run_over(grt_enter());
}

/* Every function the program may give us takes integer words only (checked by the headers): all six go in registers,
 * and one that takes fewer does not look at the rest. */
typedef void words_fn(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t);
typedef void word_fn(uintptr_t);

void grt_g_main(void *word)
{
	struct m *m = word;
	struct g *g = m->curg;

	grt_san_arrive(&g->san);
	if (m->dead)
		grt_bury(m);
	*m->errno_at = 0;
	if (m->eh_at)
		m->eh_at[0] = m->eh_at[1] = NULL;
	grt_tsan_acquire(g);
	grt_leave(m);
	if (g->flags & G_WIDE)
		((words_fn *)g->fn)(g->word[0], g->word[1], g->word[2], g->word[3], g->word[4],
				    g->word[5]);
	else
		((word_fn *)g->fn)(g->word[0]);
	run_over(grt_enter());
}

GRT_NOINLINE void grt_run(struct m *m, struct p *p, struct g *g)
{
	grt_unlocked_here("a goroutine is run");
	m->curg = g;
	grt_note_run(p, g);
	grt_tsan_switch(&g->san);
	grt_san_leave(&m->san, &g->san, false);
	grt_arch_switch(&m->g0, &g->sched, m);
	grt_san_arrive(&m->san);
	if (m->dead)
		grt_bury(m);
}
