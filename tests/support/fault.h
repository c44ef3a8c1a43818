/* fault.h - lets the n-th call of something fail, for tests that link it with -Wl,--wrap. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TEST_FAULT_H
#define GRT_TEST_FAULT_H

#include <stdbool.h>

/* A kind is a bit the test chooses. From now on calls of these kinds are counted, and the n-th fails, with every further
 * one when forever is set. n 0: none. */
void fault_set(unsigned kinds, unsigned n, bool forever);

/* By the wrapper: is this call to fail? */
bool fault_hit(unsigned kind);

/* How many calls have failed since fault_set. */
unsigned fault_count(void);

#endif
