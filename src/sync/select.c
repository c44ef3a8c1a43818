/* select.c - one of several channel operations: looked at one by one, waited for on all at once. */
/* SPDX-License-Identifier: MIT */
/*
 * First look at the cases in random order, one lock at a time: with a case ready, which is usual, nothing is sorted and
 * one lock is taken. Only if none was ready lock all channels in the order of their addresses, look again, and queue a
 * node on each. Holding all locks for that matters: a select that is half queued can be chosen by another one, while it
 * chooses itself.
 */
#include <stdlib.h>

#include "base/rand.h"
#include "sync/chan.h"

enum { FEW = 16, N_MAX = 65535, OP_RECV = 1, OP_SEND = 2 };
enum { NO_WAIT = -1 };

_Static_assert(OP_RECV == GORU_OP_RECV_ && OP_SEND == GORU_OP_SEND_, "the header's cases");

/* What a wait needs for each case: on the stack for a few, in one allocation for many. */
struct room {
	struct wnode *node;
	uint16_t *order; /* a permutation of the cases */
};

static uint64_t *rand_of(struct p *p)
{
	static _Thread_local uint64_t plain;

	if (p)
		return &p->rand;
	if (!plain)
		plain = (uint64_t)grt_os_now();
	return &plain;
}

/* Fisher-Yates, inside out: among the ready cases each must be as likely, which a random start does not give. */
static void shuffle(uint16_t *order, int n, struct p *p)
{
	uint64_t *r = rand_of(p);

	for (int i = 0; i < n; i++) {
		uint32_t j = grt_rand_below(r, (uint32_t)i + 1);

		order[i] = order[j];
		order[j] = (uint16_t)i;
	}
}

GRT_INLINE struct chan_op try_locked(goru_case *k)
{
	if (k->op == OP_SEND)
		return grt_chan_send_locked(k->chan, k->elem);
	return grt_chan_recv_locked(k->chan, k->elem);
}

/* The index of the case carried out, or -EAGAIN. */
static int look(goru_case *cases, const uint16_t *order, int n, struct p *p)
{
	for (int i = 0; i < n; i++) {
		goru_case *k = &cases[order[i]];

		if (!k->chan)
			continue;
		grt_spin_lock(&k->chan->lock);

		struct chan_op op = try_locked(k);

		grt_chan_unlock(k->chan);
		if (op.rc == -EAGAIN)
			continue;
		if (op.wake)
			grt_waiter_ready(p, op.wake);
		k->result = op.rc;
		return order[i];
	}
	return -EAGAIN;
}

/* By address, shell sort: n is small nearly always, and never needs another allocation. Those without a channel last. */
static int sort_by_chan(goru_case *cases, uint16_t *order, int n)
{
	static const int gaps[] = { 7983, 1750, 701, 301, 132, 57, 23, 10, 4, 1 };

	for (size_t s = 0; s < grt_countof(gaps); s++) {
		for (int i = gaps[s]; i < n; i++) {
			uint16_t v = order[i];
			int j = i;

			for (; j >= gaps[s]; j -= gaps[s]) {
				/* minus one: NULL becomes the greatest */
				if ((uintptr_t)cases[order[j - gaps[s]]].chan - 1 <=
				    (uintptr_t)cases[v].chan - 1)
					break;
				order[j] = order[j - gaps[s]];
			}
			order[j] = v;
		}
	}
	while (n && !cases[order[n - 1]].chan)
		n--;
	return n;
}

static void lock_all(goru_case *cases, const uint16_t *order, int n)
{
	for (int i = 0; i < n; i++)
		if (!i || cases[order[i]].chan != cases[order[i - 1]].chan)
			grt_spin_lock(&cases[order[i]].chan->lock);
}

static void unlock_all(goru_case *cases, const uint16_t *order, int n)
{
	for (int i = n; i-- > 0;)
		if (!i || cases[order[i]].chan != cases[order[i - 1]].chan)
			grt_chan_unlock(cases[order[i]].chan);
}

/* With all locked. From a random place on: this look finds something only if it came since the last one. */
static int look_locked(goru_case *cases, const uint16_t *order, int n, struct p *p,
		       struct waiter **wake)
{
	uint32_t from = n ? grt_rand_below(rand_of(p), (uint32_t)n) : 0;

	for (int i = 0; i < n; i++) {
		int index = order[((uint32_t)i + from) % (uint32_t)n];
		struct chan_op op = try_locked(&cases[index]);

		if (op.rc == -EAGAIN)
			continue;
		cases[index].result = op.rc;
		*wake = op.wake;
		return index;
	}
	return -EAGAIN;
}

static void enqueue_all(goru_case *cases, const uint16_t *order, int n, struct wnode *node,
			struct waiter *w)
{
	for (int i = 0; i < n; i++) {
		goru_case *k = &cases[order[i]];

		node[i] = (struct wnode){ .w = w,
					  .elem = k->elem,
					  .obj = k->chan,
					  .index = order[i],
					  .send = k->op == OP_SEND };
		grt_chan_enqueue(k->chan, &node[i]);
	}
}

