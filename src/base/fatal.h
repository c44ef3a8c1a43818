/* fatal.h - the one way to die: a line, the dump, abort. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_FATAL_H
#define GRT_BASE_FATAL_H

#include "base/cc.h"

/* Prints `goru: fatal: ...`, lets the dump hook list the goroutines once, and aborts. */
_Noreturn void grt_fatal(const char *fmt, ...) GRT_PRINTF(1, 2);

/* The same without a list: there is none in a child of fork. */
_Noreturn void grt_fatal_bare(const char *fmt, ...) GRT_PRINTF(1, 2);

/* The first with an exit status instead of abort. */
_Noreturn void grt_fatal_exit(int status, const char *fmt, ...) GRT_PRINTF(2, 3);

/* Has one of them been called? The dump may look where locks are still held. */
bool grt_is_dying(void);

/* In the child of a fork: whoever was dying does so in the parent. */
void grt_fatal_forked(void);

/* Prints `goru: ...` on standard error in one write: a warning, never an error a program has to parse. */
void grt_warn(const char *fmt, ...) GRT_PRINTF(1, 2);

/* One formatted line to fd in one write(2); no stdio, no lock. */
void grt_line(int fd, const char *fmt, ...) GRT_PRINTF(2, 3);

/* Our own invariants: CHECK in every build (slow paths), ASSERT in checks builds only. */
#define GRT_CHECK(x)                                                                               \
	((x) ? (void)0 : grt_fatal("%s:%d: invariant broken: %s", __FILE__, __LINE__, #x))
#define GRT_ASSERT(x) (!GRT_CHECKS_ON || (x) ? (void)0 : GRT_CHECK(x))

#endif
