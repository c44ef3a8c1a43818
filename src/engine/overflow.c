/* overflow.c - SIGSEGV in a guard area is a stack overflow, and says whose; any other goes to who had the signal before. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "engine/overflow.h"

#include <errno.h>
#include <signal.h>
#include <ucontext.h>

#include "base/fatal.h"
#include "os/os.h"
#include "rt/self.h"
#include "sched/big.h"

static const int signals[] = { SIGSEGV, SIGBUS };

/* Who has the signal when it is no overflow. Written only while the handler does not stand before it. */
static struct next {
	struct sigaction sa;
	_Atomic bool spent; /* SA_RESETHAND: it was called, and the default has taken its place */
	bool placed;	    /* by this start of the runtime */
	bool buried;	    /* the program has put a handler before ours, which may call ours */
} nexts[grt_countof(signals)];

static void report(struct g *g, const struct big *b)
{
	if (b)
		grt_fatal("stack overflow in %s, %zu-byte big stack",
			  g ? grt_g_label(g).text : "a plain thread", b->size);
	grt_fatal("stack overflow in %s, %zu-byte stack", grt_g_label(g).text, g->stack_size);
}

static bool is_handler(const struct sigaction *sa)
{
	return (sa->sa_flags & SA_SIGINFO) ||
	       (sa->sa_handler != SIG_DFL && sa->sa_handler != SIG_IGN);
}

/* Will the fault be there again when the handler has returned? Not what somebody sent, or the kernel only mentions. */
static bool comes_again(int sig, const siginfo_t *info)
{
	return info->si_code > 0 && !(sig == SIGBUS && info->si_code == BUS_MCEERR_AO);
}

/* The process dies of the signal as if there had never been a handler: at the same instruction, with the same address. */
static void die_of(int sig, siginfo_t *info)
{
	signal(sig, SIG_DFL);
	if (!comes_again(sig, info))
		grt_os_signal_resend(sig, info);
}

/* What the kernel would have blocked. The handler may not return, but jump. */
static void mask_as_for(int sig, const struct sigaction *sa, const ucontext_t *context)
{
	sigset_t s;

	sigorset(&s, &context->uc_sigmask, &sa->sa_mask);
	if (!(sa->sa_flags & SA_NODEFER))
		sigaddset(&s, sig);
	pthread_sigmask(SIG_SETMASK, &s, NULL);
}

/*
 * As the kernel would do it, but for the stack: where the thread has an alternate one the handler runs there, whether it
 * asked for it or not.
 */
static void chain(int sig, siginfo_t *info, void *context)
{
	struct next *next = &nexts[sig == SIGBUS];
	struct sigaction sa = next->sa;
	bool handled = is_handler(&sa);

	if (handled && ((unsigned)sa.sa_flags & SA_RESETHAND))
		handled = !atomic_exchange_explicit(&next->spent, true, memory_order_relaxed);
	if (!handled) {
		/* a fault cannot be ignored, only a signal that was sent */
		if (sa.sa_handler != SIG_IGN || comes_again(sig, info))
			die_of(sig, info);
		return;
	}
	mask_as_for(sig, &sa, context);
	if (sa.sa_flags & SA_SIGINFO)
		sa.sa_sigaction(sig, info, context);
	else
		sa.sa_handler(sig);
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

static bool stands(const struct sigaction *now)
{
	return (now->sa_flags & SA_SIGINFO) && now->sa_sigaction == handler;
}

/*
 * Not before a handler that may be one that calls ours: the two would call each other for ever. The program wanted it in
 * front.
 */
void grt_overflow_install(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK }, now;

	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < grt_countof(signals); i++) {
		struct next *next = &nexts[i];

		if (sigaction(signals[i], NULL, &now) ||
		    (next->buried && is_handler(&now) && !stands(&now)))
			continue;
		next->placed = true;
		if (stands(&now)) /* the program has put it back */
			continue;
		next->sa = now; /* first: another thread may fault as soon as ours stands there */
		grt_store(&next->spent, false);
		sigaction(signals[i], &sa, NULL);
	}
}

/* Only if the program has not put its own in our place meanwhile. */
void grt_overflow_uninstall(void)
{
	for (size_t i = 0; i < grt_countof(signals); i++) {
		struct next *next = &nexts[i];
		struct sigaction now;

		if (!next->placed || sigaction(signals[i], NULL, &now))
			continue;
		next->placed = false;
		if (!stands(&now))
			next->buried = true;
		else if (grt_load(&next->spent))
			signal(signals[i], SIG_DFL);
		else
			sigaction(signals[i], &next->sa, NULL);
	}
}
