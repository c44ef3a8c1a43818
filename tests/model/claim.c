/* claim.c - a wait that two channels and a timer can end: it ends once, and who loses takes nothing. */
/* SPDX-License-Identifier: MIT */
/* model: with=core */
#include "kit.h"

#include "goru.h"
#include "sync/chan.h"

/* A goroutine in goru_select_until on two channels, as sync/select.c leaves it; what it does on waking is thread 0. */
static struct g *g;
static struct waiter w;
static struct wnode node[2];
static int64_t got[2], sent[2] = { 100, 101 };
static goru_chan *c[2];
static struct timers timers;
static int result[2], timed_out;

static void wait_on(int from, int to)
{
	w = (struct waiter){ .kind = KIND_CHAN, .nodes = node, .nnodes = 2, .won = -1 };
	grt_waiter_begin(&w, g);
	w.shared = true;
	for (int i = from; i < to; i++) {
		node[i] = (struct wnode){
			.w = &w, .elem = &got[i], .obj = c[i], .index = (uint16_t)i
		};
		grt_spin_lock(&c[i]->lock);
		grt_chan_enqueue(c[i], &node[i]);
		grt_spin_unlock(&c[i]->lock);
	}
}

static void never(void *word)
{
	(void)word;
}

static void begin(void)
{
	result[0] = result[1] = -1;
	g = kit_g(never);
	for (int i = 0; i < 2; i++)
		c[i] = goru_chan_make(8, 0);
	grt_timers_init(&timers);
	wait_on(0, 2);
	grt_timers_add(&timers, model_now, g, w.open);
}

/* Until g is runnable; once only. */
static void be_readied(void)
{
	struct glist mine = { 0 };

	while (!grt_injq_len(&grt_rt.injq))
		model_pause();
	grt_injq_take(&grt_rt.injq, 2, &mine);
	CHECK(mine.n == 1 && mine.head == g);
}

static void waits(void)
{
	be_readied();

	enum ending end = grt_waiter_ending(&w);

	CHECK(end == END_READY || end == END_TIMEDOUT);
	for (int i = 0; i < 2; i++)
		if (i != w.won)
			grt_chan_remove(&node[i]);
	if (end == END_READY)
		CHECK(w.won >= 0 && got[w.won] == sent[w.won]);
	else
		CHECK(w.won == -1);
	model_dead(got, sizeof(got));
	model_dead(node, sizeof(node));
	model_dead(&w, sizeof(w));
}

/* After that another wait, which nobody ends; the timer's entry may still be there. */
static void waits_again(void)
{
	be_readied();
	for (int i = 0; i < 2; i++)
		grt_chan_remove(&node[i]);
	wait_on(1, 2);
}

static void send0(void)
{
	result[0] = goru_chan_try_send(c[0], &sent[0]);
}

static void send1(void)
{
	result[1] = goru_chan_try_send(c[1], &sent[1]);
}

static void expire(void)
{
	struct glist out = { 0 };
	struct due_alarms alarms = { .n = 0 };

	grt_timers_expire(&timers, model_now, 1, &out, &alarms);
	timed_out = (int)out.n;
	grt_ready_batch(NULL, &out);
}

static void check(void)
{
	CHECK((result[0] == 0) + (result[1] == 0) + timed_out == 1);
}

static void check_open(void)
{
	CHECK((result[0] == 0) + timed_out == 1);
	CHECK(grt_waiter_ending(&w) == END_NONE);
	CHECK(!grt_injq_len(&grt_rt.injq));
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "claim/channels", begin, { waits, send0, send1 }, check },
		{ "claim/timer", begin, { waits, send0, expire }, check },
		{ "claim/all", begin, { waits, send0, send1, expire }, check, .switches = 3 },
		{ "claim/next-wait", begin, { waits_again, send0, expire }, check_open },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
