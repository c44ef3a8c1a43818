/* futex.c - sleeping on a word, waking who sleeps there, and the barrier on every thread. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "os/os.h"

enum { TSAN_SLICE = 20 * 1000 * 1000 }; /* ns */

/*
 * FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, so that a signal in between does not stretch the wait.
 * errno is the program's: a thread that waits inside goru finds it as it was.
 */
static int futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline)
{
	struct timespec ts = { deadline / 1000000000, deadline % 1000000000 };
	struct timespec *tsp = deadline == INT64_MAX ? NULL : &ts;
	int saved = errno, rc = 0;

	if (deadline <= 0)
		ts = (struct timespec){ 0, 0 };
	if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen, tsp, NULL,
		    FUTEX_BITSET_MATCH_ANY))
		rc = errno == ETIMEDOUT ? -ETIMEDOUT : 0;
	errno = saved;
	return rc;
}

/*
 * ThreadSanitizer puts off a handler of the program's until its thread calls something that it intercepts, as the clock
 * is: the thread comes by there now and then.
 */
int grt_os_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline)
{
	for (;;) {
		int64_t soon = GRT_TSAN_ON ? grt_os_now() + TSAN_SLICE : INT64_MAX;
		int rc = futex_wait(word, seen, soon < deadline ? soon : deadline);

		if (rc == 0 || soon >= deadline)
			return rc;
	}
}

/* The word may be gone when the kernel looks for it: then nobody sleeps there, and the error says no more than that. */
void grt_os_futex_wake(_Atomic uint32_t *word, int n)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n, NULL, NULL, 0);
	errno = saved;
}

int grt_os_membarrier_init(void)
{
	long have = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	if (have < 0 || !(have & MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		return -ENOSYS;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		return -ENOSYS;
	return 0;
}

int grt_os_membarrier(void)
{
	int saved = errno, rc = 0;

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		rc = -errno;
	errno = saved;
	return rc;
}
