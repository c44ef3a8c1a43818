/* call_on.c - a call on another stack keeps what a call keeps, passes its argument, and unwinders go through it. */
/* SPDX-License-Identifier: MIT */
/* test: not=nounwinder */
#include <unwind.h>

#include "deep.h"
#include "test.h"

#include "base/sanitizer.h"
#include "part/g.h"

#define NOINLINE __attribute__((noinline))

enum { SIZE = 1 << 16, DEPTH = 40, NEST = 5 };

static char stack[NEST][SIZE] __attribute__((aligned(16)));
static volatile int sink;

static void *top_of(int i)
{
	return stack[i] + SIZE - 16;
}

static bool on_stack(int i, const void *p)
{
	return (const char *)p >= stack[i] && (const char *)p < stack[i] + SIZE;
}

static int arg_seen, called;

static NOINLINE void looks(void *arg)
{
	char here;

	CHECK(on_stack(0, &here));
	CHECK(on_stack(0, __builtin_frame_address(0)));
	CHECK_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
	CHECK(!on_stack(0, *(void **)top_of(0))); /* the caller's sp */
	CHECK_EQ(*(uintptr_t *)top_of(0) % 16, 0);
	CHECK((char *)*(void **)top_of(0) < (char *)arg);
	CHECK((char *)arg - (char *)*(void **)top_of(0) < 4096);
	called++;
}

static void passes_and_returns(void)
{
	int on_mine = 0;

	called = 0;
	for (int i = 0; i < 3; i++)
		grt_arch_call_on(top_of(0), looks, &on_mine, NULL);
	CHECK_EQ(called, 3);
	CHECK_EQ(on_mine, 0);
}

static NOINLINE void spoils(void *arg)
{
	(void)arg;
#if defined(__x86_64__)
	__asm__ volatile("xorl %%ebx, %%ebx\n\txorl %%r12d, %%r12d\n\txorl %%r13d, %%r13d\n\t"
			 "xorl %%r14d, %%r14d\n\txorl %%r15d, %%r15d"
			 :
			 :
			 : "rbx", "r12", "r13", "r14", "r15", "rcx", "rdx", "rsi", "rdi", "memory");
#else
	__asm__ volatile("mov x19, xzr\n\tmov x20, xzr\n\tmov x21, xzr\n\tmov x22, xzr\n\t"
			 "mov x23, xzr\n\tmov x24, xzr\n\tmov x28, xzr\n\tmovi v8.2d, #0\n\t"
			 "movi v15.2d, #0"
			 :
			 :
			 : "x19", "x20", "x21", "x22", "x23", "x24", "x28", "v8", "v15", "memory");
#endif
	arg_seen++;
}

