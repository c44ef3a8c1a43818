/* sleep.c - the time, and waiting for it. */
/* SPDX-License-Identifier: MIT */
#include "goru.h"
#include "os/os.h"
#include "sync/wait.h"

GRT_PUBLIC int64_t goru_now(void)
{
	return grt_os_now();
}

GRT_PUBLIC int64_t goru_in(int64_t ns)
{
	int64_t t;

	if (__builtin_add_overflow(grt_os_now(), ns, &t))
		return ns > 0 ? GORU_FOREVER : INT64_MIN;
	return t;
}

GRT_PUBLIC int goru_sleep_until(int64_t deadline)
{
	struct p *p;
	struct m *m;
	struct waiter w;
	int rc = grt_scoped_ask();

	if (rc)
		return rc;
	m = grt_enter_wait(&p);
	grt_wait_begin(&w, m ? m->curg : NULL, KIND_SLEEP, NULL, 0);
	rc = grt_wait_arm(p, &w, deadline);
	if (!rc) {
		enum ending end = grt_wait(&m, &p, &w, deadline,
					   deadline == GORU_FOREVER ? WAIT_FOREVER : WAIT_SLEEP);

		/* the deadline is what was waited for */
		rc = end == END_TIMEDOUT ? 0 : grt_ending_error(end);
	}
	grt_leave_wait(m);
	grt_leave_bracketed();
	return rc;
}

GRT_PUBLIC int goru_sleep(int64_t ns)
{
	if (ns <= 0) {
		int rc = grt_scoped_ask();

		if (!rc)
			goru_yield();
		return rc;
	}
	return goru_sleep_until(goru_in(ns));
}
