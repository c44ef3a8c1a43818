/* go.h - starting goroutines: goru_go, and go(fn, ...) for functions with any arguments. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_GO_H
#define GORU_GO_H

#include <goru/base.h>

/* Options of one goroutine; all-zero bytes are the defaults. */
typedef struct goru_attr {
	size_t stack_size;  /* bytes reserved for its stack, rounded up to a power of two, 16 KiB to
			     * 1 GiB; 0: as in goru_config */
	const char *name;   /* for reports, copied, 31 bytes are shown; NULL: none */
	uint64_t spare[14]; /* 0 */
} goru_attr;

GORU_BEGIN_C_

/*
 * Starts a goroutine that calls fn(arg). go(fn, ...) takes functions of other types.
 *
 * fn, arg: the function and what it is given.
 * Returns: 0; -ENOMEM no memory or address space; -EAGAIN a system limit; -ESHUTDOWN goru_shutdown
 * has begun; -EINVAL fn is NULL.
 * Call from: anywhere.
 * Waits: no. The new goroutine runs when a processor takes it up, at the latest when the caller
 * parks, yields or ends.
 * Order: all before the call happens before fn begins. The end of fn happens before nothing by
 * itself: use a channel or a wait group.
 * Owns: arg is fn's matter.
 * Cost: no system call and no allocation once stacks have been used before.
 */
GORU_API int goru_go(void (*fn)(void *), void *arg);

/*
 * goru_go with options for this goroutine.
 *
 * attr: the options; NULL for the defaults. Read during the call only.
 * fn, arg: the function and what it is given.
 * Returns: as goru_go; -EINVAL also for a stack size out of range.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns: as goru_go.
 * Cost: as goru_go; stacks of another size than the default are kept apart.
 */
GORU_API int goru_go_attr(const goru_attr *attr, void (*fn)(void *), void *arg);

/* What go() calls; not for programs. goru_capture_ keeps the argument registers it is called with,
 * for goru_go_captured_, the very next call of the same thread, to hand to fn. goru_go_words_
 * has the arguments as n words (at most 6), each sign- or zero-extended. Results as goru_go. */
GORU_API void goru_capture_(void);
GORU_API int goru_go_captured_(void (*fn)(void));
GORU_API int goru_go_words_(void (*fn)(void), const uintptr_t *words, unsigned n);

GORU_END_C_

/*
 * go(fn, ...) starts a goroutine that calls fn with up to six arguments:
 *	go(worker, jobs, results, 4);
 * `go` is left out where GORU_NO_SHORT_NAMES is defined before the include; GORU_GO(fn, ...) is the
 * same and always there. In C both are macros, in C++ go is a function template.
 *
 * fn: a function or pointer to function, evaluated once. Its parameters are integers of at most
 * 64 bits, enums, bools or pointers. Its value is dropped; it may be void, or have at most 16 bytes
 * aligned to at most 8 (so not long double), and must not be a packed struct. C++ takes a lambda
 * without captures, too. In C, wrap a function that is declared noreturn: the compiler would take
 * the start of the goroutine for its call and leave out what follows. Not every such use is found:
 * clang's __attribute__((noreturn)) is not.
 * ...: 0 to 6 arguments, each an integer, enum, bool or pointer; evaluated once, at once, by the
 * caller, and converted to the types of fn's parameters, with the errors and warnings of a call.
 * A floating or struct argument or parameter is a compile-time error.
 * Returns: as goru_go.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns: as goru_go.
 * Cost: as goru_go, with one word copied for each argument.
 */

#define GORU_MSG_ARG_                                                                              \
	"goru: a floating or struct argument cannot be passed to a goroutine: "                    \
	"pass an integer, enum, bool or pointer"
#define GORU_MSG_PARAM_                                                                            \
	"goru: a floating or struct parameter cannot be passed to a goroutine: "                   \
	"fn may take integers up to 64 bits, enums, bools and pointers"
#define GORU_MSG_RESULT_                                                                           \
	"goru: fn returns a struct larger than 16 bytes, or a value aligned to more than 8: "      \
	"give go a function that returns less"
