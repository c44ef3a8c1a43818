/* errno.h - an errno that may be used before and after a wait in one function. Not part of goru.h. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_ERRNO_H
#define GORU_ERRNO_H

#include <errno.h>
#include <goru/base.h>

/*
 * A goroutine may go on on another thread after any call that waits, and each thread has an errno of
 * its own. goru carries errno's value along; but the C library declares the function behind errno
 * such that compilers look its address up once in a function and keep it, over calls too. So this is
 * wrong in a goroutine, errno may be another thread's, as soon as it has used errno before:
 *	while (read(fd, b, n) < 0 && errno == EAGAIN)
 *		goru_sleep(GORU_MSEC);
 * With this header, included after <errno.h> or instead of it, errno is asked for anew each time it
 * is named, and the lines above are right. It may be included anywhere, in C and C++; sources that
 * do not wait in goroutines do not need it, and both kinds go together in a program. Only the name
 * errno is helped: nothing can be done about a pointer that the program made of &errno itself.
 */

GORU_BEGIN_C_

/*
 * The address of the calling thread's errno, now: not to be kept over a call that may wait.
 *
 * Returns: never NULL.
 * Call from: anywhere, signal handlers too.
 * Waits: no. Does not start the runtime.
 * Cost: a call, twice the library's own.
 */
GORU_API int *goru_errno_location(void);

GORU_END_C_

#undef errno
#define errno (*goru_errno_location())

#endif
