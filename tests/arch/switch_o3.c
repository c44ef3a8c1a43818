/* switch_o3.c - switch.c at -O3, without frame pointers. */
/* SPDX-License-Identifier: MIT */
/* test: not=address,thread cflags=-O3,-fomit-frame-pointer */
#include "switch.c"
