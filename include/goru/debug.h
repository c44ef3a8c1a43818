/* debug.h - looking inside, and which goru this is. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_DEBUG_H
#define GORU_DEBUG_H

#include <goru/base.h>

/* The version of these headers; goru_version() tells that of the library. */
#define GORU_VERSION_MAJOR 0
#define GORU_VERSION_MINOR 1
#define GORU_VERSION_PATCH 0

GORU_BEGIN_C_

/*
 * Names the version of the library that was linked or loaded.
 *
 * Returns: "MAJOR.MINOR.PATCH", for instance "0.1.0".
 * Call from: anywhere.
 * Waits: no. Does not start the runtime.
 * Owns: the library owns the string, which stays valid and unchanged.
 */
GORU_API const char *goru_version(void);

/*
 * Writes the list of goroutines: id and name, state, what it waits for and for how long (from a second
 * on), the backtrace of those that wait and of the caller, and the call that started it. Those that are
 * alike in all but id and age are one entry with their number; at most 100 entries. Goroutines go on
 * meanwhile, and each is shown as it was at some moment of the call. An address in parentheses is for
 * `addr2line -e FILE`.
 *
 * fd: where to; what cannot be written is lost.
 * Call from: anywhere; also from a debugger, `call goru_dump(2)`.
 * Waits: no; takes no lock of goru's and does not use malloc.
 * Cost: about 0.2 us a goroutine, and up to some 0.1 s for the names.
 */
GORU_API void goru_dump(int fd);

GORU_END_C_

#endif
