/* waitgroup.h - what shutdown needs of wait groups. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_WAITGROUP_H
#define GRT_SYNC_WAITGROUP_H

#include "part/waiter.h"

/* Takes a waiter whose wait ended early off its group's list, if the other side has not. */
void grt_waitgroup_remove(struct wnode *n);

#endif
