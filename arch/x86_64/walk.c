/* walk.c - x86-64: by the compiler's unwinder, as functions keep no frame pointer. */
/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <unwind.h>

/* Where programs link without an unwinder (the one that comes with musl-gcc wants glibc) the program's is used, if it has
 * one: else a backtrace is the place where the goroutine waits. */
#if defined(GRT_WEAK_UNWINDER) && GRT_WEAK_UNWINDER
#pragma weak _Unwind_Backtrace
#pragma weak _Unwind_GetIPInfo
static bool have_unwinder(void)
{
	return _Unwind_Backtrace && _Unwind_GetIPInfo;
}
#else
static bool have_unwinder(void)
{
	return true;
}
#endif

/*
 * grt_walk_from(at, fn, arg): _Unwind_Backtrace(fn, arg) whose caller, as far as the unwinder can see, is the place where
 * at was left: the table of this function says that its caller's pc, sp, bp and bx stand in *at.
 */
_Unwind_Reason_Code grt_walk_from(const struct gobuf *at, _Unwind_Trace_Fn fn, void *arg)
	__attribute__((visibility("hidden")));
__asm__(".pushsection .text\n\t"
	".globl grt_walk_from\n\t"
	".hidden grt_walk_from\n\t"
	".type grt_walk_from, @function\n"
	"grt_walk_from:\n\t"
	".cfi_startproc\n\t"
	"endbr64\n\t"
	"pushq %r12\n\t"
	"movq %rdi, %r12\n\t"
	".cfi_escape 0x0f, 3, 0x7c, 8, 6\n\t"  /* CFA = *(r12 + 8) */
	".cfi_escape 0x10, 16, 2, 0x7c, 0\n\t" /* pc at r12 + 0 */
	".cfi_escape 0x10, 6, 2, 0x7c, 16\n\t" /* rbp at r12 + 16 */
	".cfi_escape 0x10, 3, 2, 0x7c, 24\n\t" /* rbx at r12 + 24 */
	"movq %rsi, %rdi\n\t"
	"movq %rdx, %rsi\n\t"
	"call _Unwind_Backtrace@PLT\n\t"
	"popq %r12\n\t"
	"ret\n\t"
	".cfi_endproc\n\t"
	".size grt_walk_from, .-grt_walk_from\n\t"
	".popsection");

struct walk {
	uintptr_t *pc;
	unsigned n, max, skip;
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *arg)
{
	struct walk *w = arg;
	int before = 0;
	uintptr_t ip = _Unwind_GetIPInfo(context, &before);

	if (!ip) /* libgcc tells the end as a frame of its own */
		return _URC_NO_REASON;
	if (w->skip) {
		w->skip--;
		return _URC_NO_REASON;
	}
	if (w->n == w->max)
		return _URC_END_OF_STACK;
	w->pc[w->n++] = ip;
	return _URC_NO_REASON;
}

unsigned grt_arch_walk(const struct gobuf *at, uintptr_t lo, uintptr_t hi, uintptr_t *pc,
		       unsigned max)
{
	struct walk w = { .pc = pc, .max = max, .skip = 1 };

	(void)lo;
	(void)hi;
	if (!have_unwinder()) {
		pc[0] = (uintptr_t)at->pc;
		return 1;
	}
	grt_walk_from(at, step, &w);
	return w.n;
}

GRT_NOINLINE unsigned grt_arch_walk_self(uintptr_t *pc, unsigned max)
{
	struct walk w = { .pc = pc, .max = max, .skip = 2 };

	if (have_unwinder())
		_Unwind_Backtrace(step, &w);
	return w.n;
}
