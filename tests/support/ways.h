/* ways.h - every way in which a goroutine leaves its thread, each with somebody who lets it go on. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_WAYS_H
#define GRT_WAYS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* With one P every way but the brackets parks at least once: whoever ends the wait is started just before it. */
extern const int ways_n;
const char *ways_name(int way);
bool ways_parks(int way);

/* On a goroutine. */
void ways_go(int way);

#ifdef __cplusplus
}
#endif

#endif
