/* config.h - what the program and its environment asked for. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_CONFIG_H
#define GRT_ENGINE_CONFIG_H

#include "base/cc.h"
#include "goru.h"

struct settings {
	unsigned procs, flags, cls, max_threads, hang_seconds;
	unsigned trace_ms, spare_ms, follow_ms;
	unsigned cpus; /* as looked up for procs; 0: not */
	bool spawn_log, no_membarrier, migrate, no_handoff;
	bool by_hand; /* procs are what somebody asked for */
	void (*on_deadlock)(void *);
	void *on_deadlock_arg;
};

/* cfg (may be NULL) over environment over defaults; -EINVAL: cfg holds a value that is out of range. A value of the
 * environment that cannot be read is reported on standard error and the default taken. */
int grt_settings(struct settings *s, const goru_config *cfg);

#endif
