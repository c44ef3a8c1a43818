/* follow.c - procs follow the CPUs that the process may use, unless somebody chose them by hand. */
/* SPDX-License-Identifier: MIT */
#include "engine/follow.h"

#include "base/fatal.h"
#include "engine/procs.h"
#include "os/os.h"

enum { MS = 1000 * 1000 };

static struct {
	int64_t at;  /* the next look */
	bool failed; /* the last change, and it was said */
	struct os_cpus seen;
} Follow;

static int64_t period(void)
{
	return (int64_t)grt_rt.follow_ms * MS;
}

void grt_follow_init(int64_t now)
{
	Follow.at = now + period(); /* the start has just looked */
	Follow.failed = false;
	Follow.seen.looks = 0;
}

/* As the start would choose. */
static uint32_t wanted(void)
{
	uint32_t n = grt_os_cpus_again(&Follow.seen), max;

	grt_store(&grt_rt.cpus, n);
	max = grt_load(&grt_rt.max_threads);
	max = max < GRT_MAX_PROCS ? max : GRT_MAX_PROCS;
	return n < max ? n : max;
}

void grt_follow(int64_t now)
{
	uint32_t n;
	int rc = 0;

	if (now < Follow.at || grt_load(&grt_rt.by_hand))
		return;
	Follow.at = now + period();
	n = wanted(); /* reads files: without any lock */
	if (n == grt_load(&grt_rt.procs) || !grt_procs_try())
		return;
	if (!grt_load(&grt_rt.by_hand)) /* still */
		rc = grt_procs_change(n);
	grt_procs_end();
	if (rc < 0 && !Follow.failed)
		grt_warn("procs stays %u, not %u as there are CPUs now: no memory",
			 grt_load(&grt_rt.procs), n);
	Follow.failed = rc < 0;
}