#define GORU_MSG_MARKED_                                                                           \
	"goru: fn is a pointer to a function declared noreturn or const: "                         \
	"give go another function that calls it"
#define GORU_MSG_COUNT_ "goru: go takes at most 6 arguments"

#ifdef __cplusplus

namespace goru_detail_
{

template <class T>
T make();

template <class T, class = void>
struct is_integer {
	static constexpr bool value = false;
};
template <class T>
struct is_integer<T, decltype(static_cast<void>(make<T>() % 1))> {
	static constexpr bool value = !__is_class(T) && !__is_union(T) && sizeof(T) <= 8;
};

/* What fits a register: word<T> is what go takes as an argument and as a parameter. */
template <class T>
struct is_word {
	static constexpr bool value = is_integer<T>::value || __is_enum(T);
};
template <class T>
struct is_word<T *> {
	static constexpr bool value = true;
};
template <>
struct is_word<decltype(nullptr)> {
	static constexpr bool value = true;
};
template <class T>
struct is_word<T &> {
	static constexpr bool value = false;
};
template <class T>
struct is_word<T &&> {
	static constexpr bool value = false;
};

template <class T>
struct is_result {
	static constexpr bool value = sizeof(T) <= 16 && alignof(T) <= 8 &&
				      (__is_trivially_copyable(T) || !__is_class(T));
};
template <>
struct is_result<void> {
	static constexpr bool value = true;
};
template <class T>
struct is_result<T &> {
	static constexpr bool value = true;
};
template <class T>
struct is_result<T &&> {
	static constexpr bool value = true;
};

template <bool>
struct only_if {
};
template <>
struct only_if<true> {
	typedef int type;
};

/* An argument, converted to its parameter's type P as in a call. It is made from the argument
 * itself, not from a forwarded reference, so that a literal 0 or NULL still is a null pointer. */
template <class P>
struct word {
	static_assert(is_word<P>::value, GORU_MSG_PARAM_);
	P value;

	/* In here a literal has become a variable: a warning that it may not fit would be noise. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
	template <class A>
	word(A a) : value(a)
	{
		static_assert(is_word<A>::value, GORU_MSG_ARG_);
	}
#pragma GCC diagnostic pop
	uintptr_t bits() const
	{
		return static_cast<uintptr_t>(value);
	}
};

template <class P>
struct word<P *> {
	P *value;

	word(P *p) : value(p) {}
	template <class A, typename only_if<!is_word<A>::value>::type = 0>
	word(A) : value(nullptr)
	{
		static_assert(is_word<A>::value, GORU_MSG_ARG_);
	}
	uintptr_t bits() const
	{
		return reinterpret_cast<uintptr_t>(value);
	}
};

template <>
struct word<decltype(nullptr)> {
	word(decltype(nullptr)) {}
	uintptr_t bits() const
	{
		return 0;
	}
};

template <class P>
struct word_of {
	typedef word<P> type;
};

template <class R, class... P>
inline int spawn(R (*fn)(P...), const uintptr_t *words)
{
	return goru_go_words_(reinterpret_cast<void (*)(void)>(fn), words, sizeof...(P));
}

inline int spawn(void (*fn)(void *), const uintptr_t *words)
{
	return goru_go(fn, reinterpret_cast<void *>(words[0]));
}

template <class R, class... P>
inline int go(R (*fn)(P...), typename word_of<P>::type... args)
{
	static_assert(sizeof...(P) <= 6, GORU_MSG_COUNT_);
	static_assert(is_result<R>::value, GORU_MSG_RESULT_);
	const uintptr_t words[] = { args.bits()..., 0 };
	return spawn(fn, words);
}

/* A lambda: + makes the pointer to function of one without captures. */
template <class F, class... A, typename only_if<__is_class(F)>::type = 0>
inline auto go(F fn, A... args) -> decltype(go(+fn, args...))
{
	return go(+fn, args...);
}

}

#define GORU_GO(...) ::goru_detail_::go(__VA_ARGS__)
#ifndef GORU_NO_SHORT_NAMES
using goru_detail_::go;
#endif

#else /* C */

/*
 * C has no way to name the types of fn's parameters, so the conversion is left to the compiler: the
 * arguments are passed in a call of goru_capture_ through a pointer of fn's own type. What it
 * leaves in the argument registers is what fn shall find there.
 */

/* The pointer comes out of an asm so that no compiler sees that the types do not match. */
GORU_INLINE_ void (*goru_capture_pointer_(void))(void)
{
	void (*p)(void) = goru_capture_;
	__asm__("" : "+r"(p));
	return p;
}

/*
 * GORU_ANY_ is passed for every parameter in a call that never runs. It shall become any integer,
 * enum, bool or pointer in silence, but nothing floating and no struct; the error names its type.
 * clang converts a pointer to the former, with a warning that is switched off, not to the latter.
 * gcc converts no pointer to an enum; there it is a number of 128 ones, which no floating type
 * holds: of all these conversions the only one that -Wfloat-conversion minds. It is written as
 * an expression that the compiler can work out, because a constant would lose the name of its type.
 */
#ifdef __clang__
typedef void *goru_floating_or_struct_parameter_not_allowed_;
#define GORU_ANY_	(*(goru_floating_or_struct_parameter_not_allowed_ *)1)
#define GORU_ANY_RULES_ _Pragma("clang diagnostic ignored \"-Wint-conversion\"")
#else
__extension__ typedef unsigned __int128 goru_floating_or_struct_parameter_not_allowed_;
#define GORU_NUMBER_ (*(goru_floating_or_struct_parameter_not_allowed_ *)1)
#define GORU_ANY_    (~(GORU_NUMBER_ ^ GORU_NUMBER_))
/* clang-format off */
#define GORU_ANY_RULES_                                                                            \
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")                                     \
	_Pragma("GCC diagnostic ignored \"-Wconversion\"")                                         \
	_Pragma("GCC diagnostic ignored \"-Wsign-conversion\"")                                    \
	_Pragma("GCC diagnostic ignored \"-Woverflow\"")                                           \
	_Pragma("GCC diagnostic error \"-Wfloat-conversion\"")
