/* sanitizer.h - what the sanitizers must be told; empty without them. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_SANITIZER_H
#define GRT_BASE_SANITIZER_H

#include "base/cc.h"

#if defined(__SANITIZE_ADDRESS__)
#define GRT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GRT_ASAN 1
#endif
#endif

/* Reads what the compiler knows nothing of, other stacks for instance. */
#if defined(GRT_ASAN)
#define GRT_NO_SANITIZE __attribute__((no_sanitize_address))
#else
#define GRT_NO_SANITIZE
#endif

/* What each stack and each M's own stack carries for the tools. */
struct san_stack {
	union {
		void *fake;  /* ASan: saved fake stack while switched out */
		void *fiber; /* TSan */
	};
	const void *lo; /* ASan: bounds of the stack */
	size_t size;
};

#ifdef GRT_ASAN
enum { GRT_ASAN_ON = 1 };
void __sanitizer_start_switch_fiber(void **fake_save, const void *lo, size_t size);
void __sanitizer_finish_switch_fiber(void *fake, const void **old_lo, size_t *old_size);
void __asan_handle_no_return(void);
void __asan_unpoison_memory_region(const volatile void *addr, size_t size);
void __lsan_register_root_region(const void *p, size_t size);
void __lsan_unregister_root_region(const void *p, size_t size);

/* Just before the switch, on the old stack; a dying one gives its fake frames back. */
#define grt_san_leave(from, to, dying)                                                             \
	__sanitizer_start_switch_fiber((dying) ? NULL : &(from)->fake, (to)->lo, (to)->size)
/* Just after it, on the new stack; came is where the thread's own bounds are kept up to date. */
#define grt_san_arrive(now) __sanitizer_finish_switch_fiber((now)->fake, NULL, NULL)
/* The same, where the bounds of the stack it came from are wanted, too. */
#define grt_san_arrive_from(now, from)                                                             \
	__sanitizer_finish_switch_fiber((now)->fake, &(from)->lo, &(from)->size)
/* Frames of this stack were left by an exception that was thrown on another one. */
#define grt_san_unwound()	 __asan_handle_no_return()
#define grt_san_fresh(lo, size)	 __asan_unpoison_memory_region((lo), (size))
#define grt_san_root(lo, size)	 __lsan_register_root_region((lo), (size))
#define grt_san_unroot(lo, size) __lsan_unregister_root_region((lo), (size))
#else
enum { GRT_ASAN_ON = 0 };
#define grt_san_leave(from, to, dying) ((void)(from), (void)(to))
#define grt_san_arrive(now)	       ((void)(now))
#define grt_san_arrive_from(now, from) ((void)(now), (void)(from))
#define grt_san_unwound()	       ((void)0)
#define grt_san_fresh(lo, size)	       ((void)(lo), (void)(size))
#define grt_san_root(lo, size)	       ((void)(lo), (void)(size))
#define grt_san_unroot(lo, size)       ((void)(lo), (void)(size))
#endif

/*
 * TSan: the library itself is built without instrumentation, the programs with it. Fibers are switched without an
 * implied edge (flag 1), and each edge that the contract promises is told: with flag 0 TSan would order everything that
 * shares an M and hide the program's races.
 */
#ifdef GRT_TSAN
enum { GRT_TSAN_ON = 1 };
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
void AnnotateBenignRaceSized(const char *file, int line, const volatile void *p, size_t size,
			     const char *why);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define grt_tsan_switch(to)    __tsan_switch_to_fiber((to)->fiber, 1)
#define grt_tsan_acquire(addr) __tsan_acquire((void *)(addr))
#define grt_tsan_release(addr) __tsan_release((void *)(addr))
#define grt_tsan_current()     __tsan_get_current_fiber()
#define grt_tsan_create()      __tsan_create_fiber(0)
#define grt_tsan_destroy(f)    __tsan_destroy_fiber(f)
/* For good; what the goroutine did happens before what its destroyer does: over to it and back, with an edge each way. */
static inline void grt_tsan_drop(void *f)
{
	void *me = __tsan_get_current_fiber();

	__tsan_switch_to_fiber(f, 0);
	__tsan_switch_to_fiber(me, 0);
	__tsan_destroy_fiber(f);
}
/* Around malloc and free of what goroutines share under the runtime's own locks: TSan watches the heap, and would ask
 * for an edge between the goroutine that made such memory grow and the next one. */
#define grt_tsan_heap_begin() AnnotateIgnoreWritesBegin(__FILE__, __LINE__)
#define grt_tsan_heap_end()   AnnotateIgnoreWritesEnd(__FILE__, __LINE__)
/* A word of the thread's that goroutines use one after the other, as errno: to TSan they would race for it. */
#define grt_tsan_own(p)                                                                            \
	AnnotateBenignRaceSized(__FILE__, __LINE__, (p), sizeof(*(p)), "the thread's own")
#else
enum { GRT_TSAN_ON = 0 };
#define grt_tsan_switch(to)    ((void)(to))
#define grt_tsan_acquire(addr) ((void)(addr))
#define grt_tsan_release(addr) ((void)(addr))
#define grt_tsan_current()     NULL
#define grt_tsan_create()      NULL
#define grt_tsan_destroy(f)    ((void)(f))
#define grt_tsan_drop(f)       ((void)(f))
#define grt_tsan_heap_begin()  ((void)0)
#define grt_tsan_heap_end()    ((void)0)
#define grt_tsan_own(p)	       ((void)(p))
#endif

#endif
