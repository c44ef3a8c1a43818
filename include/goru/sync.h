/* sync.h - wait groups, and brackets around code that blocks its thread. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_SYNC_H
#define GORU_SYNC_H

#include <goru/base.h>

/* Counts work that is under way. Lives in the caller's memory; all-zero bytes are a count of zero
 * with nobody waiting, and nothing has to be destroyed. */
typedef struct goru_waitgroup {
	uint64_t word[2];
} goru_waitgroup;

/* clang-format off */
#define GORU_WAITGROUP_INIT { { 0 } }
/* clang-format on */

GORU_BEGIN_C_

/*
 * Adds to the count: goru_waitgroup_add(&wg, 1) before each go. A count below zero is fatal.
 *
 * wg: the wait group.
 * n: how many units of work; may be negative.
 * Call from: anywhere.
 * Waits: no. What reaches zero wakes those that wait, whatever is added after.
 * Order: all before it happens before a wait that it lets go on returns.
 * Owns: when the count reached zero, wg is not touched again once a waiter can see that: the
 * waiter may free it.
 * Cost: one atomic addition; at zero one wake-up for each that waits.
 */
GORU_API void goru_waitgroup_add(goru_waitgroup *wg, int n);

/*
 * Takes one from the count; else as goru_waitgroup_add(wg, -1).
 *
 * wg: the wait group.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns, Cost: as goru_waitgroup_add.
 */
GORU_API void goru_waitgroup_done(goru_waitgroup *wg);

/*
 * Waits until the count is, or has been, zero.
 *
 * wg: the wait group.
 * Returns: 0; -ECANCELED on a plain thread when goru_shutdown ended the wait.
 * Call from: anywhere.
 * Waits: until the count reaches zero; not at all when it is zero.
 * Order: all before the add or done that reached zero happens before the return.
 * Owns: after 0 the caller may free or reuse wg.
 * Cost: at zero one atomic load; no allocation.
 */
GORU_API int goru_waitgroup_wait(goru_waitgroup *wg) GORU_WARN_UNUSED;

/*
 * goru_waitgroup_wait that gives up at a deadline.
 *
 * wg: the wait group.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in.
 * Returns: as goru_waitgroup_wait, or -ETIMEDOUT: zero was not reached. A count of zero is 0 even
 * when the deadline is past.
 * Call from: anywhere.
 * Waits: until the count reaches zero, or the deadline.
 * Order, Owns: as goru_waitgroup_wait when the result is 0.
 * Cost: as goru_waitgroup_wait; a wait adds an entry to a table of
 * deadlines, which grows by doubling: -ENOMEM when it cannot, and nothing was done.
 */
GORU_API int goru_waitgroup_wait_until(goru_waitgroup *wg, int64_t deadline) GORU_WARN_UNUSED;

/*
 * Begins a stretch of code that may block its thread in the kernel: other goroutines go on
 * meanwhile on another thread. Nests; each enter needs its exit, in the same goroutine. What stands
 * between them stays on its thread as long as it does not wait in goru. goru_blocking(expr) does
 * both. For a call that sets errno use goru_blocking_sys: in a function that also waits, compilers
 * may keep the address that errno had on another thread.
 *
 * Call from: anywhere; on a plain thread it does nothing.
 * Waits: no.
 * Cost: a few stores; a thread is woken or made only where there is work for it.
 */
GORU_API void goru_block_enter(void);

/*
 * Ends what goru_block_enter began. The goroutine may go on on another thread.
 *
 * Call from: anywhere; on a plain thread it does nothing. An exit too many is misuse.
 * Waits: for the right to run, as a goroutine that is ready does.
 * Cost: a few stores and one atomic operation, when the right to run was still at hand.
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
