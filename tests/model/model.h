/* model.h - forced in before every source of a model: spinning on a word becomes waiting for it to change. */
/* SPDX-License-Identifier: MIT */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/cc.h"
#include "explore.h"

#undef grt_relax
#define grt_relax() model_relax()

#endif