/* What the winner told: which case, and how. */
static int won(goru_case *cases, struct waiter *w)
{
	goru_case *k = &cases[w->won];

	for (int i = 0; i < w->nnodes; i++) {
		if (w->nodes[i].index != w->won)
			continue;
		if (k->op == OP_SEND)
			k->result = w->nodes[i].closed ? -EPIPE : 0;
		else
			k->result = !w->nodes[i].closed;
	}
	return w->won;
}

/* None was ready: queue on all and wait. Called with nothing locked; leaves goru. */
static int wait_all(goru_case *cases, int n, struct room r, struct m *m, struct p *p,
		    int64_t deadline)
{
	struct waiter w = GRT_WAITER(KIND_CHAN, r.node, 0), *wake = NULL;
	int live = sort_by_chan(cases, r.order, n), rc;

	lock_all(cases, r.order, live);
	rc = look_locked(cases, r.order, live, p, &wake);
	if (rc == -EAGAIN && deadline != GORU_FOREVER && deadline <= grt_os_now())
		rc = -ETIMEDOUT;
	if (rc == -EAGAIN) {
		grt_waiter_begin(&w, m ? m->curg : NULL);
		w.shared = true;
		w.nnodes = (uint16_t)live;
		rc = grt_wait_arm(p, &w, deadline);
		rc = rc ? rc : -EAGAIN;
	}
	if (rc != -EAGAIN) {
		unlock_all(cases, r.order, live);
		if (wake)
			grt_waiter_ready(p, wake);
		grt_leave_wait(m);
		return rc;
	}
	grt_tsan_release(&w);
	enqueue_all(cases, r.order, live, r.node, &w);
	unlock_all(cases, r.order, live);

	enum ending end = grt_wait(&m, &p, &w, deadline, live ? WAIT_SELECT : WAIT_FOREVER);

	for (int i = 0; i < live; i++)
		if (end != END_READY || r.node[i].index != w.won)
			grt_chan_remove(&r.node[i]);
	if (end != END_READY) {
		grt_leave_wait(m);
		return grt_ending_error(end);
	}
	grt_tsan_acquire(&w);
	rc = won(cases, &w);
	grt_leave_wait(m);
	return rc;
}

static GRT_NOINLINE int wait_few(goru_case *cases, int n, struct m *m, struct p *p,
				 int64_t deadline)
{
	struct wnode node[FEW];
	uint16_t order[FEW];

	for (int i = 0; i < n; i++)
		order[i] = (uint16_t)i;
	return wait_all(cases, n, (struct room){ node, order }, m, p, deadline);
}

static GRT_NOINLINE int select_many(goru_case *cases, int n, struct m *m, struct p *p,
				    int64_t deadline)
{
	struct wnode *node = malloc((size_t)n * (sizeof(*node) + sizeof(uint16_t)));
	uint16_t *order = (uint16_t *)(void *)(node + n);
	int rc;

	if (!node) {
		grt_leave_wait(m);
		return -ENOMEM;
	}
	shuffle(order, n, p);
	rc = look(cases, order, n, p);
	if (rc == -EAGAIN && deadline != NO_WAIT)
		rc = wait_all(cases, n, (struct room){ node, order }, m, p, deadline);
	else
		grt_leave_wait(m);
	free(node);
	return rc;
}

static int check(const goru_case *cases, int n)
{
	if (n < 0 || n > N_MAX || (n && !cases))
		return -EINVAL;
	for (int i = 0; i < n; i++) {
		if (cases[i].op != OP_RECV && cases[i].op != OP_SEND)
			return -EINVAL;
		if (cases[i].chan && cases[i].op == OP_SEND && !cases[i].elem &&
		    cases[i].chan->elem_size)
			return -EINVAL;
	}
	return 0;
}

static int run(goru_case *cases, int n, struct m *m, struct p *p, int64_t deadline)
{
	uint16_t order[FEW];

	if (n > FEW)
		return select_many(cases, n, m, p, deadline);
	shuffle(order, n, p);

	int rc = look(cases, order, n, p);

	if (rc == -EAGAIN && deadline != NO_WAIT)
		return wait_few(cases, n, m, p, deadline);
	grt_leave_wait(m);
	return rc;
}

static int run_wait(goru_case *cases, int n, int64_t deadline)
{
	struct p *p;
	struct m *m;
	int rc = check(cases, n);

	if (rc < 0)
		return rc;
	m = grt_enter_wait(&p);
	rc = run(cases, n, m, p, deadline);
	grt_leave_bracketed();
	return rc;
}

GRT_PUBLIC int goru_select(goru_case *cases, int n)
{
	return run_wait(cases, n, GORU_FOREVER);
}

GRT_PUBLIC int goru_select_until(goru_case *cases, int n, int64_t deadline)
{
	return run_wait(cases, n, deadline < 0 ? 0 : deadline);
}

GRT_PUBLIC int goru_try_select(goru_case *cases, int n)
{
	int rc = check(cases, n);

	if (rc < 0)
		return rc;

	struct self s = grt_enter_nowait();

	return run(cases, n, s.m, s.p, NO_WAIT);
}
