/* follow.c - procs follow the CPUs while something runs, and at the wake from idle; not if chosen by hand, nor while idle. */
/* SPDX-License-Identifier: MIT */
/* test: wrap=grt_os_cpus,grt_os_cpus_again,aligned_alloc */
#include <stdatomic.h>
#include <unistd.h>

#include "fault.h"
#include "test.h"

#include "base/cc.h"
#include "os/os.h"
#include "rt/rt.h"

enum { HEAP = 1 };

static _Atomic unsigned cpus, looks;

unsigned __wrap_grt_os_cpus(void);
unsigned __wrap_grt_os_cpus_again(struct os_cpus *seen);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

unsigned __wrap_grt_os_cpus(void)
{
	return atomic_load(&cpus);
}

unsigned __wrap_grt_os_cpus_again(struct os_cpus *seen)
{
	unsigned n = atomic_load(&cpus);

	CHECK(seen != NULL);
	atomic_fetch_add(&looks, 1);
	return n;
}

/* Ps and Ms are what is allocated so. */
void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return fault_hit(HEAP) ? NULL : __real_aligned_alloc(align, size);
}

static const char *debug = "follow=1";

static void start(unsigned n, const goru_config *cfg)
{
	unsetenv("GORU_PROCS");
	setenv("GORU_DEBUG", debug, 1);
	atomic_store(&cpus, n);
	CHECK_EQ(goru_init(cfg), 0);
	atomic_store(&looks, 0);
}

/* A goroutine that keeps the monitor awake. */
static _Atomic bool go_on;
static goru_waitgroup wg;

static void computes(void *arg)
{
	(void)arg;
	while (atomic_load(&go_on))
		usleep(100);
	goru_waitgroup_done(&wg);
}

static void busy(void)
{
	atomic_store(&go_on, true);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_go(computes, NULL), 0);
}

static void at_rest(void)
{
	atomic_store(&go_on, false);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

static void end(void)
{
	at_rest();
	CHECK_EQ(goru_shutdown(), 0);
}

static void up_and_down(void)
{
	static const unsigned steps[] = { 4, 1, 9, 2, 2, 1, 3 };

	start(2, NULL);
	CHECK_EQ(goru_procs(), 2);
	busy();
	for (size_t i = 0; i < grt_countof(steps); i++) {
		atomic_store(&cpus, steps[i]);
		UNTIL(goru_procs() == steps[i]);
		CHECK_EQ(grt_load(&grt_rt.cpus), steps[i]);
	}
	end();
	/* what was followed before is not remembered */
	start(5, NULL);
	CHECK_EQ(goru_procs(), 5);
	CHECK_EQ(goru_shutdown(), 0);
}

/* As many run at once as there are CPUs now. */
static _Atomic unsigned together;

static void meets(unsigned n)
{
	atomic_fetch_add(&together, 1);
	while (atomic_load(&together) < n)
		usleep(100);
	goru_waitgroup_done(&wg);
}

static void so_many_run_at_once(void)
{
	debug = "follow=1,handoff=0"; /* each keeps its P */
	start(1, NULL);
	debug = "follow=1";
	busy();
	atomic_store(&cpus, 6);
	UNTIL(goru_procs() == 6);
	goru_waitgroup_add(&wg, 5);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(go(meets, 5u), 0);
	UNTIL(atomic_load(&together) == 5);
	end();
}

static void bounded(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.max_threads = 3;
	start(1, &cfg);
	busy();
	atomic_store(&cpus, 8);
	UNTIL(goru_procs() == 3);
	end();
	start(1, NULL);
	busy();
	atomic_store(&cpus, 5000);
	UNTIL(goru_procs() > 1);
	CHECK_EQ(goru_procs(), GRT_MAX_PROCS);
	end();
}

/* Nobody looks, however long something runs; but for one who has begun to. */
static void not_followed(unsigned procs, unsigned begun)
{
	busy();
	atomic_store(&cpus, 4);
	usleep(100000);
	CHECK(atomic_load(&looks) <= begun);
	CHECK_EQ(goru_procs(), procs);
	end();
}

static void by_config(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = 2;
	start(2, &cfg);
	not_followed(2, 0);
}

static void by_environment(void)
{
	setenv("GORU_PROCS", "3", 1);
	setenv("GORU_DEBUG", "follow=1", 1);
	atomic_store(&looks, 0);
	atomic_store(&cpus, 2);
	not_followed(3, 0);
	unsetenv("GORU_PROCS");
}

static void by_set_procs(void)
{
	start(2, NULL);
	busy();
	UNTIL(atomic_load(&looks) > 0);
	CHECK_EQ(goru_set_procs(0), -EINVAL); /* is nobody's choice */
	atomic_store(&cpus, 4);
	UNTIL(goru_procs() == 4);
	CHECK_EQ(goru_set_procs(4), 0);
	atomic_store(&looks, 0);
	at_rest();
	not_followed(4, 1);
	start(2, NULL); /* the next start follows again */
	busy();
	atomic_store(&cpus, 3);
	UNTIL(goru_procs() == 3);
	end();
}

static bool monitor_sleeps(void)
{
	grt_spin_lock(&grt_rt.lock);

	bool yes = grt_rt.monitor_sleeps;

	grt_spin_unlock(&grt_rt.lock);
	return yes;
}

static void idle_does_not_look(void)
{
	unsigned n;

	start(2, NULL);
	busy();
	UNTIL(atomic_load(&looks) > 2);
	at_rest();
	UNTIL(test_workers_asleep() && monitor_sleeps());
	n = atomic_load(&looks);
	atomic_store(&cpus, 3);
	usleep(300000);
	if (!GRT_CHECKS_ON) { /* whose watchdog looks around a few times a second */
		CHECK_EQ(atomic_load(&looks), n);
		CHECK_EQ(goru_procs(), 2);
	}
	busy(); /* the wake */
	UNTIL(goru_procs() == 3);
	end();
}

/* No memory for Ps: it stays as it is, that is said once, and it is tried again. */
static void no_memory(void)
{
	unsigned n;

	debug = "follow=1,handoff=0"; /* which would want a thread, and say that there is no memory */
	start(2, NULL);
	debug = "follow=1";
	busy();
	test_capture_begin();
	fault_set(HEAP, 2, true);
	atomic_store(&cpus, 7);
	UNTIL(*test_captured());
	CHECK_EQ(goru_procs(), 2);
	n = atomic_load(&looks);
	UNTIL(atomic_load(&looks) > n + 3);
	CHECK(!strcmp(test_captured(),
		      "goru: procs stays 2, not 7 as there are CPUs now: no memory\n"));
	fault_set(0, 0, false);
	UNTIL(goru_procs() == 7);
	CHECK(!strcmp(test_capture_end(),
		      "goru: procs stays 2, not 7 as there are CPUs now: no memory\n"));
	end();
}

TEST_MAIN(TEST(up_and_down), TEST(so_many_run_at_once), TEST(bounded), TEST(by_config),
	  TEST(by_environment), TEST(by_set_procs), TEST(idle_does_not_look), TEST(no_memory))
