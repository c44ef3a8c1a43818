/* block.h - brackets around code that blocks its thread: not needed, but others go on sooner. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_BLOCK_H
#define GORU_BLOCK_H

#include <goru/base.h>

GORU_BEGIN_C_

/*
 * Begins a stretch of code that may block its thread in the kernel: other goroutines go on
 * meanwhile on another thread, at once if they wait already. Without brackets they go on too, when
 * the thread has slept for about a millisecond, or computed for 10. Nests; each enter needs its exit, in the same goroutine. What stands
 * between them stays on its thread as long as it does not wait in goru. goru_blocking(expr) does
 * both. For a call that sets errno use goru_blocking_sys: in a function that also waits, compilers
 * may keep the address that errno had on another thread.
 *
 * Call from: anywhere; on a plain thread it does nothing.
 * Waits: no.
 * Cost: 8 ns together with goru_block_exit while nobody waits; else a lock, and a thread is woken
 * or made.
 */
GORU_API void goru_block_enter(void);

/*
 * Ends what goru_block_enter began. The goroutine may go on on another thread.
 *
 * Call from: anywhere; on a plain thread it does nothing. An exit too many is misuse.
 * Waits: for the right to run, as a goroutine that is ready does, if others have it by now.
 * Cost: a few stores when the right to run was still at hand; a lock when it was idle.
 */
GORU_API void goru_block_exit(void);

/* For goru_blocking_sys: r, or -errno when r is -1, on the thread that calls it. In the library,
 * not here, so that no compiler carries the address of errno from one thread to another. */
GORU_API long goru_blocking_result_(long r);

GORU_END_C_

/*
 * Evaluates an expression that may block its thread, between goru_block_enter and goru_block_exit.
 *
 * expr: any expression, void too; evaluated once.
 * Returns: the value of expr. Says nothing about errno: see goru_blocking_sys.
 * Call from: any function; on a plain thread it is just expr.
 * Waits: as expr does, and as goru_block_exit.
 * Cost: as goru_block_enter and goru_block_exit.
 */
#define goru_blocking(...) GORU_BLOCKING_(GORU_UNIQUE_(goru_blocking_), (__VA_ARGS__))

/*
 * goru_blocking for calls that answer -1 and set errno: the result carries the error.
 *	ssize_t n = goru_blocking_sys(read(fd, buf, sizeof(buf)));
 *
 * expr: an expression with a signed integer (or pointer) value no wider than long.
 * Returns: the value of expr in its own type, or -errno where it was -1; errno is read on the
 * thread that made the call.
 * Call from, Waits, Cost: as goru_blocking.
 */
#define goru_blocking_sys(...)                                                                     \
	GORU_BLOCKING_(GORU_UNIQUE_(goru_blocking_), GORU_BLOCK_RESULT_((__VA_ARGS__)))

/*
 * The exit is the clean-up of a local, so that expr can stand last and give its value, void
 * included, and so that an exception or a return inside expr leaves the stretch as well.
 * Variadic only because a comma may stand in expr, as in f<a, b>(c).
 * In C++ this is a statement expression too: a lambda could not capture structured bindings.
 */
#ifdef __cplusplus
namespace goru_detail_
{
struct block {
	block()
	{
		goru_block_enter();
	}
	~block()
	{
		goru_block_exit();
	}
	block(const block &) = delete;
	block &operator=(const block &) = delete;
};

template <class T>
inline T block_result(T r)
{
	return static_cast<T>(goru_blocking_result_(static_cast<long>(r)));
}

template <class T>
inline T *block_result(T *r)
{
	return reinterpret_cast<T *>(goru_blocking_result_(reinterpret_cast<long>(r)));
}
}
#define GORU_BLOCK_LOCAL_(guard) ::goru_detail_::block guard
#define GORU_BLOCK_RESULT_(expr) ::goru_detail_::block_result(expr)
#else
GORU_INLINE_ char goru_block_begin_(void)
{
	goru_block_enter();
	return 0;
}

GORU_INLINE_ void goru_block_end_(char *guard)
{
	(void)guard;
	goru_block_exit();
}
#define GORU_BLOCK_LOCAL_(guard)                                                                   \
	__attribute__((cleanup(goru_block_end_), unused)) char guard = goru_block_begin_()
#define GORU_BLOCK_RESULT_(expr) ((__typeof__((void)0, expr))goru_blocking_result_((long)expr))
#endif

#define GORU_BLOCKING_(guard, expr)                                                                \
	(__extension__({                                                                           \
		_Pragma("GCC diagnostic push") GORU_SHADOW_OK_ GORU_BLOCK_LOCAL_(guard);           \
		_Pragma("GCC diagnostic pop") expr;                                                \
	}))

#endif
