/* errno.c - the address of errno, looked up each time. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/cc.h"

/* Before the header, which makes of errno a call of the function below. */
static inline int *libc_errno(void)
{
	return &errno;
}

#include "goru/errno.h"

/* The statement keeps a compiler that sees callers too (-flto) from finding out that the result is constant. */
GRT_PUBLIC GRT_NOINLINE int *goru_errno_location(void)
{
	__asm__ volatile("" : : : "memory");
	return libc_errno();
}
