/* atomic.h - C11 atomics, always with their ordering written out; tests/model replaces this layer. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_ATOMIC_H
#define GRT_BASE_ATOMIC_H

#include <stdatomic.h>

#include "base/cc.h"

/* Relaxed accesses are the common case; stronger ones are spelled out where they stand, with their tag. */
#define grt_load(p)	atomic_load_explicit((p), memory_order_relaxed)
#define grt_store(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)

/* A word that its owner changes without any of this, looked at by another: for reports. */
#define grt_peek(p) (*(const volatile __typeof__(*(p)) *)(p))

/* Stops the compiler, not the CPU. */
#define grt_compiler_barrier() atomic_signal_fence(memory_order_seq_cst)

#endif
