/* goru.h - all of goru: goroutines, channels and what goes with them. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_H
#define GORU_H

#include <goru/base.h>
#include <goru/run.h>
#include <goru/go.h>
#include <goru/task.h>
#include <goru/time.h>
#include <goru/chan.h>
#include <goru/select.h>
#include <goru/sync.h>
#include <goru/block.h>
#include <goru/signal.h>
#include <goru/scope.h>
#include <goru/debug.h>

#endif
