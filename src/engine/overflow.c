/* overflow.c - SIGSEGV in a guard area is a stack overflow, and says whose; any other goes to who had the signal before. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "engine/overflow.h"

#include <errno.h>
#include <signal.h>

#include "base/fatal.h"
#include "rt/self.h"
#include "sched/big.h"

static const int signals[] = { SIGSEGV, SIGBUS };
static struct sigaction before[2];
static bool installed;

static void report(struct g *g, const struct big *b)
{
	if (b)
		grt_fatal("stack overflow in %s, %zu-byte big stack",
			  g ? grt_g_label(g).text : "a plain thread", b->size);
	grt_fatal("stack overflow in %s, %zu-byte stack", grt_g_label(g).text, g->stack_size);
}

static void chain(int sig, siginfo_t *info, void *context)
{
	const struct sigaction *old = &before[sig == SIGBUS];

	if (old->sa_flags & SA_SIGINFO) {
		old->sa_sigaction(sig, info, context);
	} else if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN) {
		/* a fault cannot be ignored: back to the instruction, which faults again and kills */
		signal(sig, SIG_DFL);
	} else {
		old->sa_handler(sig);
	}
}

/* On the M's alternate stack. */
static void handler(int sig, siginfo_t *info, void *context)
{
	struct m *m = grt_arch_self();
	struct g *g = m ? m->curg : NULL;
	uintptr_t addr = (uintptr_t)info->si_addr;
	int saved = errno;

	const struct big *b = grt_big_of(g);

	/* si_code > 0: the kernel's own, with an address; the guard area begins at the slot's first byte */
	if (b && info->si_code > 0 && addr - (uintptr_t)b->lo < b->guard)
		report(g, b);
	if (g && info->si_code > 0 && addr - (uintptr_t)g->stack_lo < grt_stack_guard(g))
		report(g, NULL);
	chain(sig, info, context);
	errno = saved;
}

void grt_overflow_install(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < grt_countof(signals); i++)
		sigaction(signals[i], &sa, &before[i]);
	installed = true;
}

/* Only if the program has not put its own in our place meanwhile. */
void grt_overflow_uninstall(void)
{
	for (size_t i = 0; installed && i < grt_countof(signals); i++) {
		struct sigaction now;

		if (!sigaction(signals[i], NULL, &now) && (now.sa_flags & SA_SIGINFO) &&
		    now.sa_sigaction == handler)
			sigaction(signals[i], &before[i], NULL);
	}
	installed = false;
}
