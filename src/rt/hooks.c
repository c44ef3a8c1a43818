/* hooks.c - the closed list of calls that go up. */
/* SPDX-License-Identifier: MIT */
#include "base/hooks.h"

/* Declared here and not included: this is the one file that may name what is above it. */
int grt_boot_start(void);
void grt_dump(int fd);

int (*const grt_hook_start)(void) = grt_boot_start;
void (*const grt_hook_dump)(int fd) = grt_dump;
