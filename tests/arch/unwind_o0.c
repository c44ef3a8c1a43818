/* unwind_o0.c - unwind.c without optimisation: each frame is found by its frame pointer. */
/* SPDX-License-Identifier: MIT */
/* test: cflags=-O0 not=nounwinder */
#include "unwind.c"
