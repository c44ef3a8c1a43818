/* boot.h - the runtime's life, for the hook that starts it. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_BOOT_H
#define GRT_ENGINE_BOOT_H

/* Starts the runtime with defaults: 0, -EALREADY, or why it cannot be. */
int grt_boot_start(void);

/* Another M unless two are there that no goroutine is locked to, or max_threads. -ENOMEM, -EAGAIN. By a
 * goroutine. */
int grt_boot_spare(void);

#endif
