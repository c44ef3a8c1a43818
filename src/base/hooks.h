/* hooks.h - the closed list of calls that go up; each is one constant pointer, set in hooks.c. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_HOOKS_H
#define GRT_BASE_HOOKS_H

/*
 * A public call that finds no runtime must start one, and a fatal error wants the list of goroutines: neither can be a
 * return value. The pointers are constants, initialised at link time, so that a program linked with the static library
 * cannot lose them and nothing has to be set before the first call. A fifth hook needs a written reason.
 */
extern int (*const grt_hook_start)(void);
extern void (*const grt_hook_dump)(int fd);

#endif
