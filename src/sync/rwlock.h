/* rwlock.h - what shutdown needs of rwlocks. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_RWLOCK_H
#define GRT_SYNC_RWLOCK_H

#include "goru.h"
#include "part/waiter.h"

/* For the node of a goroutine that will not run again. */
void grt_rwlock_drop(struct wnode *n);

#endif
