/* debug.h - which goru this is. */
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

GORU_END_C_

#endif
