/* plain.c - plain threads wait, with deadlines, against goroutines that ready them; their stacks are gone at once. */
/* SPDX-License-Identifier: MIT */
#include "stress.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { WAITERS = 3, STACK = 256 << 10 };

static goru_waitgroup wg;

struct job {
	goru_chan *c;
	goru_waitgroup *group;
	uint64_t salt;
	unsigned how;
	int result;
};

/* One wait, and the thread ends. */
static void *waiter(void *arg)
{
	struct job *j = arg;
	uint64_t r = stress_rand(j->salt), v = 0;
	int64_t deadline = goru_in(grt_rand_below(&r, 150000));
	goru_case k[2];

	switch (j->how) {
	case 0:
		j->result = goru_chan_recv_until(j->c, &v, deadline);
		break;
	case 1:
		j->result = goru_chan_send_until(j->c, &v, deadline);
		j->result = j->result == 0 ? 1 : j->result;
		break;
	case 2:
		k[0] = GORU_RECV(j->c, &v);
		k[1] = GORU_RECV(j->c, &v);
		j->result = goru_select_until(k, 2, deadline);
		j->result = j->result >= 0 ? k[j->result].result : j->result;
		break;
	default:
		j->result = goru_waitgroup_wait_until(j->group, deadline);
		j->result = j->result == 0 ? 1 : j->result;
		break;
	}
	CHECK(j->result == 1 || j->result == -ETIMEDOUT);
	return NULL;
}

/* The other side: a goroutine that serves with a deadline of its own. */
static void server(struct job *j, uint64_t salt, _Atomic int *served)
{
	uint64_t r = stress_rand(salt), v = 9;
	int rc = -ETIMEDOUT;

	if (grt_rand_below(&r, 2))
		goru_sleep(grt_rand_below(&r, 100000));
	switch (j->how) {
	case 0:
	case 2:
		rc = goru_chan_send_until(j->c, &v, goru_in(grt_rand_below(&r, 100000)));
		break;
	case 1:
		rc = goru_chan_recv_until(j->c, &v, goru_in(grt_rand_below(&r, 100000)));
		rc = rc == 1 ? 0 : rc;
		break;
	default:
		goru_waitgroup_done(j->group);
		break;
	}
	atomic_store(served, rc == 0);
	goru_waitgroup_done(&wg);
}

/* On stacks that are unmapped as soon as the thread is joined: a late touch is a fault. */
static void test_stack_gone(void **state)
{
	uint64_t r = stress_rand(1);

	(void)state;
	while (stress_more()) {
		struct job j[WAITERS];
		goru_waitgroup group[WAITERS];
		pthread_t t[WAITERS];
		_Atomic int served[WAITERS];
		void *stack[WAITERS];

		memset(group, 0, sizeof(group));
		goru_waitgroup_add(&wg, WAITERS);
		for (int i = 0; i < WAITERS; i++) {
			pthread_attr_t a;

			j[i] = (struct job){ goru_chan_make(8, 0), &group[i], grt_rand64(&r),
					     grt_rand_below(&r, 4), 0 };
			atomic_store(&served[i], 0);
			goru_waitgroup_add(&group[i], 1);
			stack[i] = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			CHECK(stack[i] != MAP_FAILED);
			pthread_attr_init(&a);
			CHECK_EQ(pthread_attr_setstack(&a, stack[i], STACK), 0);
			CHECK_EQ(pthread_create(&t[i], &a, waiter, &j[i]), 0);
			pthread_attr_destroy(&a);
			GO(server, &j[i], grt_rand64(&r), &served[i]);
		}
		for (int i = 0; i < WAITERS; i++) {
			stress_join(t[i]);
			munmap(stack[i], STACK);
		}
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		for (int i = 0; i < WAITERS; i++) {
			/* both sides agree */
			if (j[i].how != 3)
				CHECK_EQ(j[i].result == 1, atomic_load(&served[i]));
			goru_chan_unref(j[i].c);
		}
	}
}

/* A wait in one frame after the other: the waiter's place is somebody else's at once. */
static void *recycler(void *arg)
{
	struct job *j = arg;
	uint64_t r = stress_rand(j->salt), v;
	int64_t n = 0;

	for (;;) {
		int rc = goru_chan_recv_until(j->c, &v, goru_in(grt_rand_below(&r, 50000)));
		volatile uint64_t trash[64];

		for (int i = 0; i < 64; i++)
			trash[i] = ~UINT64_C(0);
		if (rc == 0)
			break;
		CHECK(rc == 1 || rc == -ETIMEDOUT);
		n += rc == 1;
		for (int i = 0; i < 64; i++)
			CHECK_EQ(trash[i], ~UINT64_C(0));
	}
	j->result = (int)n;
	return NULL;
}

static void test_frames(void **state)
{
	uint64_t r = stress_rand(2);
	goru_chan *c = goru_chan_make(8, 0);
	struct job j[WAITERS];
	pthread_t t[WAITERS];
	int64_t sent = 0, got = 0;
	uint64_t v = 5;

	(void)state;
	for (int i = 0; i < WAITERS; i++) {
		j[i] = (struct job){ .c = c, .salt = 50 + (uint64_t)i };
		stress_thread(&t[i], recycler, &j[i]);
	}
	while (stress_more()) {
		int rc = goru_chan_send_until(c, &v, goru_in(grt_rand_below(&r, 50000)));

		CHECK(rc == 0 || rc == -ETIMEDOUT);
		sent += rc == 0;
		stress_pause(&r, 50);
	}
	CHECK_EQ(goru_chan_close(c), 0);
	for (int i = 0; i < WAITERS; i++) {
		stress_join(t[i]);
		got += j[i].result;
	}
	CHECK_EQ(got, sent);
	goru_chan_unref(c);
}

/* Plain threads alone, before and without a runtime. */
static void test_without_runtime(void **state)
{
	(void)state;
	CHECK_EQ(goru_shutdown(), 0);
	test_frames(state);
}

STRESS_MAIN("stress/plain", cmocka_unit_test(test_stack_gone), cmocka_unit_test(test_frames),
	    cmocka_unit_test(test_without_runtime))