/* What the caller had in the registers that a call keeps. */
static void keeps_registers(void)
{
	uintptr_t before[5] = { 11, 22, 33, 44, 55 }, after[5] = { 0 };

#if defined(__x86_64__)
	register void *rdi __asm__("rdi") = top_of(0);
	register void (*rsi)(void *) __asm__("rsi") = spoils;
	register void *rdx __asm__("rdx") = NULL;
	register void *rcx __asm__("rcx") = NULL;
	register uintptr_t *r8 __asm__("r8") = before;
	register uintptr_t *r9 __asm__("r9") = after;

	__asm__ volatile("subq $128, %%rsp\n\tpushq %%rbx\n\tpushq %%r9\n\t"
			 "movq 0(%%r8), %%rbx\n\tmovq 8(%%r8), %%r12\n\tmovq 16(%%r8), %%r13\n\t"
			 "movq 24(%%r8), %%r14\n\tmovq 32(%%r8), %%r15\n\t"
			 "call grt_arch_call_on\n\t"
			 "popq %%r9\n\t"
			 "movq %%rbx, 0(%%r9)\n\tmovq %%r12, 8(%%r9)\n\tmovq %%r13, 16(%%r9)\n\t"
			 "movq %%r14, 24(%%r9)\n\tmovq %%r15, 32(%%r9)\n\tpopq %%rbx\n\t"
			 "addq $128, %%rsp"
			 : "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(rcx), "+r"(r8), "+r"(r9)
			 :
			 : "rax", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
			   "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
			   "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
	for (int i = 0; i < 5; i++)
		CHECK_EQ(after[i], before[i]);
#else
	register void *x0 __asm__("x0") = top_of(0);
	register void (*x1)(void *) __asm__("x1") = spoils;
	register void *x2 __asm__("x2") = NULL;
	register void *x3 __asm__("x3") = NULL;

	__asm__ volatile("ldp x20, x21, [%[b]]\n\tldp x22, x23, [%[b], #16]\n\t"
			 "ldr x24, [%[b], #32]\n\tldr d8, [%[b], #8]\n\t"
			 "stp %[b], %[a], [sp, #-16]!\n\t"
			 "bl grt_arch_call_on\n\t"
			 "ldp x4, x5, [sp], #16\n\t"
			 "stp x20, x21, [x5]\n\tstp x22, x23, [x5, #16]\n\tstr x24, [x5, #32]\n\t"
			 "fmov x6, d8\n\tstr x6, [x4, #0]"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 : [b] "r"(before), [a] "r"(after)
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			   "x15", "x16", "x17", "x18", "x20", "x21", "x22", "x23", "x24", "x30",
			   "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v16", "v17",
			   "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
			   "v28", "v29", "v30", "v31", "memory", "cc");
	CHECK_EQ(before[0], 22); /* d8 */
	before[0] = 11;
	for (int i = 0; i < 5; i++)
		CHECK_EQ(after[i], before[i]);
#endif
}

/* An unwinder sees the callers on the other stacks, in order, each once. */
struct trace {
	int n;
	uintptr_t pc[DEPTH];
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *arg)
{
	struct trace *t = arg;
	int before = 0;
	uintptr_t ip = _Unwind_GetIPInfo(context, &before);

	if (!ip)
		return _URC_NO_REASON;
	if (t->n == DEPTH)
		return _URC_END_OF_STACK;
	t->pc[t->n++] = before ? ip : ip - 1;
	return _URC_NO_REASON;
}

static int count_of(const struct trace *t, const void *fn)
{
	int n = 0;

	for (int i = 0; i < t->n; i++)
		n += _Unwind_FindEnclosingFunction((void *)t->pc[i]) == fn;
	return n;
}

static struct trace trace;

static NOINLINE void goes_deeper(void *arg)
{
	int level = (int)(uintptr_t)arg;

	if (level < NEST)
		grt_arch_call_on(top_of(level), goes_deeper, (void *)(uintptr_t)(level + 1), NULL);
	else
		_Unwind_Backtrace(step, &trace);
	sink++;
}

static NOINLINE void outermost(void)
{
	goes_deeper(NULL);
	sink++;
}

static void unwinds_through(void)
{
	trace.n = 0;
	outermost();
	CHECK_EQ(count_of(&trace, (const void *)goes_deeper), NEST + 1);
	CHECK_EQ(count_of(&trace, (const void *)grt_arch_call_on), NEST);
	CHECK_EQ(count_of(&trace, (const void *)outermost), 1);
	CHECK(trace.n < DEPTH);
}

/* A forced unwinding, as pthread_exit and thread cancellation make one, cleans up level by level, each on its caller. */
static int cleaned[NEST];
static int ncleaned;

static NOINLINE void cleans(void *arg)
{
	char here;
	int level = (int)(uintptr_t)arg;

	CHECK(!on_stack(level, &here));
	if (level)
		CHECK(on_stack(level - 1, &here));
	CHECK_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
	cleaned[ncleaned++] = level;
}

#ifdef __GLIBC__
static void exits(void)
{
	pthread_exit(&trace);
}
#else /* musl's pthread_exit and cancellation do not unwind: what glibc's do */
static _Unwind_Reason_Code to_the_end(int version, _Unwind_Action actions,
				      _Unwind_Exception_Class kind, struct _Unwind_Exception *e,
				      struct _Unwind_Context *context, void *arg)
{
	(void)version;
	(void)kind;
	(void)e;
	(void)context;
	if (actions & _UA_END_OF_STACK)
		pthread_exit(arg);
	return _URC_NO_REASON;
}

static void exits(void)
{
	static struct _Unwind_Exception e;

	_Unwind_ForcedUnwind(&e, to_the_end, &trace);
}
#endif

static void next_level(void *arg);

static NOINLINE void goes_deeper_to_exit(void *arg)
{
	int level = (int)(uintptr_t)arg;

	if (level < NEST)
		grt_arch_call_on(top_of(level), next_level, arg, cleans);
	else
		exits();
	sink++;
}

static void next_level(void *arg)
{
	goes_deeper_to_exit((void *)((uintptr_t)arg + 1));
}

static void *begins_thread(void *arg)
{
	goes_deeper_to_exit(arg);
	return NULL;
}

static void cleans_up(void)
{
	pthread_t t;
	void *r = NULL;

	if (GRT_ASAN_ON || GRT_TSAN_ON)
		return; /* nobody tells them of the stacks */
	ncleaned = 0;
	CHECK_EQ(pthread_create(&t, NULL, begins_thread, NULL), 0);
	CHECK_EQ(pthread_join(t, &r), 0);
	CHECK(r == &trace);
	CHECK_EQ(ncleaned, NEST);
	for (int i = 0; i < ncleaned; i++)
		CHECK_EQ(cleaned[i], NEST - 1 - i);
}

static void all(void)
{
	if (GRT_ASAN_ON)
		return;
	passes_and_returns();
	keeps_registers();
	unwinds_through();
}

/* This program has the unwinder; api/big.c, where the last one is too, has not. */
TEST_MAIN(TEST_BOTH(all), TEST(cleans_up), TEST(test_threads_end_on_big_stacks))
