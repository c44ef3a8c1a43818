/* base.h - what every public header of goru needs: linkage, attributes, names of one expansion. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_BASE_H
#define GORU_BASE_H

#include <stddef.h>
#include <stdint.h>

/*
 * How to read these headers. Each function is described in this order: what it does; each
 * parameter, with its unit; Returns; Call from; Waits; Order (what happens before what); Owns;
 * Cost. A label that would say nothing is left out. "anywhere" is any goroutine and any thread,
 * but never a signal handler. Results are 0 or a count, or a negative errno value; errno itself is
 * not used. Where "Waits" says no, the call does not park and does not change threads.
 * A wait of a plain thread (not of a goroutine) ends with -ECANCELED when goru_shutdown is called.
 * Names that end in _ belong to the headers.
 */

/* A program that builds goru into itself may define this as it likes, empty for instance. */
#ifndef GORU_API
#define GORU_API __attribute__((visibility("default")))
#endif

/* A wait may have been given up: not looking at the result is a mistake. */
#define GORU_WARN_UNUSED __attribute__((warn_unused_result))

#ifdef __cplusplus
#define GORU_BEGIN_C_		extern "C" {
#define GORU_END_C_		}
#define GORU_CAST_(type, value) reinterpret_cast<type>(value)
#else
#define GORU_BEGIN_C_
#define GORU_END_C_
#define GORU_CAST_(type, value) ((type)(value))
#endif

/* Functions defined in a header; some programs use only few of them. */
#define GORU_INLINE_ static inline __attribute__((unused))

#define GORU_PASTE_(a, b)  GORU_PASTE2_(a, b)
#define GORU_PASTE2_(a, b) a##b

/*
 * A local name of a macro, for expansions that stand in one another's arguments. clang is told not
 * to mind the shadowing: newer ones call __COUNTER__ an extension under -Wpedantic. gcc gets a
 * name of its own each time: there a _Pragma inside a macro argument is less to be relied on.
 */
#ifdef __clang__
#define GORU_UNIQUE_(name) name
#define GORU_SHADOW_OK_	   _Pragma("clang diagnostic ignored \"-Wshadow\"")
#else
#define GORU_UNIQUE_(name) GORU_PASTE_(name, __COUNTER__)
#define GORU_SHADOW_OK_
#endif

#endif
