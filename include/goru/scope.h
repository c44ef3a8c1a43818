/* scope.h - scopes: goroutines that are waited for, deadlines, and cancellation of all that waits. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_SCOPE_H
#define GORU_SCOPE_H

#include <goru/base.h>
#include <goru/run.h>

/*
 * A scope is what a piece of work happens in: it is opened and closed by one goroutine, and whatever
 * is started in it has ended when it is closed:
 *
 *	goru_scope s = GORU_SCOPE_INIT;
 *	goru_scope_open(&s, goru_in(2 * GORU_SEC));
 *	for (int i = 0; i < n; i++)
 *		goru_scope_go(&s, fetch, &s, url[i]);
 *	rc = goru_scope_close(&s);
 *
 * Its members are the goroutine that opened it, until it is closed; its children, those started by
 * goru_scope_go, until their end; and the members of scopes that members have opened meanwhile,
 * which are under it. Goroutines started by go, tasks and functions of timers have no scope.
 *
 * A scope ends by goru_scope_cancel, goru_scope_fail or its deadline, whichever comes first. From
 * then on every call of a member that may wait returns -ECANCELED or -ETIMEDOUT, those that wait now
 * and those made later, also such as could have gone on at once and a sleep of nothing; what was
 * not done stays undone. goru_cond_wait has the mutex again, goru_task_join leaves the task joinable.
 * Not ended are calls that do not wait (try forms, unlock, signal, post and so on), goru_once_do,
 * goru_yield, goru_scope_close, and system calls: they run as long as they run.
 *
 * Lives in the caller's memory; all-zero bytes are a scope that is not open.
 */
typedef struct goru_scope {
	uint64_t word[24];
} goru_scope;

/* clang-format off */
#define GORU_SCOPE_INIT { { 0 } }
/* clang-format on */

GORU_BEGIN_C_

/*
 * Opens a scope: it is the calling goroutine's innermost one until it is closed. Opens nest. Under a
 * scope that has ended it has ended as well.
 *
 * s: the scope, not open; opening an open one is fatal.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in; GORU_FOREVER for none. A later one than that
 * of a scope around it does nothing.
 * Returns: 0; -EPERM on a plain thread; -EINVAL s is NULL; -ENOMEM the deadline could not be noted.
 * Call from: a goroutine, which closes the scope before its function returns: else it is fatal, as is
 * goru_exit.
 * Waits: no.
 * Owns: s stays in place until goru_scope_close has returned.
 * Cost: no allocation without a deadline of its own; with one as a timer, and each call of a member
 * that may wait reads the clock.
 */
GORU_API int goru_scope_open(goru_scope *s, int64_t deadline);

/*
 * Waits for all children, whatever ends meanwhile, and closes the scope. From then on the scope around
 * it is the goroutine's innermost one again.
 *
 * s: the calling goroutine's innermost scope; closing another one is fatal.
 * Returns: 0 the scope had not ended; else the first error given to goru_scope_fail; else -ECANCELED or
 * -ETIMEDOUT, as it ended or a scope around it. -EPERM on a plain thread; -EINVAL s is NULL.
 * Call from: the goroutine that opened it.
 * Waits: until the last child has ended. Neither scopes nor deadlines end this.
 * Order: all that children did happens before the return.
 * Owns: the memory is the caller's again.
 */
GORU_API int goru_scope_close(goru_scope *s);

/*
 * Ends a scope: its members' waits return -ECANCELED, now and later. What it does to one that has ended,
 * or is not open, is nothing.
 *
 * s: the scope.
 * Call from: anywhere; goru_scope_close must not have returned.
 * Waits: no.
 * Order: happens before the return of each call that it ends.
 * Cost: some hundred nanoseconds a member that waits.
 */
GORU_API void goru_scope_cancel(goru_scope *s);

/*
 * goru_scope_cancel with a reason, which goru_scope_close returns: the first that was given.
 *
 * s: the scope.
 * err: negative; a negative errno value by custom.
 * Returns: 0, also when the scope had ended; -EINVAL err is not negative, s is NULL or not open.
 * Call from, Waits, Order, Cost: as goru_scope_cancel.
 */
GORU_API int goru_scope_fail(goru_scope *s, int err);

/*
 * Tells what a call that may wait would return now because of scopes.
 *
 * Returns: 0, -ECANCELED or -ETIMEDOUT; 0 on a plain thread, without a scope, and under a shield.
 * Call from: anywhere; of use in goroutines that compute.
 * Waits: no.
 * Cost: some loads; the clock is read if there is a deadline.
 */
GORU_API int goru_scope_error(void);

/*
 * Until goru_shield_exit no scope ends what the calling goroutine waits for: for cleaning up. Nests.
 * Goroutines it starts in a scope are not shielded by it.
 *
 * Call from: anywhere; does nothing on a plain thread.
 * Waits: no.
 * Cost: a few stores.
 */
GORU_API void goru_shield_enter(void);

/*
 * Undoes one goru_shield_enter; without one it is fatal. If a scope has ended the next call that may
 * wait says so.
 *
 * Call from: anywhere; does nothing on a plain thread.
 * Waits: no.
 */
GORU_API void goru_shield_exit(void);

/* What goru_scope_go calls; not for programs. As those of go.h. */
GORU_API int goru_scope_go_(goru_scope *s, void (*fn)(void *), void *arg);
GORU_API int goru_scope_go_captured_(goru_scope *s, void (*fn)(void));
GORU_API int goru_scope_go_words_(goru_scope *s, void (*fn)(void), const uintptr_t *words,
				  unsigned n);

GORU_END_C_

