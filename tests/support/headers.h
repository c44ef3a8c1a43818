/* headers.h - what the public headers say of the functions they declare. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_HEADERS_H
#define GRT_HEADERS_H

/* fn with the name of each function that waits, by the word of the comment before it; how many these are. all: a pattern. */
int headers_waiting(const char *all, void (*fn)(const char *name));

#endif
