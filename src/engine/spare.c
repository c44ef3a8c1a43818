/* spare.c - worker threads beyond those that run: made when somebody wants one, ended when long unused. */
/* SPDX-License-Identifier: MIT */
#include "engine/spare.h"

#include <errno.h>

#include "base/fatal.h"
#include "engine/loop.h"
#include "rt/idle.h"

enum {
	MS = 1000 * 1000,
	RETRY = 100 * MS, /* after a thread could not be made */
	KEPT = 4,	  /* idle threads that are kept beside one for each P */
	AT_ONCE = 64,	  /* threads ended at one tick: each is waited for */
};

static struct {
	int64_t retry_at;
	bool told;	   /* that no thread can be made */
	int64_t retire_at; /* when this period ends */
	uint32_t surplus;  /* threads still to end after the last one */
} Spare;

void grt_spare_init(int64_t now)
{
	Spare.retry_at = 0;
	Spare.told = false;
	Spare.surplus = 0;
	Spare.retire_at = now + (int64_t)grt_rt.spare_ms * MS;
}

static void refused(int64_t now, const char *why)
{
	Spare.retry_at = now + RETRY;
	if (!Spare.told)
		grt_warn(
			"no further thread can be made (%s); blocked goroutines hold others up until one is free",
			why);
	Spare.told = true;
}

static const char *reason(int rc)
{
	return rc == -ENOMEM ? "no memory" : "a system limit";
}

void grt_spare_start(int64_t now)
{
	int rc = 0;

	if (!grt_load(&grt_rt.want_m) || now < Spare.retry_at)
		return;
	grt_spin_lock(&grt_rt.lock);

	if (grt_rt.nm_starting) { /* one is on its way and will look around itself */
		grt_spin_unlock(&grt_rt.lock);
		return;
	}

	bool due = grt_load(&grt_rt.want_m) && !grt_rt.midle && grt_rt.pidle;
	struct p *p = due && grt_rt.nm < grt_load(&grt_rt.max_threads) ? grt_pidle_take(NULL) :
									 NULL;

	grt_store(&grt_rt.want_m, 0);
	grt_spin_unlock(&grt_rt.lock);
	if (p) {
		rc = grt_m_start(p);
		if (!rc)
			return;
	} else if (!due) {
		/* an M became idle, or a P busy, since it was asked for */
		if (grt_work_visible() && grt_load(&grt_rt.npidle))
			grt_wake_one();
		return;
	}
	grt_spin_lock(&grt_rt.lock);
	grt_store(&grt_rt.want_m, 1);
	grt_spin_unlock(&grt_rt.lock);
	refused(now, p ? reason(rc) : "max_threads");
}

void grt_spare_make(int64_t now)
{
	if (now < Spare.retry_at)
		return;
	grt_spin_lock(&grt_rt.lock);

	bool due = !grt_rt.midle && !grt_rt.nm_starting;
	bool full = grt_rt.nm >= grt_load(&grt_rt.max_threads);

	grt_spin_unlock(&grt_rt.lock);
	if (!due)
		return;

	int rc = full ? 0 : grt_m_start(NULL);

	if (full || rc < 0)
		refused(now, full ? "max_threads" : reason(rc));
}

/* Under rt.lock. */
static uint32_t beyond(uint32_t idle)
{
	uint32_t kept = grt_load(&grt_rt.procs) + KEPT;

	return idle > kept ? idle - kept : 0;
}

void grt_spare_retire(int64_t now)
{
	if (now >= Spare.retire_at) {
		grt_spin_lock(&grt_rt.lock);
		Spare.surplus = beyond(grt_rt.midle_low);
		grt_rt.midle_low = grt_rt.nmidle;
		grt_spin_unlock(&grt_rt.lock);
		Spare.retire_at = now + (int64_t)grt_rt.spare_ms * MS;
	}
	if (Spare.surplus) {
		uint32_t n = grt_m_retire(Spare.surplus < AT_ONCE ? Spare.surplus : AT_ONCE);

		Spare.surplus -= n ? n : Spare.surplus; /* none: they are needed after all */
	}
}

int64_t grt_spare_due(void)
{
	return Spare.surplus ? 0 : beyond(grt_rt.nmidle) ? Spare.retire_at : GRT_NEVER;
}
