/* model.h - forced in before every source of a model: spinning on a word becomes waiting for it to change. */
/* SPDX-License-Identifier: MIT */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <sched.h>

#include "base/cc.h"
#include "explore.h"

#undef grt_relax
#ifdef MODEL_IMPATIENT /* who spins here goes on without the change some time */
#define grt_relax() model_relax()
#else
#define grt_relax() model_pause()
#endif

#define GRT_PLAIN_SELF ((uintptr_t)(model_self() + 2) * 4096)

#ifdef MODEL_YIELD_IS_A_STEP /* sched_yield is a kindness here, not a wait */
#define sched_yield() model_step()
#endif

#endif
