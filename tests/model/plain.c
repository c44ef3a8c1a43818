/* plain.c - a plain thread that waits: served, timed out or canceled, and its waiter is not touched after it returned. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

#include <errno.h>

#include "goru.h"
#include "rt/gpool.h"
#include "sync/chan.h"

static goru_chan *c;
static int64_t sent = 7;
static int result = -1, received = -1, world;

static int refuse(void)
{
	return -EAGAIN;
}

int (*const grt_hook_start)(void) = refuse;

static void make(void)
{
	c = goru_chan_make(8, 0);
}

static void receive(void)
{
	int64_t v = 0;

	received = goru_chan_recv_until(c, &v, model_now + 1);
	CHECK(received == 1 || received == -ETIMEDOUT || received == -ECANCELED);
	CHECK(received != 1 || v == 7);
	model_step();
}

static void receive_for_ever(void)
{
	int64_t v = 0;

	received = goru_chan_recv(c, &v);
	CHECK(received == 1 ? v == 7 : received == -ECANCELED);
	model_step();
}

static void send(void)
{
	result = goru_chan_try_send(c, &sent);
}

static void close_it(void)
{
	CHECK(goru_chan_close(c) == 0);
}

static void receive_or_closed(void)
{
	int64_t v = 0;

	received = goru_chan_recv_until(c, &v, model_now + 1);
	CHECK(received == 0 || received == -ETIMEDOUT);
	model_step();
}

/* Of two threads one is served; the channel goes with the last of them. */
static void receive_and_drop(void)
{
	int64_t v = 0;
	int rc = goru_chan_recv_until(c, &v, model_now + 1);

	CHECK(rc == 1 ? v == 7 : rc == -ETIMEDOUT);
	goru_chan_unref(c);
	model_step();
}

static void send_and_drop(void)
{
	goru_chan_try_send(c, &sent);
	goru_chan_unref(c);
}

static void make_shared(void)
{
	make();
	goru_chan_ref(c);
}

static void cancel(void)
{
	grt_plain_drain();
}

static void check(void)
{
	CHECK((result == 0) == (received == 1));
}

/* Shutdown: what a thread did inside is over when the drain is, and one that comes later finds the runtime stopping. */

static void inside_if_on(void)
{
	grt_plain_enter();
	atomic_thread_fence(memory_order_seq_cst); /* as in sched/spawn.c: see plain/spawn */
	if (atomic_load_explicit(&grt_rt.phase, memory_order_acquire) == RT_ON)
		world++;
	grt_plain_leave();
}

static void drain(void)
{
	grt_store(&grt_rt.phase, RT_STOPPING);
	grt_plain_drain();
	model_dead(&world, sizeof(world));
}

static void on(void)
{
	grt_store(&grt_rt.phase, RT_ON);
}

/* A spawn that comes while the runtime goes. */
static struct g *g;

static void fn(void) {}

static void one_spare(void)
{
	on();
	g = kit_g(NULL);
	grt_gpool_put(NULL, g);
}

static void spawn(void)
{
	uintptr_t word = 0;

	result = goru_go_words_(fn, &word, 1);
	CHECK(result == 0 || result == -ESHUTDOWN);
}

/* A spawn that comes while the runtime starts: what start set up is there (PROTOCOL phase). */
static void one_spare_off(void)
{
	g = kit_g(NULL);
	g->cls = 1;
	grt_gpool_put(NULL, g);
}

static void start(void)
{
	grt_rt.default_cls = 1;
	atomic_store_explicit(&grt_rt.phase, RT_ON, memory_order_release);
}

static void spawn_early(void)
{
	uintptr_t word = 0;

	result = goru_go_words_(fn, &word, 1);
	CHECK(result == 0 || result == -EAGAIN);
}

/* What comes after the drain in goru_shutdown. */
static void stop(void)
{
	grt_store(&grt_rt.phase, RT_STOPPING);
	grt_plain_drain();
	CHECK(grt_injq_len(&grt_rt.injq) <= 1);
	model_dead(&grt_rt.injq.front, sizeof(grt_rt.injq.front));
	model_dead(&g->id, sizeof(g->id));
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "plain/deadline", make, { receive, send }, check },
		{ "plain/closed", make, { receive_or_closed, close_it } },
		{ "plain/cancel",
		  make,
		  { receive_for_ever, send, cancel },
		  check,
		  .sleepers = 1,
		  .switches = 3 },
		{ "plain/drop", make_shared, { receive_and_drop, send_and_drop } },
		{ "plain/drain", on, { inside_if_on, drain } },
		{ "plain/spawn", one_spare, { spawn, stop } },
		{ "plain/start", one_spare_off, { start, spawn_early } },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