/*
 * goru_scope_go(s, fn, ...) starts a child of a scope, which calls fn with up to six arguments. A macro
 * in C, a function template in C++.
 *
 * s: the scope, evaluated once, before fn. It may have ended: the child runs, and finds out at its
 * first call that may wait.
 * fn, ...: as in go.
 * Returns: as go; -EINVAL s is NULL or not open.
 * Call from: anywhere, until goru_scope_close returns.
 * Waits: no.
 * Order, Owns: as go; the child's end happens before goru_scope_close returns.
 * Cost: as go, and a short lock of the scope's, another at the child's end.
 */

#ifdef __cplusplus

namespace goru_detail_
{

template <class R, class... P>
inline int spawn_in(goru_scope *s, R (*fn)(P...), const uintptr_t *words)
{
	return goru_scope_go_words_(s, reinterpret_cast<void (*)(void)>(fn), words, sizeof...(P));
}

}

template <class R, class... P>
inline int goru_scope_go(goru_scope *s, R (*fn)(P...),
			 typename goru_detail_::word_of<P>::type... args)
{
	static_assert(sizeof...(P) <= 6, GORU_MSG_COUNT_);
	static_assert(goru_detail_::is_result<R>::value, GORU_MSG_RESULT_);
	const uintptr_t words[] = { args.bits()..., 0 };
	return goru_detail_::spawn_in(s, fn, words);
}

/* A lambda without captures. */
template <class F, class... A, typename goru_detail_::only_if<__is_class(F)>::type = 0>
inline auto goru_scope_go(goru_scope *s, F fn, A... args)
	-> decltype(goru_scope_go(s, +fn, args...))
{
	return goru_scope_go(s, +fn, args...);
}

#else /* C */

/* clang-format off */

/* As GORU_GO_, with the scope in a local of its own. */
#define GORU_SCOPED_(sc, s, start)                                                                 \
	(__extension__({                                                                           \
		_Pragma("GCC diagnostic push")                                                     \
		GORU_SHADOW_OK_                                                                    \
		goru_scope *sc = (s);                                                              \
		_Pragma("GCC diagnostic pop")                                                      \
		start;                                                                             \
	}))

/* Nothing may come between these two calls. */
#define GORU_SPAWN_IN_(sc, f, args)                                                                \
	(((__typeof__(f))goru_capture_pointer_()) args,                                            \
	 goru_scope_go_captured_(sc, (void (*)(void))f))
#define GORU_SPAWN_IN1_(sc, f, a)                                                                  \
	(GORU_IS_PLAIN_(f, 1, 0)                                                                   \
		 ? goru_scope_go_(sc, GORU_IS_PLAIN_(f, f, (void (*)(void *))0),                   \
				  GORU_IS_PLAIN_(f, a, (void *)0))                                 \
		 : GORU_SPAWN_IN_(sc, f, (GORU_IS_PLAIN_(f, (void *)0, a))))

#define GORU_SGO0_(sc, f, s, fn)                                                                   \
	GORU_SCOPED_(sc, s, GORU_GO_(f, fn, (), , GORU_SPAWN_IN_(sc, f, ())))
#define GORU_SGO1_(sc, f, s, fn, a)                                                                \
	GORU_SCOPED_(sc, s, GORU_GO_(f, fn, (GORU_ANY_), GORU_ARG_(a),                             \
				     GORU_SPAWN_IN1_(sc, f, a)))
#define GORU_SGO2_(sc, f, s, fn, a, b)                                                             \
	GORU_SCOPED_(sc, s, GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_), GORU_ARG_(a) GORU_ARG_(b),     \
				     GORU_SPAWN_IN_(sc, f, (a, b))))
#define GORU_SGO3_(sc, f, s, fn, a, b, c)                                                          \
	GORU_SCOPED_(sc, s, GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_, GORU_ANY_),                     \
				     GORU_ARG_(a) GORU_ARG_(b) GORU_ARG_(c),                       \
				     GORU_SPAWN_IN_(sc, f, (a, b, c))))
#define GORU_SGO4_(sc, f, s, fn, a, b, c, d)                                                       \
	GORU_SCOPED_(sc, s, GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_),          \
				     GORU_ARG_(a) GORU_ARG_(b) GORU_ARG_(c) GORU_ARG_(d),          \
				     GORU_SPAWN_IN_(sc, f, (a, b, c, d))))
#define GORU_SGO5_(sc, f, s, fn, a, b, c, d, e)                                                    \
	GORU_SCOPED_(sc, s,                                                                        \
		     GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_),      \
			      GORU_ARG_(a) GORU_ARG_(b) GORU_ARG_(c) GORU_ARG_(d) GORU_ARG_(e),    \
			      GORU_SPAWN_IN_(sc, f, (a, b, c, d, e))))
#define GORU_SGO6_(sc, f, s, fn, a, b, c, d, e, g)                                                 \
	GORU_SCOPED_(                                                                              \
		sc, s,                                                                             \
		GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_), \
			 GORU_ARG_(a) GORU_ARG_(b) GORU_ARG_(c) GORU_ARG_(d) GORU_ARG_(e)          \
				 GORU_ARG_(g),                                                     \
			 GORU_SPAWN_IN_(sc, f, (a, b, c, d, e, g))))

#define goru_scope_go(s, ...)                                                                      \
	GORU_PICK_(__VA_ARGS__, GORU_GOX_, GORU_GOX_, GORU_GOX_, GORU_GOX_, GORU_SGO6_,            \
		   GORU_SGO5_, GORU_SGO4_, GORU_SGO3_, GORU_SGO2_, GORU_SGO1_, GORU_SGO0_, 0)      \
	(GORU_UNIQUE_(goru_scope_), GORU_UNIQUE_(goru_fn_), s, __VA_ARGS__)

/* clang-format on */

#endif /* C */

#endif
