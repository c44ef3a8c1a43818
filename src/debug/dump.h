/* dump.h - the list of goroutines, for fatal errors. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_DEBUG_DUMP_H
#define GRT_DEBUG_DUMP_H

/* A line for each goroutine: id, name, state, what it waits for. Takes no lock; what it shows may change meanwhile. */
void grt_dump(int fd);

#endif
