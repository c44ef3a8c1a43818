/* tls.h - the words that each thread has for goru. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_TLS_H
#define GRT_BASE_TLS_H

#include "base/cc.h"

struct m;

enum { GRT_WORDS = 6 };

/* The thread's M, NULL on a plain thread. Written by the M's own start and end; read through grt_arch_self only, since
 * compilers keep the address of a thread-local across a switch to another thread. */
extern __thread struct m *grt_tls_m GRT_TLS;

/* What goru_capture_ kept, for the call that follows it at once. */
extern __thread uintptr_t grt_tls_words[GRT_WORDS] GRT_TLS;

#endif
