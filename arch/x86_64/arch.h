/* arch.h - x86-64 port: the switch, the first frame, the thread's M. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ARCH_H
#define GRT_ARCH_H

#include "base/atomic.h"

struct m;

/*
 * Where a stack stands while nobody runs on it. The compiler keeps everything else: the switch declares every other
 * register clobbered, so that the call site spills exactly what is live.
 *
 * PROTOCOL gobuf
 *   Words    sp: 0 while the stack is in use or its registers are not saved yet; else the saved stack pointer.
 *   Owners   whoever runs on the stack owns all four words; storing sp passes them to whoever holds the goroutine
 *            (a queue, a waiter list); taking the goroutine out of there to run it passes them back.
 *   Steps    switch: store pc, bp, bx; load the other's four words and leave the old stack; clear the other's sp;
 *            store the old sp. Nothing touches the old stack after its sp is stored: a goroutine is queued before it is
 *            switched out, and another M may already wait to run it.
 *   Pairs    A switch: sp release -> B take: sp acquire   the four words, and all the goroutine wrote on its M, are
 *            visible where it goes on. On x86-64 the stores of the switch are in order by themselves.
 *   Relaxed  the clearing of sp: only the new owner reads it before it is stored again.
 *   Reuse    the record is never unmapped while the runtime runs; a freed goroutine is in no queue.
 *   Rejected a state word set by whoever runs next: a locked instruction or a second store on every switch.
 *            Storing sp before the other stack is entered: a signal frame could then land on a stack in use.
 *   Checked  tests/model/gobuf.c, tests/arch
 */
struct gobuf {
	void *pc;
	_Atomic(void *) sp;
	void *bp; /* the context register */
	void *bx; /* clang before 19 lets rbx, its base pointer, live across although it is declared clobbered */
};

/* GCC knows the AVX-512 registers as clobbers only where the target has them. */
#ifdef __AVX512F__
#define GRT_ARCH_CLOBBER_512                                                                       \
	, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",         \
		"xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2",   \
		"k3", "k4", "k5", "k6", "k7"
#else
#define GRT_ARCH_CLOBBER_512
#endif
#ifdef __APX_F__
#define GRT_ARCH_CLOBBER_APX                                                                       \
	, "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27",      \
		"r28", "r29", "r30", "r31"
#else
#define GRT_ARCH_CLOBBER_APX
#endif

/*
 * Leaves this stack for another one; returns, with the word its next runner passes, when somebody comes back.
 * A jump, not a call: no return address, no red zone trouble, and the unwind table of the function this is inlined
 * into stays right. The label is reached by an indirect jump, hence endbr64.
 */
GRT_INLINE void *grt_arch_switch(struct gobuf *from, struct gobuf *to, void *word)
{
	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
			 "movq %%rax, 0(%%rdi)\n\t"
			 "movq %%rbp, 16(%%rdi)\n\t"
			 "movq %%rbx, 24(%%rdi)\n\t"
			 "movq %%rsp, %%rax\n\t"
			 "movq 0(%%rsi), %%rcx\n\t"
			 "movq 16(%%rsi), %%rbp\n\t"
			 "movq 24(%%rsi), %%rbx\n\t"
			 "movq 8(%%rsi), %%rsp\n\t"
			 "movq $0, 8(%%rsi)\n\t"
			 "movq %%rax, 8(%%rdi)\n\t" /* gobuf.A */
			 "jmpq *%%rcx\n"
			 "1:\n\t"
			 "endbr64\n\t"
			 : "+D"(from), "+S"(to), "+d"(word)
			 :
			 : "rax", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
			   "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
			   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "mm0",
			   "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "st", "st(1)", "st(2)",
			   "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "memory",
			   "cc" GRT_ARCH_CLOBBER_512 GRT_ARCH_CLOBBER_APX);
	return word;
}

/* The same without a way back: nothing of this stack is kept, and its sp stays 0. */
_Noreturn GRT_INLINE void grt_arch_leave(struct gobuf *to, void *word)
{
	__asm__ volatile("movq 0(%%rsi), %%rcx\n\t"
			 "movq 16(%%rsi), %%rbp\n\t"
			 "movq 24(%%rsi), %%rbx\n\t"
			 "movq 8(%%rsi), %%rsp\n\t"
			 "movq $0, 8(%%rsi)\n\t"
			 "jmpq *%%rcx"
			 :
			 : "S"(to), "d"(word)
			 : "memory");
	__builtin_unreachable();
}

void grt_arch_entry(void);

/*
 * Calls fn(arg) on the stack that ends at top (16-aligned, 16 bytes above it are writable); the caller's sp is kept at
 * *top meanwhile. An exception that leaves fn goes on in the caller: unwound(arg) is called between, on the caller's
 * stack. fn may be switched out, and come back on another thread.
 */
void grt_arch_call_on(void *top, void (*fn)(void *), void *arg, void (*unwound)(void *));

/* A stack's first frame: the first switch to it calls fn(word) at top, and fn never returns. */
static inline void grt_arch_prepare(struct gobuf *b, void *top, void (*fn)(void *))
{
	uintptr_t *sp = (uintptr_t *)(((uintptr_t)top & ~(uintptr_t)15) - 16);

	sp[0] = (uintptr_t)fn;
	b->pc = (void *)grt_arch_entry;
	b->bp = NULL; /* frame-pointer walkers stop here */
	b->bx = NULL;
	grt_store(&b->sp, (void *)sp);
}

/* Prepared, and not switched to since? Of one whose sp is saved (gobuf.B). */
static inline bool grt_arch_fresh(const struct gobuf *b)
{
	return b->pc == (void *)grt_arch_entry;
}

/* The calling thread's M. Volatile and from the segment register each time: a goroutine may have changed threads, and
 * compilers keep the address of a thread-local across the switch. By descriptors it is a function of entry.S: a call in
 * an asm statement would write over the red zone. */
#if defined(GRT_TLS_DESCRIPTORS) && GRT_TLS_DESCRIPTORS
struct m *grt_arch_self(void) __attribute__((visibility("hidden")));
#else
GRT_INLINE struct m *grt_arch_self(void)
{
	struct m *m;

	__asm__ volatile("movq grt_tls_m@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0"
			 : "=r"(m)
			 :
			 : "memory");
	return m;
}
#endif

GRT_INLINE uintptr_t grt_arch_sp(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

#endif
