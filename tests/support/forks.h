/* forks.h - children of a process in which goru has run: forked from where the test is, on a goroutine too. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_FORKS_H
#define GRT_FORKS_H

#include "test.h"

#include "base/sanitizer.h"

/* What every call says, and its end, in a child that has no runtime. */
#define FORK_SAYS                                                                                  \
	"goru: fatal: called in a child of fork, which has no runtime: only exec, _exit and "      \
	"goru_init are possible there\n"

/* May a runtime begin in a child? AddressSanitizer's allocator may be locked there for ever, and it needs that for threads,
 * too; ThreadSanitizer refuses threads in a child of fork that had others, and an emulator ends when there is one. */
#define FORK_MAY_BEGIN (!GRT_ASAN_ON && !GRT_TSAN_ON && !test_emulated())

/* What becomes of a child that calls fn; test_child is for a runtime that is off. */
struct fork_end {
	int status; /* of waitpid */
	char err[4096];
};
void fork_ends(void (*fn)(void), struct fork_end *e);

/* It ends with 0, and no CHECK failed in it. */
void fork_lives(void (*fn)(void));

/* How a child that has counted failures, or not, ends: with 99, else with status. */
void fork_exit(int status) __attribute__((noreturn));

/* In the child: goroutines, channels, a wait group. */
void fork_uses_goru(void);

#endif
