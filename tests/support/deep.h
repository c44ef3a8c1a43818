/* deep.h - functions that need much stack, and threads that end on a big one. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TESTS_DEEP_H
#define GRT_TESTS_DEEP_H

/* n + 1 frames of a kilobyte and more each; returns n + 1. */
int test_deep(int n);

/* Recurses until the stack is over, in frames smaller than a page. */
void test_overflow(void);

/* Threads that call pthread_exit on big stacks, nested too: the stacks are given back. What glibc does there is to
 * unwind, with or without an unwinder in the program. */
void test_threads_end_on_big_stacks(void);

#endif
