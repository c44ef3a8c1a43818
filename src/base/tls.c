/* tls.c - the words that each thread has for goru. */
/* SPDX-License-Identifier: MIT */
#include "base/tls.h"

/* used: the ports' assembly names them too, which the compiler does not see */
__thread struct m *grt_tls_m __attribute__((used));
__thread uintptr_t grt_tls_words[GRT_WORDS] __attribute__((used));
