/* mutex.h - what conditions need of a mutex. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_MUTEX_H
#define GRT_SYNC_MUTEX_H

#include "goru.h"
#include "part/waiter.h"

struct p;

/* Does the caller hold it? */
bool grt_mutex_mine(goru_mutex *mu);

/* goru_mutex_lock that nothing ends: neither scopes nor, for a plain thread, shutdown. */
void grt_mutex_lock_again(goru_mutex *mu);

/* goru_mutex_unlock by one who is inside goru: p as grt_enter_wait gave it. */
void grt_mutex_unlock_within(goru_mutex *mu, struct p *p);

/* By shutdown, for the node of a goroutine that will not run again. */
void grt_mutex_drop(struct wnode *n);

#endif
