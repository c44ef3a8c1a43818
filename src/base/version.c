/* version.c - which library this is. */
/* SPDX-License-Identifier: MIT */
#include "base/cc.h"
#include "goru.h"

#define TEXT_(x) #x
#define TEXT(x)	 TEXT_(x)

GRT_PUBLIC const char *goru_version(void)
{
	return TEXT(GORU_VERSION_MAJOR) "." TEXT(GORU_VERSION_MINOR) "." TEXT(GORU_VERSION_PATCH);
}
