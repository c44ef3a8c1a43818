/* alarm.c - one alarm: it goes off, is stopped, moved and used again; a channel's last reference goes while the time is sent. */
/* SPDX-License-Identifier: MIT */
/* model: with=core,src/engine/fire.c */
#include "kit.h"

#include <errno.h>

#include "engine/fire.h"
#include "goru.h"
#include "sync/chan.h"

static struct m m0;
static struct p p0;
static goru_timer timer, other;
static goru_chan *c;
static int stopped[2], fired;

static int refuse(void)
{
	return -EAGAIN;
}

int (*const grt_hook_start)(void) = refuse;

static void fn(void *arg)
{
	(void)arg;
}

/* The runtime, with one P and a goroutine's record to spare. */
static void on(void)
{
	kit_p(&p0, 0, &m0);
	grt_store(&grt_rt.phase, RT_ON);
	grt_store(&grt_rt.epoch, 1);
	p0.gfree[0] = kit_g(fn);
	grt_store(&p0.ngfree, 1);
}

static void start(int64_t when, int64_t period)
{
	CHECK(goru_timer_start(&timer, when, period, fn, NULL) == 0);
}

static void once(void)
{
	on();
	start(model_now, 0);
}

static void periodic(void)
{
	on();
	start(model_now, 10);
}

static void look(void)
{
	struct glist ready = { 0 };
	struct due_alarms due = { .n = 0 };

	grt_timers_expire(&p0.timers, model_now, 8, &ready, &due);
	fired += (int)grt_fire(&p0, &due, model_now, &ready);
	grt_timers_return(&p0.timers, &due);
	grt_ready_batch(&p0, &ready);
}

/* The M that holds the P finds what is due. */
static void expire(void)
{
	kit_begin(&m0, &p0);
	look();
}

/* As soon as there is something; then the function runs, which frees the timer. */
static void expire_and_free(void)
{
	kit_begin(&m0, &p0);
	while (grt_timers_first(&p0.timers) == GRT_NEVER)
		model_pause();
	look();
	CHECK(fired == 1);
	model_dead(&timer, sizeof(timer));
}

/* Stops it, and then the memory is used for something else. */
static void stop_and_free(void)
{
	stopped[0] = goru_timer_stop(&timer);
	model_dead(&timer, sizeof(timer));
}

static void stop(void)
{
	stopped[0] = goru_timer_stop(&timer);
}

static void stop_too(void)
{
	stopped[1] = goru_timer_stop(&timer);
}

static void one_did(void)
{
	CHECK(fired + stopped[0] + stopped[1] == 1);
	CHECK((p0.runnext || grt_lane_len(&p0.woken)) == (fired == 1));
	CHECK(grt_load(&p0.ngfree) == !fired);
}

static void start_now(void)
{
	start(model_now, 0);
}

/* It is moved to later: the old one goes off before that, or never. */
static void move(void)
{
	start(model_now + 100, 0);
}

static void is_later(void)
{
	CHECK(fired <= 1);
	look();
	CHECK(fired <= 1 && grt_timers_first(&p0.timers) == model_now + 100);
	CHECK(goru_timer_stop(&timer) == 1);
}

/* A periodic one can be stopped at any time, and is not due again then. */
static void is_stopped(void)
{
	CHECK(stopped[0] == 1);
	model_now += 1000;
	fired = 0;
	look();
	CHECK(fired == 0);
	CHECK(grt_timers_first(&p0.timers) == GRT_NEVER);
}

/* What the first timer named is another's by the time that it is stopped. */
static void expire_and_use_again(void)
{
	expire();
	CHECK(goru_timer_start(&other, model_now + 100, 0, fn, NULL) == 0);
	grt_leave(&m0); /* as the program: it is inside when it expires only */
}

static void other_lives(void)
{
	CHECK(fired + stopped[0] == 1);
	CHECK(goru_timer_stop(&other) == 1);
}

/* As goru_shutdown, when no worker is left; alarms are freed with their heap. */
static void shut_down(void)
{
	grt_store(&grt_rt.phase, RT_STOPPING);
	grt_plain_settle(INT64_MAX);
	atomic_fetch_add_explicit(&grt_rt.epoch, 1, memory_order_relaxed);
	grt_plain_drain();
	grt_timers_fini(&p0.timers);
}

/* Started just before, or not at all. */
static void start_and_stop(void)
{
	int rc = goru_timer_start(&timer, model_now + 100, 0, fn, NULL);

	CHECK(rc == 0 || rc == -ESHUTDOWN);
	stopped[0] = goru_timer_stop(&timer);
	CHECK(stopped[0] == 0 || (stopped[0] == 1 && rc == 0));
}

static void after(void)
{
	on();
	c = goru_after(-1);
}

static void tick(void)
{
	on();
	c = goru_tick(1);
	model_now += 10;
}

/* Whoever is last frees it, once. */
static void unref(void)
{
	goru_chan_unref(c);
}

static void receive_and_unref(void)
{
	int64_t at = -1;

	CHECK(goru_chan_recv(c, &at) == 1);
	CHECK(at == model_now);
	goru_chan_unref(c);
	model_step();
}

static void nothing_is_due(void)
{
	model_now += 1000;
	fired = 0;
	look();
	CHECK(fired == 0);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "alarm/stop", once, { expire, stop_and_free }, one_did },
		{ "alarm/stops", once, { expire, stop, stop_too }, one_did, .switches = 4 },
		{ "alarm/freed-by-fn", on, { expire_and_free, start_now } },
		{ "alarm/move", once, { expire, move }, is_later },
		{ "alarm/periodic", periodic, { expire, stop_and_free }, is_stopped },
		{ "alarm/again", once, { expire_and_use_again, stop }, other_lives },
		{ "alarm/shutdown", once, { shut_down, stop } },
		{ "alarm/shutdown-start", on, { shut_down, start_and_stop } },
		{ "alarm/after", after, { expire, unref }, nothing_is_due },
		{ "alarm/tick", tick, { expire, unref }, nothing_is_due },
		{ "alarm/after-received", after, { expire, receive_and_unref }, nothing_is_due },
		{ "alarm/tick-received", tick, { expire, receive_and_unref }, nothing_is_due },
		{ "alarm/chan-shutdown", after, { shut_down, unref } },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
