/* task.c - goroutines with a result: start, join, detach; and the end of every goroutine that asks for it. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL task
 *   Words    queue.word: ENDED, DROPPED, DETACHED; the flags of PROTOCOL queue: at most one waits, the joiner.
 *   Owners   whoever holds QUEUE_LOCK. The memory: the one who joins or detaches, once ENDED or DROPPED is set; the
 *            task itself, if it ends DETACHED; the last of these to hold the lock frees it, without unlocking.
 *   Steps    end: lock; DETACHED: free. Else take the joiner off, if his wait is not over, unlock with ENDED: the last
 *            touch; ready him. drop (shutdown): lock; DETACHED: free; else unlock with DROPPED; nobody is woken: goroutines
 *            do not run again, and plain threads are cancelled.
 *            join: lock; ENDED or DROPPED: free. Else queue the node, unlock, wait; readied: free. Else lock, take the node
 *            off, unlock; what came meanwhile stays for the next join. Shutdown ended the wait: look again.
 *            detach: lock; ENDED or DROPPED: free; else unlock with DETACHED.
 *   Pairs    those of PROTOCOL queue carry the result, too.
 *   Reuse    a task that is neither joined nor detached is never freed.
 *   Rejected a count of references: a locked instruction more, and the lock is needed for the joiner anyway.
 *   Checked  tests/model/task.c, tests/stress/task.c
 */
#include <stdlib.h>

#include "base/fatal.h"
#include "goru.h"
#include "sched/big.h"
#include "sched/local.h"
#include "sched/spawn.h"
#include "sync/queue.h"
#include "sync/task.h"

enum { ENDED = 1, DROPPED = 2, DETACHED = 4 };

struct goru_task {
	struct queue q;
	void *(*fn)(void *);
	void *arg;
	void *result;
};

/* The calling goroutine's task, which has not ended. */
static struct goru_task *task_of(struct g *g)
{
	return g && g->flags & G_TASK ? (struct goru_task *)g->word[0] : NULL;
}

static struct g *self_g(void)
{
	struct m *m = grt_arch_self();

	if (m)
		return m->curg;
	grt_not_forked();
	return NULL;
}

/* Its values are destroyed before its joiner goes on. */
static void task_end(struct g *g, struct goru_task *t)
{
	struct wnode *n;
	struct self s;
	uint64_t v;

	if (g->flags & G_LOCALS)
		grt_locals_end(g);
	g->flags &= ~(uint32_t)G_TASK;
	grt_tsan_release(t);
	s = grt_enter_nowait();
	v = grt_queue_lock(&t->q);
	if (v & DETACHED) {
		grt_queue_left(&t->q);
		free(t);
	} else {
		n = grt_queue_pop(&t->q.first);
		grt_queue_unlock(&t->q, ENDED);
		if (n)
			grt_waiter_ready(s.p, n->w);
	}
	grt_leave_nowait(s);
}

static void task_main(struct goru_task *t)
{
	t->result = t->fn(t->arg);
	if (GRT_LIKELY(grt_arch_self() != NULL)) /* else in the child of a fork that fn made */
		task_end(self_g(), t);
}

GRT_PUBLIC int goru_task_start(goru_task **out, void *(*fn)(void *), void *arg)
{
	struct goru_task *t;
	uintptr_t word;
	struct spawn s = { .fn = (void (*)(void))task_main,
			   .word = &word,
			   .nwords = 1,
			   .cls = CLS_DEFAULT,
			   .flags = G_TASK,
			   .from = GRT_CALLER };
	int rc;

	if (!out || !fn)
		return -EINVAL;
	t = malloc(sizeof(*t));
	*out = t;
	if (!t)
		return -ENOMEM;
	*t = (struct goru_task){ .fn = fn, .arg = arg };
	word = (uintptr_t)t;
	rc = grt_spawn(&s);
	if (rc < 0) {
		*out = NULL;
		free(t);
	}
	return rc;
}

static GRT_COLD _Noreturn void misuse(struct goru_task *t, const char *what)
{
	grt_fatal("task %p: %s, by %s", (void *)t, what, grt_who(grt_me()).text);
}

/* Frees the task, which has ended as the word v says, and gives its end. */
static int free_ended(struct goru_task *t, uint64_t v, void **result)
{
	grt_tsan_acquire(t);
	if (v & ENDED && result)
		*result = t->result;
	free(t);
	return v & ENDED ? 1 : -ECANCELED;
}

