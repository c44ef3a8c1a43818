/* switch_o0.c - switch.c without optimisation, with frame pointers. */
/* SPDX-License-Identifier: MIT */
/* test: not=address,thread cflags=-O0 */
#include "switch.c"
