/* handoff.c - Ps taken from goroutines at any moment of what they do: counts in the P stay exact, everyone comes back. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rt/handoff.h"
#include "rt/self.h"

/*
 * The monitor takes a P seldom: some thousand times a second at most. Here threads of our own do it as often as they can,
 * by the same function, and goroutines change plain words of their P in the shortest stretches there are. Two holders of a
 * P lose updates, and goroutines.
 */
static goru_waitgroup wg;
static _Atomic bool over;
static _Atomic int64_t sent, got, meddlers, taken;

static void *takers(void *arg)
{
	uint64_t r = stress_rand((uint64_t)(uintptr_t)arg);

	grt_plain_enter(); /* shutdown waits for us */
	while (!atomic_load(&over)) {
		uint32_t n = atomic_load_explicit(&grt_rt.nallp, memory_order_acquire);
		struct p *p = grt_load(&grt_rt.allp[grt_rand_below(&r, n)]);
		uint64_t tick = grt_load(&p->schedtick);
		bool wanted = grt_rand_below(&r, 4);
		struct m *m = grt_load(&p->m);
		enum retake rc = RETAKE_NOT;

		if (m)
			rc = grt_retake(m, p, tick, wanted, wanted ? G_BLOCKED : G_NO_P);
		if (rc == RETAKE_DONE)
			atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
		sched_yield();
	}
	grt_plain_leave();
	return NULL;
}

static void count(void)
{
	atomic_fetch_add_explicit(&got, 1, memory_order_relaxed);
	goru_waitgroup_done(&wg);
}

static void spawn_one(void)
{
	atomic_fetch_add_explicit(&sent, 1, memory_order_relaxed);
	goru_waitgroup_add(&wg, 1);
	GO(count);
}

/* In and out as fast as can be: each spawn changes the lanes, the ids, the pool and the counts of the P. */
static void flutter(uint64_t *r)
{
	for (uint32_t n = grt_rand_below(r, 40); n--;)
		spawn_one();
}

static void meddler(uint64_t salt)
{
	uint64_t r = stress_rand(salt), v = 0;
	goru_chan *c = goru_chan_make(8, 4);

	atomic_fetch_add_explicit(&meddlers, 1, memory_order_relaxed);
	while (stress_more() || !atomic_load(&taken)) {
		flutter(&r);
		switch (grt_rand_below(&r, 10)) {
		case 0:
			goru_yield();
			break;
		case 1:
			goru_block_enter();
			if (grt_rand_below(&r, 2))
				usleep(grt_rand_below(&r, 300));
			goru_block_exit();
			break;
		case 2:
			usleep(grt_rand_below(&r, 300));
			break;
		case 3:
			stress_spin(grt_rand_below(&r, 100000));
			break;
		case 4:
			goru_sleep(1 + grt_rand_below(&r, 1000));
			break;
		case 5:
			(void)goru_chan_recv_until(c, &v, goru_in(1000));
			break;
		case 6:
			(void)goru_chan_try_send(c, &v);
			break;
		case 7:
			/* it ends without its P perhaps, another one goes on */
			goru_chan_unref(c);
			GO(meddler, grt_rand64(&r) >> 2);
			return;
		case 8:
			goru_block_enter();
			goru_yield();
			goru_block_exit();
			break;
		default:
			break;
		}
	}
	goru_chan_unref(c);
	goru_waitgroup_done(&wg);
}

/* Each P's own count, a plain word of its holder. */
static int64_t spawned(void)
{
	goru_stats st;

	CHECK_EQ(goru_stats_get(&st), 0);
	return (int64_t)st.spawned;
}

static void meddle(int threads)
{
	int n = 2 + (int)stress_procs();
	int64_t before;
	pthread_t t[2];

	goru_yield();
	atomic_store(&sent, 0);
	atomic_store(&got, 0);
	atomic_store(&meddlers, 0);
	atomic_store(&taken, 0);
	atomic_store(&over, false);
	goru_waitgroup_add(&wg, n);
	before = spawned();
	for (int i = 0; i < n; i++)
		GO(meddler, (uint64_t)i + 40);
	for (int i = 0; i < threads; i++)
		stress_thread(&t[i], takers, (void *)(uintptr_t)(i + 7));
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	atomic_store(&over, true);
	for (int i = 0; i < threads; i++)
		stress_join(t[i]);
	CHECK_EQ(atomic_load(&got), atomic_load(&sent));
	CHECK_EQ(spawned() - before, atomic_load(&sent) + atomic_load(&meddlers));
}

static void test_taken_at_any_moment(void **state)
{
	(void)state;
	meddle(2);
}

static void test_without_membarrier(void **state)
{
	char before[256] = "";

	(void)state;
	if (getenv("GORU_DEBUG"))
		strncpy(before, getenv("GORU_DEBUG"), sizeof(before) - 1);
	CHECK_EQ(goru_shutdown(), 0);
	setenv("GORU_DEBUG", "membarrier=0", 1);
	CHECK_EQ(goru_init(NULL), 0);
	meddle(2);
	CHECK_EQ(goru_shutdown(), 0);
	setenv("GORU_DEBUG", before, 1);
}

/* By the monitor alone: more goroutines in the kernel at once than there are Ps, none in brackets. Each is freed by one
 * that was queued behind it. */
static void writer(int fd)
{
	CHECK_EQ(write(fd, "x", 1), 1);
}

static void reader(uint64_t salt)
{
	uint64_t r = stress_rand(salt);
	char b;
	int fd[2];

	CHECK_EQ(pipe(fd), 0);
	while (stress_more()) {
		GO(writer, fd[1]);
		CHECK_EQ(read(fd[0], &b, 1), 1);
		if (grt_rand_below(&r, 2))
			goru_yield();
	}
	close(fd[0]);
	close(fd[1]);
	goru_waitgroup_done(&wg);
}

static void test_by_the_monitor(void **state)
{
	int n = (int)stress_procs() + 4;

	(void)state;
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(goru_init(NULL), 0);
	goru_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		GO(reader, (uint64_t)i + 90);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

STRESS_MAIN("stress/handoff", cmocka_unit_test(test_taken_at_any_moment),
	    cmocka_unit_test(test_without_membarrier), cmocka_unit_test(test_by_the_monitor))