/* The lock is held, and the word was v: frees the task and gives its end, if it has come. 0: it has not. */
static int take(struct goru_task *t, uint64_t v, void **result)
{
	if (!(v & (ENDED | DROPPED)))
		return 0;
	grt_queue_left(&t->q);
	return free_ended(t, v, result);
}

/* As take, for one who need not wait; else his node is queued, or an error. */
static int join_begin(struct goru_task *t, struct m *m, struct p *p, struct waiter *w,
		      struct wnode *n, void **result, int64_t deadline)
{
	uint64_t v = grt_queue_lock(&t->q);
	int rc = take(t, v, result);

	if (rc)
		return rc;
	if (v & DETACHED)
		misuse(t, "joined, but it is detached");
	if (v & QUEUE_WAITERS)
		misuse(t, "joined from two places");
	if (deadline != GORU_FOREVER && deadline <= grt_os_now())
		rc = -ETIMEDOUT;
	if (!rc) {
		grt_wnode_init(n, w, &t->q, NULL, 0, false);
		grt_wait_begin(w, m ? m->curg : NULL, KIND_QUEUE, n, 1);
		rc = grt_wait_arm(p, w, deadline);
	}
	if (!rc) {
		grt_queue_push(&t->q.first, n);
		v |= QUEUE_WAITERS;
	}
	grt_queue_unlock(&t->q, v);
	return rc;
}

/* His wait has ended without the task. A shutdown has dropped the task before it ended the wait. */
static int join_end(struct goru_task *t, struct wnode *n, enum ending how, void **result)
{
	uint64_t v = grt_queue_lock(&t->q);
	int rc = how == END_CANCELED ? take(t, v, result) : 0;

	if (rc)
		return rc;
	if (n->queued)
		grt_queue_del(&t->q.first, n);
	grt_queue_unlock(&t->q, v & ~QUEUE_WAITERS);
	return grt_ending_error(how);
}

static int join(struct goru_task *t, void **result, int64_t deadline)
{
	struct p *p;
	struct m *m = grt_enter_wait(&p);
	struct waiter w;
	struct wnode n;
	int rc = join_begin(t, m, p, &w, &n, result, deadline);

	if (!rc) {
		enum ending how = grt_wait(&m, &p, &w, deadline, WAIT_JOIN);

		if (how == END_READY)
			rc = free_ended(t, ENDED, result);
		else
			rc = join_end(t, &n, how, result);
	}
	grt_leave_wait(m);
	grt_leave_bracketed();
	return rc > 0 ? 0 : rc;
}

GRT_PUBLIC int goru_task_join_until(goru_task *task, void **result, int64_t deadline)
{
	int rc;

	if (!task)
		return -EINVAL;
	if (task_of(self_g()) == task)
		return -EDEADLK;
	rc = grt_scoped_ask();
	if (rc)
		return rc;
	return join(task, result, deadline);
}

GRT_PUBLIC int goru_task_join(goru_task *task, void **result)
{
	return goru_task_join_until(task, result, GORU_FOREVER);
}

GRT_PUBLIC int goru_task_detach(goru_task *task)
{
	uint64_t v;

	if (!task)
		return -EINVAL;
	grt_not_forked();
	v = grt_queue_lock(&task->q);
	if (take(task, v, NULL))
		return 0;
	if (v & DETACHED)
		misuse(task, "detached twice");
	if (v & QUEUE_WAITERS)
		misuse(task, "detached, but it is joined");
	grt_queue_unlock(&task->q, v | DETACHED);
	return 0;
}

void grt_task_drop(struct g *g)
{
	struct goru_task *t = task_of(g);
	uint64_t v;

	if (!t)
		return;
	v = grt_queue_lock(&t->q);
	if (v & DETACHED) {
		grt_queue_left(&t->q);
		free(t);
	} else {
		grt_queue_unlock(&t->q, v | DROPPED);
	}
}

static void exit_own(void *arg)
{
	struct g *g = arg;
	struct goru_task *t = task_of(g);

	if (t)
		task_end(g, t);
	grt_exit();
}

GRT_PUBLIC _Noreturn void goru_exit(void)
{
	struct g *g = self_g();

	if (!g)
		grt_fatal("goru_exit by a plain thread: it ends goroutines only");
	if (g->nopen)
		grt_fatal("goru_exit with scope %p open, by %s", (void *)g->scope,
			  grt_g_label(g).text);
	if (g->big)
		grt_big_leave(g, exit_own, g);
	exit_own(g);
	__builtin_unreachable();
}
