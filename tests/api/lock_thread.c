/* lock_thread.c - a locked goroutine stays on its thread and is alone there, wherever it waits. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,4,16 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#define NOINLINE __attribute__((noinline))

static int here(void)
{
	return (int)syscall(SYS_gettid);
}

/* The thread's, looked up anew: compilers keep the address of a thread-local. */
static __thread int own;

static NOINLINE int *own_at(void)
{
	int *at = &own;

	__asm__ volatile("" : "+r"(at) : : "memory");
	return at;
}

/* For those that are not tied: to ThreadSanitizer they race with those that were. */
static NOINLINE __attribute__((no_sanitize("thread"))) int own_now(void)
{
	return *own_at();
}

/* The threads that goroutines are locked to, and that nobody else may be found on. */
enum { MANY = 50 };
static _Atomic int taken[MANY];

struct tied {
	int tid, at;
};

static struct tied tie(int at)
{
	struct tied t = { .at = at };

	CHECK_EQ(goru_lock_thread(), 0);
	t.tid = here();
	for (int i = 0; i < MANY; i++)
		CHECK(atomic_load(&taken[i]) != t.tid);
	atomic_store(&taken[at], t.tid);
	*own_at() = t.tid;
	return t;
}

static void still(const struct tied *t)
{
	CHECK_EQ(here(), t->tid);
	CHECK_EQ(*own_at(), t->tid);
}

static void untie(const struct tied *t)
{
	still(t);
	*own_at() = 0;
	atomic_store(&taken[t->at], 0);
	CHECK_EQ(goru_unlock_thread(), 0);
}

static void not_tied(void)
{
	int tid = here();

	for (int i = 0; i < MANY; i++)
		CHECK(atomic_load(&taken[i]) != tid);
	CHECK_EQ(own_now(), 0);
}

static void on_plain_threads(void)
{
	CHECK_EQ(goru_lock_thread(), -EPERM);
	CHECK_EQ(goru_unlock_thread(), -EPERM);
}

static void nests(void)
{
	CHECK_EQ(goru_unlock_thread(), -EPERM);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(goru_lock_thread(), 0);

	int tid = here();

	for (int i = 0; i < 3; i++) {
		CHECK_EQ(here(), tid);
		goru_sleep(1);
		goru_yield();
		CHECK_EQ(here(), tid);
		CHECK_EQ(goru_unlock_thread(), 0);
	}
	CHECK_EQ(goru_unlock_thread(), -EPERM);
	CHECK_EQ(goru_lock_thread(), 0);
	CHECK_EQ(goru_unlock_thread(), 0);
}

/* Others, all the time, that see on which threads they run. */
static _Atomic bool stop;
static goru_waitgroup others_wg;

static void other(goru_chan *c, int salt)
{
	for (int i = salt; !atomic_load(&stop); i++) {
		int v = 0;

		not_tied();
		if (i % 4 == 0)
			goru_chan_try_recv(c, &v);
		else if (i % 4 == 1)
			goru_sleep(1000 * (i % 64));
		else
			goru_yield();
	}
	goru_waitgroup_done(&others_wg);
}

static goru_chan *begin_others(int n)
{
	goru_chan *c = goru_chan_make(sizeof(int), 1);

	atomic_store(&stop, false);
	goru_waitgroup_add(&others_wg, n);
	for (int i = 0; i < n; i++)
		CHECK_EQ(go(other, c, i), 0);
	return c;
}

static void end_others(goru_chan *c)
{
	atomic_store(&stop, true);
	CHECK_EQ(goru_waitgroup_wait(&others_wg), 0);
	goru_chan_unref(c);
}

static void echo(goru_chan *in, goru_chan *out)
{
	int v;

	while (goru_chan_recv(in, &v) > 0) {
		not_tied();
		CHECK_EQ(goru_chan_send(out, &v), 0);
	}
	goru_chan_unref(in);
	goru_chan_unref(out);
}

