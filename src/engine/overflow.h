/* overflow.h - a stack that is used up is reported by name. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_OVERFLOW_H
#define GRT_ENGINE_OVERFLOW_H

void grt_overflow_install(void);
void grt_overflow_uninstall(void);

#endif
