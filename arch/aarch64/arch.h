/* arch.h - AArch64 port: the switch, the first frame, the thread's M. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ARCH_H
#define GRT_ARCH_H

#include "base/atomic.h"

struct m;

/*
 * Where a stack stands while nobody runs on it: PROTOCOL gobuf in the x86-64 port, with two differences. The order of
 * the words below is the same, so that debugger scripts need one layout. The store of the old sp is a store-release
 * (gobuf.A): here stores are not in order by themselves, and the taker's acquire load (gobuf.B) needs its partner.
 */
struct gobuf {
	void *pc;
	_Atomic(void *) sp;
	void *bp; /* x29, the context register */
	void *bx; /* x19: LLVM's base pointer, kept although it is declared clobbered */
};

#ifdef __ARM_FEATURE_SVE
#define GRT_ARCH_CLOBBER_SVE                                                                       \
	, "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13",  \
		"p14", "p15", "ffr"
#else
#define GRT_ARCH_CLOBBER_SVE
#endif

/* See the x86-64 port. d8 to d15 are callee-saved here and must be declared; bti j: reached by an indirect jump. */
GRT_INLINE void *grt_arch_switch(struct gobuf *from, struct gobuf *to, void *word)
{
	register struct gobuf *x0 __asm__("x0") = from;
	register struct gobuf *x1 __asm__("x1") = to;
	register void *x2 __asm__("x2") = word;

	__asm__ volatile("adr x16, 1f\n\t"
			 "str x16, [x0]\n\t"
			 "stp x29, x19, [x0, #16]\n\t"
			 "mov x17, sp\n\t"
			 "ldp x16, x3, [x1]\n\t"
			 "ldp x29, x19, [x1, #16]\n\t"
			 "mov sp, x3\n\t"
			 "str xzr, [x1, #8]\n\t"
			 "add x3, x0, #8\n\t"
			 "stlr x17, [x3]\n\t" /* gobuf.A */
			 "br x16\n"
			 "1:\n\t"
			 "hint #36\n\t"
			 : "+r"(x0), "+r"(x1), "+r"(x2)
			 :
			 : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
			   "x14", "x15", "x16", "x17", "x18", "x20", "x21", "x22", "x23", "x24",
			   "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5",
			   "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",
			   "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
			   "v27", "v28", "v29", "v30", "v31", "memory", "cc" GRT_ARCH_CLOBBER_SVE);
	return x2;
}

/* The same without a way back: nothing of this stack is kept, and its sp stays 0. */
_Noreturn GRT_INLINE void grt_arch_leave(struct gobuf *to, void *word)
{
	register struct gobuf *x1 __asm__("x1") = to;
	register void *x2 __asm__("x2") = word;

	__asm__ volatile("ldp x16, x3, [x1]\n\t"
			 "ldp x29, x19, [x1, #16]\n\t"
			 "mov sp, x3\n\t"
			 "str xzr, [x1, #8]\n\t"
			 "br x16"
			 :
			 : "r"(x1), "r"(x2)
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
	b->bp = NULL;
	b->bx = NULL;
	grt_store(&b->sp, (void *)sp);
}

/* Prepared, and not switched to since? Of one whose sp is saved (gobuf.B). */
static inline bool grt_arch_fresh(const struct gobuf *b)
{
	return b->pc == (void *)grt_arch_entry;
}

/* The calling thread's M; see the x86-64 port for why it is asked of the thread register each time. */
#if defined(GRT_TLS_DESCRIPTORS) && GRT_TLS_DESCRIPTORS
struct m *grt_arch_self(void) __attribute__((visibility("hidden")));
#else
GRT_INLINE struct m *grt_arch_self(void)
{
	struct m *m;

	__asm__ volatile("mrs %0, tpidr_el0\n\t"
			 "adrp x16, :gottprel:grt_tls_m\n\t"
			 "ldr x16, [x16, #:gottprel_lo12:grt_tls_m]\n\t"
			 "ldr %0, [%0, x16]"
			 : "=&r"(m)
			 :
			 : "x16", "memory");
	return m;
}
#endif

GRT_INLINE uintptr_t grt_arch_sp(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

#endif
