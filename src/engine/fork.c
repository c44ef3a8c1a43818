/* fork.c - what a fork does to its child: a process with one thread, which may start a runtime of its own. */
/* SPDX-License-Identifier: MIT */
/*
 * The child has a copy of the memory, and of the threads only the one that forked; the others may have been in the middle of
 * anything. So nothing that the runtime had is given back in the child, or looked at: stacks (the child may stand on one),
 * Ps and Ms stay where they are. What plain threads use without a runtime begins anew at once, the rest when the child
 * starts one.
 *
 * Before the fork nothing is waited for but signals, which nobody holds up: whoever stops the runtime waits for the
 * goroutine that forks. And if it was off, the child goes on as the parent does.
 *
 * In the child of a goroutine's fork the goroutine is an ordinary thread, on a stack that happens to be an arena's. A
 * constructor, so that forks are heard of before the first start, too: plain threads wait without one.
 */
#include "engine/fork.h"

#include "base/fatal.h"
#include "base/tls.h"
#include "os/os.h"
#include "part/scope.h"
#include "rt/gpool.h"
#include "rt/life.h"
#include "rt/self.h"
#include "sched/local.h"
#include "sync/signal.h"

static bool watched;

/* The parent's, in no order: leak checkers find what hangs on them. */
static struct {
	struct p *p;
	struct m *m;
} left;

/* m's thread is the only one. When the goroutine's function returns it ends by its loop: sched/park.c. */
static void no_longer_a_worker(struct m *m)
{
	struct p *p = grt_load(&grt_rt.allp[0]);

	grt_forked_m = m;
	grt_tls_m = NULL;
	m->held = p;
	m->lockg = NULL;
	grt_store(&p->attention, ATT_FORKED);
	grt_os_mask_child_set();
}

static void child(void)
{
	struct m *m = grt_arch_self();

	grt_fatal_forked();
	grt_plain_forked();
	grt_scopes_forked();
	grt_locals_forked();
	grt_signals_fork_child();
	grt_life_forked();
	if (grt_load(&grt_rt.phase) == RT_OFF)
		return;
	grt_forked = true;
	grt_store(&grt_rt.phase, RT_OFF);
	if (m)
		no_longer_a_worker(m);
}

int grt_fork_watch(void)
{
	int rc = 0;

	if (!watched)
		rc = grt_os_at_fork(grt_signals_fork, grt_signals_fork_parent, child);
	watched = rc == 0;
	return rc;
}

__attribute__((constructor)) static void loaded(void)
{
	(void)grt_fork_watch();
}

void grt_fork_forget(void)
{
	struct m *m, *next;

	for (uint32_t i = 0; i < grt_load(&grt_rt.nallp); i++) {
		struct p *p = grt_load(&grt_rt.allp[i]);

		p->link = left.p;
		left.p = p;
	}
	for (m = grt_rt.allm; m; m = next) {
		next = m->alllink;
		m->alllink = left.m;
		left.m = m;
	}
	grt_store(&grt_rt.nallp, 0);
	grt_rt.allm = NULL;
	grt_gpool_forget();
	grt_stacks_forget();
}
