/* cc.h - what we ask of the compiler, in one place. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_CC_H
#define GRT_BASE_CC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRT_CACHELINE 64

#define GRT_LIKELY(x)	 __builtin_expect(!!(x), 1)
#define GRT_UNLIKELY(x)	 __builtin_expect(!!(x), 0)
#define GRT_NOINLINE	 __attribute__((noinline))
#define GRT_INLINE	 static inline __attribute__((always_inline))
#define GRT_COLD	 __attribute__((noinline, cold))
#define GRT_ALIGNED(n)	 __attribute__((aligned(n)))
#define GRT_PRINTF(a, b) __attribute__((format(printf, a, b)))

/*
 * The word a public function's definition carries. What the static library is linked into shows none of it: a copy that
 * somebody else loads must find its own functions, not half of ours.
 */
#if defined(GRT_STATIC) && GRT_STATIC
#define GRT_PUBLIC __attribute__((visibility("hidden")))
#else
#define GRT_PUBLIC __attribute__((visibility("default")))
#endif

/*
 * How a thread's words are found. Initial-exec is two instructions, and glibc keeps room for it in libraries that are
 * loaded later: some 1600 bytes for all of them, 104 of which a copy of goru wants (scripts/notes.sh). musl has none:
 * there it is descriptors (-DGORU_TLS), a call or two.
 */
#if defined(GRT_TLS_DESCRIPTORS) && GRT_TLS_DESCRIPTORS
#define GRT_TLS
#else
#define GRT_TLS __attribute__((tls_model("initial-exec")))
#endif

#define grt_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define grt_countof(a)			    (sizeof(a) / sizeof((a)[0]))

/* One beat of a spin loop. isb waits tens of cycles; AArch64's own yield is a no-op on most cores. */
#if defined(__x86_64__)
#define grt_relax() __asm__ volatile("pause")
#elif defined(__aarch64__)
#define grt_relax() __asm__ volatile("isb" : : : "memory")
#else
#error "goru: no port for this CPU yet: see arch/"
#endif

/* checks builds look at every invariant; others trust them */
#if defined(GRT_CHECKS) && GRT_CHECKS
enum { GRT_CHECKS_ON = 1 };
#else
enum { GRT_CHECKS_ON = 0 };
#endif

/* Words that run freely and wrap begin here: in checks builds close to it, so that every test goes past it. */
#define GRT_START   (GRT_CHECKS_ON ? UINT32_MAX - 30 : 0)
#define GRT_START64 (GRT_CHECKS_ON ? UINT64_MAX - 30 : 0)

/* Programs without a dynamic loader (-DGORU_STATIC=ON): no function can be found by its name. */
#if defined(GRT_NO_LOADER) && GRT_NO_LOADER
enum { GRT_LOADER_ON = 0 };
#else
enum { GRT_LOADER_ON = 1 };
#endif

/* chaos builds make unlikely preemptions likely: base/chaos.h */
#if defined(GRT_CHAOS) && GRT_CHAOS
enum { GRT_CHAOS_ON = 1 };
#else
enum { GRT_CHAOS_ON = 0 };
#endif

#endif