static void in_channels(const struct tied *t, int rounds)
{
	goru_chan *out = goru_chan_ref(goru_chan_make(sizeof(int), 0));
	goru_chan *in = goru_chan_ref(goru_chan_make(sizeof(int), 0));
	int v;

	CHECK_EQ(go(echo, out, in), 0);
	for (int i = 0; i < rounds; i++) {
		goru_case k[] = { GORU_RECV(in, &v), GORU_RECV(NULL, NULL) };

		CHECK_EQ(goru_chan_send(out, &i), 0);
		still(t);
		if (i % 2)
			CHECK_EQ(goru_chan_recv(in, &v), 1);
		else
			CHECK_EQ(goru_select(k, 2), 0);
		still(t);
		CHECK_EQ(v, i);
		CHECK_EQ(goru_chan_recv_until(in, &v, goru_in(i * 1000)), -ETIMEDOUT);
		still(t);
	}
	goru_chan_close(out);
	goru_chan_unref(out);
	goru_chan_unref(in);
}

static goru_mutex mu;
static int guarded;

static void adds(goru_waitgroup *wg)
{
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		guarded++;
		not_tied();
		goru_yield();
		goru_mutex_unlock(&mu);
	}
	goru_waitgroup_done(wg);
}

static void in_locks(const struct tied *t)
{
	goru_waitgroup wg = { 0 };

	guarded = 0;
	goru_waitgroup_add(&wg, 2);
	CHECK_EQ(go(adds, &wg), 0);
	CHECK_EQ(go(adds, &wg), 0);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(goru_mutex_lock(&mu), 0);
		guarded++;
		still(t);
		goru_yield();
		still(t);
		goru_mutex_unlock(&mu);
	}
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	still(t);
	CHECK_EQ(guarded, 60);
}

static void in_brackets(const struct tied *t)
{
	for (int i = 0; i < 20; i++) {
		goru_block_enter();
		usleep(i * 10);
		if (i % 3 == 0) { /* a wait inside them */
			CHECK_EQ(goru_sleep(1000), 0);
			still(t);
		}
		goru_block_exit();
		still(t);
		CHECK_EQ(goru_blocking(here()), t->tid);
	}
}

static void *result(void *arg)
{
	not_tied();
	goru_yield();
	return arg;
}

static void in_join(const struct tied *t)
{
	goru_task *task;
	void *r = NULL;

	CHECK_EQ(goru_task_start(&task, result, (void *)t), 0);
	CHECK_EQ(goru_task_join(task, &r), 0);
	CHECK(r == t);
	still(t);
}

static void deep(void *arg)
{
	const struct tied *t = arg;
	volatile char much[300000];

	much[0] = 1;
	CHECK_EQ(much[0], 1);
	for (int i = 0; i < 5; i++) {
		goru_sleep(1000);
		still(t);
		goru_yield();
		still(t);
	}
}

static void stays_and_is_alone(void)
{
	goru_chan *c = begin_others(8);
	struct tied t = tie(0);
	goru_local_key key;

	in_channels(&t, 30);
	in_locks(&t);
	in_brackets(&t);
	in_join(&t);
	CHECK_EQ(goru_call_on_big_stack(1 << 20, deep, &t), 0);
	still(&t);
	CHECK_EQ(goru_local_create(&key, NULL), 0);
	CHECK_EQ(goru_local_set(key, &t), 0);
	errno = 7777;
	goru_sleep(1000);
	CHECK_EQ(errno, 7777);
	CHECK(goru_local_get(key) == &t);
	CHECK_EQ(goru_local_delete(key), 0);
	untie(&t);
	end_others(c);
}

/* A plain thread wakes it, and is woken by it. */
static goru_chan *ping, *pong;

static void answers(void)
{
	struct tied t = tie(0);
	int v;

	while (goru_chan_recv(ping, &v) > 0) {
		still(&t);
		CHECK_EQ(goru_chan_send(pong, &v), 0);
		still(&t);
	}
	untie(&t);
	goru_chan_close(pong);
}

