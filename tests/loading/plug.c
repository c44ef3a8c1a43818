/* plug.c - a plug-in that uses goru, the shared library or a copy of its own. */
/* SPDX-License-Identifier: MIT */
#include "plug.h"

#include <goru.h>
#include <string.h>

enum { MOST = 100 };

static goru_chan *sent;

static void *send(void *i)
{
	int v = (int)(intptr_t)i;

	goru_chan_send(sent, &v);
	return NULL;
}

/* They are joined: a plug-in may be unloaded only when no goroutine is in its code, on the way out either. */
static int sum(int n)
{
	goru_task *task[MOST];
	int total = 0, v, rc = 0;

	sent = goru_chan_make(sizeof(int), 0);
	if (!sent || n > MOST)
		return -1;
	for (int i = 0; i < n && rc == 0; i++)
		rc = goru_task_start(&task[i], send, (void *)(intptr_t)(i + 1));
	for (int i = 0; i < n && rc == 0; i++)
		total += goru_chan_recv(sent, &v) > 0 ? v : 0;
	for (int i = 0; i < n && rc == 0; i++)
		rc = goru_task_join(task[i], NULL);
	goru_chan_unref(sent);
	return rc < 0 ? rc : total;
}

static void count(_Atomic int *n)
{
	for (;;) {
		atomic_fetch_add(n, 1);
		goru_sleep(GORU_MSEC);
	}
}

static int tick(_Atomic int *n)
{
	return go(count, n);
}

static int wait(_Atomic int *flag)
{
	while (!atomic_load(flag))
		goru_sleep(GORU_MSEC);
	return 0;
}

static void ended(void *n)
{
	atomic_fetch_add((_Atomic int *)n, 1);
}

static void end_with(_Atomic int *n)
{
	goru_local_key key;

	if (goru_local_create(&key, ended) == 0)
		goru_local_set(key, n);
}

static void seven(void *out)
{
	*(int *)out = 7;
}

static int big(void)
{
	int n = 0, rc = goru_call_on_big_stack(1 << 20, seven, &n);

	return rc < 0 ? rc : n;
}

static uint64_t spawned(void)
{
	goru_stats s;

	goru_stats_get(&s);
	return s.spawned;
}

const struct plug *plug(void)
{
	static struct plug p = {
		.sum = sum,
		.tick = tick,
		.wait = wait,
		.end_with = end_with,
		.big = big,
		.set_procs = goru_set_procs,
		.procs = goru_procs,
		.spawned = spawned,
		.id = goru_id,
		.shutdown = goru_shutdown,
	};

	p.goru = (const void *)(uintptr_t)goru_yield;
	return &p;
}

#ifdef PLUG_CONSTRUCTOR
/* The first thing goru does here happens inside dlopen. */
__attribute__((constructor)) static void begin(void)
{
	if (sum(10) != 55)
		__builtin_trap();
}
#endif

#ifdef PLUG_REFUSED
void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name)
{
	return strcmp(name, "dlopen") ? __real_dlsym(handle, name) : NULL;
}
#endif
