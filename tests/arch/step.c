/* step.c - the switch, one instruction at a time: whoever sees a stack's saved pointer may run there at once. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "test.h"

#include "arch.h"

/*
 * PROTOCOL gobuf in arch.h: when sp is stored, the other three words have been, and nobody is on that stack any more.
 * The trap flag brings a signal after each instruction, on a stack of its own, which looks at both records.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)

enum { SIZE = 65536, ROUNDS = 3 };

static _Alignas(64) char stack[SIZE], alt[SIZE];
static struct gobuf mine, other;
enum { STALE = 0x5a5a };
static int steps, stored, too_early, unsaved, uncleared;

struct seen {
	struct gobuf *b, *to;
	bool saved;
};

static bool on_other(uintptr_t sp)
{
	return sp > (uintptr_t)stack && sp <= (uintptr_t)stack + SIZE;
}

/* What no register holds when it returns: seen in a record, it was not saved. */
static GRT_NOINLINE void make_stale(struct gobuf *b)
{
	b->pc = b->bp = b->bx = (void *)STALE;
}

static bool is_stale(const void *word)
{
	return word == (void *)STALE;
}

/* After one instruction: has it stored the saved pointer? */
static void look(struct seen *s, bool here)
{
	bool saved = grt_load(&s->b->sp);

	if (saved && !s->saved) {
		stored++;
		too_early += here;
		unsaved += is_stale(s->b->pc) || is_stale(s->b->bp) || is_stale(s->b->bx);
		uncleared += grt_load(&s->to->sp) != NULL;
	}
	s->saved = saved;
}

static struct seen my = { .b = &mine, .to = &other }, its = { .b = &other, .to = &mine };

static void trapped(int sig, siginfo_t *info, void *arg)
{
	uintptr_t sp = (uintptr_t)((ucontext_t *)arg)->uc_mcontext.gregs[REG_RSP];

	(void)sig;
	(void)info;
	steps++;
	look(&my, !on_other(sp));
	look(&its, on_other(sp));
}

static void there(void *word)
{
	(void)word;
	for (;;) {
		grt_arch_switch(&other, &mine, NULL);
		make_stale(&other);
	}
}

static inline void trap_flag(bool on)
{
	if (on)
		__asm__ volatile(
			"subq $128, %%rsp\n\tpushfq\n\torq $256, (%%rsp)\n\tpopfq\n\taddq $128, %%rsp"
			:
			:
			: "memory", "cc");
	else
		__asm__ volatile(
			"subq $128, %%rsp\n\tpushfq\n\tandq $-257, (%%rsp)\n\tpopfq\n\taddq $128, %%rsp"
			:
			:
			: "memory", "cc");
}

static void saved_last_and_from_outside(void)
{
	stack_t st = { .ss_sp = alt, .ss_size = sizeof(alt) }, old_st;
	struct sigaction sa = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO | SA_ONSTACK }, old;

	CHECK_EQ(sigaltstack(&st, &old_st), 0);
	CHECK_EQ(sigaction(SIGTRAP, &sa, &old), 0);
	grt_arch_prepare(&other, stack + SIZE, there);
	its.saved = true;
	for (int i = 0; i < ROUNDS; i++) {
		make_stale(&mine);
		trap_flag(true);
		grt_arch_switch(&mine, &other, NULL);
		trap_flag(false);
		CHECK(!grt_load(&mine.sp));
		CHECK(on_other((uintptr_t)grt_load(&other.sp)));
	}
	CHECK(steps > 20 * ROUNDS);
	CHECK_EQ(stored, 2 * ROUNDS); /* there and back */
	CHECK_EQ(too_early, 0);
	CHECK_EQ(unsaved, 0);
	CHECK_EQ(uncleared, 0);
	sigaction(SIGTRAP, &old, NULL);
	sigaltstack(&old_st, NULL);
}

#else

/* ASan's instrumentation stands between the instructions; elsewhere there is no trap flag. */
static void saved_last_and_from_outside(void) {}

#endif

TEST_MAIN(TEST(saved_last_and_from_outside))