/* clang-format on */
#endif

/* 8 real, 9 complex, 12 struct, 13 union; vectors are -1, later 19. */
#define GORU_CLASS_OK_(class)                                                                      \
	((class) != 8 && (class) != 9 && (class) != 12 && (class) != 13 && (class) != 19 &&        \
	 (class) != -1)
#define GORU_ARG_(a) _Static_assert(GORU_CLASS_OK_(__builtin_classify_type(a)), GORU_MSG_ARG_);

#define GORU_RESULT_OK_(call) (sizeof(call) <= 16 && _Alignof(__typeof__(call)) <= 8)

/* fn's value is dropped, and fn may have been declared warn_unused_result. */
#define GORU_DROP_RULES_      _Pragma("GCC diagnostic ignored \"-Wunused-result\"")

/* clang-format off */

/*
 * f is a local's name: fn, evaluated once, before the arguments. Its type comes from a pointer to
 * typeof(fn), not from the expression fn: gcc marks that as the declaration says, as noreturn or
 * const for instance, and would then leave out what follows the call, or the call. With
 * &fn the mark is in the type, as volatile or const, and can be seen but not taken off. clang has
 * noreturn in the type only for the attribute of that name, where it cannot be seen.
 */
#ifdef __clang__
#define GORU_MARKED_CHECK_(f)
#else
#define GORU_MARKED_CHECK_(f)                                                                      \
	_Static_assert(!__builtin_types_compatible_p(__typeof__(f), volatile __typeof__(*f) *) &&  \
		       !__builtin_types_compatible_p(__typeof__(f), const __typeof__(*f) *),       \
		       GORU_MSG_MARKED_);
