/* switch_fp.c - switch.c with frame pointers and stack protectors. */
/* SPDX-License-Identifier: MIT */
/* test: not=address,thread cflags=-fno-omit-frame-pointer,-fstack-protector-all */
#include "switch.c"
