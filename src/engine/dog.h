/* dog.h - checks builds: work that waits beside an idle P, with nobody on his way to it, is fatal. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_DOG_H
#define GRT_ENGINE_DOG_H

#include "base/cc.h"

enum { GRT_DOG_TICK = 1000 * 1000, GRT_DOG_SLEEP = 100 * 1000 * 1000 }; /* ns */

/* By the monitor at each tick, which it has found work for already. True: somebody waits; look again in GRT_DOG_TICK. */
bool grt_dog_look(int64_t now);

/* Before the monitor starts. */
void grt_dog_reset(void);

#endif