static void with_a_plain_thread(void)
{
	int v;

	ping = goru_chan_make(sizeof(int), 0);
	pong = goru_chan_make(sizeof(int), 0);
	CHECK_EQ(go(answers), 0);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(goru_chan_send(ping, &i), 0);
		CHECK_EQ(goru_chan_recv(pong, &v), 1);
		CHECK_EQ(v, i);
	}
	goru_chan_close(ping);
	CHECK_EQ(goru_chan_recv(pong, &v), 0);
	goru_chan_unref(ping);
	goru_chan_unref(pong);
}

static void sets(_Atomic int *ran)
{
	not_tied();
	atomic_fetch_add(ran, 1);
}

static void *set(void *arg)
{
	CHECK_EQ(go(sets, (_Atomic int *)arg), 0);
	return NULL;
}

/* It only yields: others have their turn nevertheless, wherever they are queued. */
static void yields(void)
{
	_Atomic int ran = 0;

	CHECK_EQ(goru_lock_thread(), 0);
	for (int i = 0; i < 20; i++) {
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, set, (void *)&ran), 0);
		while (atomic_load(&ran) != i + 1)
			goru_yield();
		pthread_join(thread, NULL);
	}
	CHECK_EQ(goru_unlock_thread(), 0);
}

/* It computes: what waits behind it runs on another thread, if there is a second P. */
static void computes(void)
{
	_Atomic int ran = 0;

	if (goru_procs() == 1)
		return;
	CHECK_EQ(goru_lock_thread(), 0);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(go(sets, &ran), 0);
		while (atomic_load(&ran) != i + 1)
			;
	}
	CHECK_EQ(goru_unlock_thread(), 0);
}

/* Fifty of them, and as many that are not locked, in a ring. */
enum { LAPS = 20 };
static goru_chan *ring[2 * MANY];
static goru_waitgroup ring_wg;

static void link_of_ring(int i)
{
	bool locks = i % 2 == 0;
	struct tied t = { 0 };
	int v;

	if (locks)
		t = tie(i / 2);
	for (int lap = 0; lap < LAPS; lap++) {
		CHECK_EQ(goru_chan_recv(ring[i], &v), 1);
		CHECK_EQ(v, lap * 2 * MANY + i);
		if (locks)
			still(&t);
		else
			not_tied();
		v++;
		if (lap < LAPS - 1 || i < 2 * MANY - 1)
			CHECK_EQ(goru_chan_send(ring[(i + 1) % (2 * MANY)], &v), 0);
	}
	if (locks)
		untie(&t);
	goru_waitgroup_done(&ring_wg);
}

static void fifty_in_a_ring(void)
{
	int v = 0;

	for (int i = 0; i < 2 * MANY; i++)
		ring[i] = goru_chan_make(sizeof(int), i % 3 == 0);
	goru_waitgroup_add(&ring_wg, 2 * MANY);
	for (int i = 0; i < 2 * MANY; i++)
		CHECK_EQ(go(link_of_ring, i), 0);
	CHECK_EQ(goru_chan_send(ring[0], &v), 0);
	CHECK_EQ(goru_waitgroup_wait(&ring_wg), 0);
	for (int i = 0; i < 2 * MANY; i++)
		goru_chan_unref(ring[i]);
}

/* The number of Ps goes down below what locked goroutines run on, and up. */
static void procs_change(void)
{
	unsigned procs = goru_procs();
	goru_chan *c = begin_others(4);
	struct tied t = tie(0);

	for (int i = 0; i < 20; i++) {
		CHECK_EQ(goru_set_procs(i % 2 ? 4 : 1), 0);
		still(&t);
		goru_yield();
		still(&t);
		goru_sleep(20000);
		still(&t);
	}
	CHECK_EQ(goru_set_procs(procs), 0);
	untie(&t);
	end_others(c);
}

TEST_MAIN(TEST(on_plain_threads), TEST_GO(nests), TEST_GO(stays_and_is_alone),
	  TEST(with_a_plain_thread), TEST_GO(yields), TEST_GO(computes), TEST_BOTH(fifty_in_a_ring),
	  TEST_GO(procs_change))
