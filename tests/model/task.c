/* task.c - a task's end against who joins it, gives up or lets it go; and shutdown, which drops it. */
/* SPDX-License-Identifier: MIT */
/* model: with=src/base/spin.c,src/rt/forked.c,src/rt/rt.c,src/rt/plain.c,src/rt/self.c,src/sync/queue.c,src/sync/who.c */
#include "kit.h"

#include "sync/task.c"

static struct goru_task *t;
static struct g of_task;
static int work, freed;

static void one(void)
{
	t = malloc(sizeof(*t));
	*t = (struct goru_task){ .result = &work };
	of_task.flags = G_TASK;
	of_task.word[0] = (uintptr_t)t;
}

static void ends(void)
{
	work = 1;
	task_end(&of_task, t);
}

/* Its result is 0: what the task did is seen, and the memory is free. */
static void has_ended(void *result)
{
	CHECK(result == &work);
	CHECK(work);
	freed++;
}

static void joins(void)
{
	void *result = NULL;

	CHECK(goru_task_join(t, &result) == 0);
	has_ended(result);
}

static void joins_until(void)
{
	void *result = NULL;
	int rc = goru_task_join_until(t, &result, model_now + 1);

	CHECK(rc == 0 || (rc == -ETIMEDOUT && !result));
	if (rc)
		CHECK(goru_task_join(t, &result) == 0);
	has_ended(result);
}

static void tires(void)
{
	void *result = NULL;
	int rc = goru_task_join_until(t, &result, model_now + 1);

	if (rc == 0) {
		has_ended(result);
		return;
	}
	CHECK(rc == -ETIMEDOUT);
	CHECK(goru_task_detach(t) == 0);
}

static void detaches(void)
{
	CHECK(goru_task_detach(t) == 0);
}

/* As goru_shutdown: the goroutine will not run again. */
static void drops(void)
{
	grt_plain_settle(INT64_MAX);
	grt_task_drop(&of_task);
	grt_plain_drain();
}

static void joins_dropped(void)
{
	void *result = NULL;

	CHECK(goru_task_join(t, &result) == -ECANCELED);
	CHECK(!result);
	freed++;
}

static void tires_of_dropped(void)
{
	int rc = goru_task_join_until(t, NULL, model_now + 1);

	CHECK(rc == -ECANCELED || rc == -ETIMEDOUT);
	if (rc == -ETIMEDOUT)
		CHECK(goru_task_detach(t) == 0);
}

static void joined(void)
{
	CHECK(freed == 1);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "task/join", one, { joins, ends }, joined },
		{ "task/until", one, { joins_until, ends }, joined },
		{ "task/tires", one, { tires, ends } },
		{ "task/detach", one, { detaches, ends } },
		{ "task/drop", one, { joins_dropped, drops }, joined },
		{ "task/drop-until", one, { tires_of_dropped, drops } },
		{ "task/drop-detach", one, { detaches, drops } },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
