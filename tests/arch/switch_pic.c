/* switch_pic.c - switch.c as position independent code for size. */
/* SPDX-License-Identifier: MIT */
/* test: not=address,thread cflags=-fPIC,-Os */
#include "switch.c"
