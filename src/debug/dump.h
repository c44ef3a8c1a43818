/* dump.h - the list of goroutines, in groups of those that are alike. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_DEBUG_DUMP_H
#define GRT_DEBUG_DUMP_H

/* What goru_dump writes; also the hook's, for fatal errors. */
void grt_dump(int fd);

#endif