#endif
#define GORU_GO_(f, fn, anys, checks, spawn)                                                       \
	(__extension__({                                                                           \
		_Pragma("GCC diagnostic push")                                                     \
		GORU_SHADOW_OK_                                                                    \
		__typeof__(&*(*(__typeof__(fn) *)1)) f = (fn);                                     \
		GORU_MARKED_CHECK_(f)                                                              \
		GORU_ANY_RULES_                                                                    \
		_Static_assert(GORU_RESULT_OK_(f anys), GORU_MSG_RESULT_);                         \
		GORU_DROP_RULES_                                                                   \
		if (0)                                                                             \
			(void)f anys;                                                              \
		_Pragma("GCC diagnostic pop")                                                      \
		checks                                                                             \
		_Pragma("GCC diagnostic push")                                                     \
		GORU_DROP_RULES_                                                                   \
		spawn;                                                                             \
		_Pragma("GCC diagnostic pop")                                                      \
	}))

/* Nothing may come between these two calls. */
#define GORU_SPAWN_(f, args)                                                                       \
	(((__typeof__(f))goru_capture_pointer_()) args, goru_go_captured_((void (*)(void))f))

/* One argument for a void (*)(void *) needs no capture. Either way the other half of the
 * condition is dead; it gets no argument, so that the types are checked once. */
#define GORU_IS_PLAIN_(f, yes, no) _Generic((f), void (*)(void *): (yes), default: (no))
#define GORU_SPAWN1_(f, a)                                                                         \
	(GORU_IS_PLAIN_(f, 1, 0)                                                                   \
		 ? goru_go(GORU_IS_PLAIN_(f, f, (void (*)(void *))0),                              \
			   GORU_IS_PLAIN_(f, a, (void *)0))                                        \
		 : GORU_SPAWN_(f, (GORU_IS_PLAIN_(f, (void *)0, a))))

#define GORU_GO0_(f, fn) GORU_GO_(f, fn, (), , GORU_SPAWN_(f, ()))
#define GORU_GO1_(f, fn, a)                                                                        \
	GORU_GO_(f, fn, (GORU_ANY_), GORU_ARG_(a), GORU_SPAWN1_(f, a))
#define GORU_GO2_(f, fn, a, b)                                                                     \
	GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_), GORU_ARG_(a) GORU_ARG_(b), GORU_SPAWN_(f, (a, b)))
#define GORU_GO3_(f, fn, a, b, c)                                                                  \
	GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_, GORU_ANY_),                                         \
		 GORU_ARG_(a) GORU_ARG_(b) GORU_ARG_(c), GORU_SPAWN_(f, (a, b, c)))
#define GORU_GO4_(f, fn, a, b, c, d)                                                               \
	GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_),                              \
		 GORU_ARG_(a) GORU_ARG_(b) GORU_ARG_(c) GORU_ARG_(d),                              \
		 GORU_SPAWN_(f, (a, b, c, d)))
#define GORU_GO5_(f, fn, a, b, c, d, e)                                                            \
	GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_),                   \
		 GORU_ARG_(a) GORU_ARG_(b) GORU_ARG_(c) GORU_ARG_(d) GORU_ARG_(e),                 \
		 GORU_SPAWN_(f, (a, b, c, d, e)))
#define GORU_GO6_(f, fn, a, b, c, d, e, g)                                                         \
	GORU_GO_(f, fn, (GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_, GORU_ANY_),        \
		 GORU_ARG_(a) GORU_ARG_(b) GORU_ARG_(c) GORU_ARG_(d) GORU_ARG_(e) GORU_ARG_(g),    \
		 GORU_SPAWN_(f, (a, b, c, d, e, g)))
#define GORU_GOX_(...) (__extension__({ _Static_assert(0, GORU_MSG_COUNT_); 0; }))

#define GORU_PICK_(fn, a, b, c, d, e, f, g, h, i, j, macro, ...) macro
#define GORU_GO(...)                                                                               \
	GORU_PICK_(__VA_ARGS__, GORU_GOX_, GORU_GOX_, GORU_GOX_, GORU_GOX_, GORU_GO6_, GORU_GO5_,  \
		   GORU_GO4_, GORU_GO3_, GORU_GO2_, GORU_GO1_, GORU_GO0_, 0)                       \
	(GORU_UNIQUE_(goru_fn_), __VA_ARGS__)

/* clang-format on */

#ifndef GORU_NO_SHORT_NAMES
#define go(...) GORU_GO(__VA_ARGS__)
#endif

#endif /* C */

#endif
