/* clock.c - the time. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <time.h>

#include "os/os.h"

/* 17 ns through the vDSO. */
int64_t grt_os_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}
