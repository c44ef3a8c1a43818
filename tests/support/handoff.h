/* handoff.h - whether a goroutine keeps its P while it runs, for both kinds of tests. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TEST_HANDOFF_H
#define GRT_TEST_HANDOFF_H

#include <stdbool.h>

/* GORU_DEBUG=handoff=0 for the runtime's next starts; true: what it was before. */
void handoff_next(bool on);

#endif
