/* select.c - one of several channel operations: looked at one by one, waited for on all at once. */
/* SPDX-License-Identifier: MIT */
/*
 * First ask each case's channel, without its lock, whether it looks ready, and try those that do in random order, one
 * lock at a time: with a case ready, which is usual, nothing is sorted and one lock is taken. If none was ready lock all
 * channels in the order of their addresses, look again, and queue a node on each. Holding all locks for that matters: a
 * select that is half queued can be chosen by another one, while it chooses itself. Once it is settled that it waits
 * each lock goes with its node: a select that is chosen before its last node is queued just finds itself ready.
 */
#include <stdlib.h>

#include "base/rand.h"
#include "sync/chan.h"

enum { FEW = 16, N_MAX = 65535, OP_RECV = 1, OP_SEND = 2 };
enum { NO_WAIT = -1 };

_Static_assert(OP_RECV == GORU_OP_RECV_ && OP_SEND == GORU_OP_SEND_, "the header's cases");

static uint64_t *rand_of(struct p *p)
{
	static _Thread_local uint64_t plain;

	if (p)
		return &p->rand;
	if (!plain)
		plain = (uint64_t)grt_os_now();
	return &plain;
}

GRT_INLINE bool is_send(const goru_case *k)
{
	return k->op == OP_SEND;
}

/* A case to be tried? -EINVAL: a bad one. A call that does not wait tries all: its look has to be one with the lock. */
GRT_INLINE int candidate(const goru_case *k, bool nowait)
{
	goru_chan *c = k->chan;

	if (GRT_LIKELY(k->op == OP_RECV))
		return c && (nowait || grt_chan_ready(c, false));
	if (GRT_UNLIKELY(k->op != OP_SEND))
		return -EINVAL;
	if (!c)
		return false;
	if (GRT_UNLIKELY(!k->elem) && c->elem_size)
		return -EINVAL;
	return nowait || grt_chan_ready(c, true);
}

GRT_INLINE struct chan_op try_locked(goru_case *k)
{
	if (is_send(k))
		return grt_chan_send_locked(k->chan, k->elem, false);
	return grt_chan_recv_locked(k->chan, k->elem, false);
}

/* Carries out case k if it need not wait. */
static bool try(goru_case *k, struct p *p)
{
	struct chan_op op;

	grt_spin_lock(&k->chan->lock);
	op = try_locked(k);
	grt_chan_unlock(k->chan);
	if (op.rc == -EAGAIN)
		return false;
	if (op.wake)
		grt_waiter_ready(p, op.wake);
	k->result = op.rc;
	return true;
}

/* Tries n candidates, a bit of mask each: each is as likely to be the next, which a random start would not give. The
 * index of the case carried out, or -EAGAIN. */
GRT_INLINE int try_few(goru_case *cases, uint32_t mask, uint32_t n, struct p *p)
{
	for (; n; n--) {
		uint32_t left = mask;

		if (n > 1)
			for (uint32_t skip = grt_rand_below(rand_of(p), n); skip; skip--)
				left &= left - 1;

		int i = __builtin_ctz(left);

		if (GRT_LIKELY(try(&cases[i], p)))
			return i;
		mask &= ~(UINT32_C(1) << i);
	}
	return -EAGAIN;
}

static int try_many(goru_case *cases, uint16_t *candidates, uint32_t n, struct p *p)
{
	for (; n; n--) {
		uint32_t at = grt_rand_below(rand_of(p), n);
		int i = candidates[at];

		if (try(&cases[i], p))
			return i;
		candidates[at] = candidates[n - 1];
	}
	return -EAGAIN;
}

GRT_INLINE void fill(struct wnode *n, struct waiter *w, goru_case *cases, int i)
{
	grt_wnode_init(n, w, cases[i].chan, cases[i].elem, i, is_send(&cases[i]));
}

/* A node for each case with a channel, by its address; how many. */
static int nodes_few(goru_case *cases, int n, struct wnode *node, struct waiter *w)
{
	int live = 0;

	for (int i = 0; i < n; i++) {
		uintptr_t c = (uintptr_t)cases[i].chan;
		int at = live;

		if (!c)
			continue;
		for (; at && GRT_UNLIKELY((uintptr_t)node[at - 1].obj > c); at--)
			fill(&node[at], w, cases, node[at - 1].index);
		fill(&node[at], w, cases, i);
		live++;
	}
	return live;
}

/* Shell sort, which needs no other allocation. */
static int nodes_many(goru_case *cases, int n, struct wnode *node, struct waiter *w,
		      uint16_t *order)
{
	static const int gaps[] = { 7983, 1750, 701, 301, 132, 57, 23, 10, 4, 1 };
	int live = 0;

	for (int i = 0; i < n; i++)
		if (cases[i].chan)
			order[live++] = (uint16_t)i;
	for (size_t s = 0; s < grt_countof(gaps); s++) {
		for (int i = gaps[s]; i < live; i++) {
			uint16_t v = order[i];
			int j = i;

			for (; j >= gaps[s]; j -= gaps[s]) {
				if ((uintptr_t)cases[order[j - gaps[s]]].chan <=
				    (uintptr_t)cases[v].chan)
					break;
				order[j] = order[j - gaps[s]];
			}
			order[j] = v;
		}
	}
	for (int i = 0; i < live; i++)
		fill(&node[i], w, cases, order[i]);
	return live;
}

/* Nodes of one channel stand together: is the i-th of n its last? */
GRT_INLINE bool is_last(const struct wnode *node, int n, int i)
{
	return i == n - 1 || node[i].obj != node[i + 1].obj;
}

/* Does any look ready? With all locked those that do not are not. */
GRT_INLINE bool lock_all(struct wnode *node, int n)
{
	goru_chan *locked = NULL;
	bool ready = false;

	for (int i = 0; i < n; i++) {
		goru_chan *c = node[i].obj;

		if (GRT_LIKELY(c != locked))
			grt_spin_lock(&c->lock);
		locked = c;
		ready |= grt_chan_ready(c, node[i].send);
	}
	return ready;
}

GRT_INLINE void unlock_all(struct wnode *node, int n)
{
	for (int i = 0; i < n; i++)
		if (is_last(node, n, i))
			grt_chan_unlock(node[i].obj);
}

/* With all locked. From a random place on: this look finds something only if it came since the last one. */
static int look_locked(goru_case *cases, struct wnode *node, int n, struct p *p,
		       struct waiter **wake)
{
	uint32_t from = grt_rand_below(rand_of(p), (uint32_t)n);

	for (int i = 0; i < n; i++) {
		int index = node[((uint32_t)i + from) % (uint32_t)n].index;
		struct chan_op op = try_locked(&cases[index]);

		if (op.rc == -EAGAIN)
			continue;
		cases[index].result = op.rc;
		*wake = op.wake;
		return index;
	}
	return -EAGAIN;
}

GRT_INLINE void enqueue_and_unlock_all(struct wnode *node, int n)
{
	for (int i = 0; i < n; i++) {
		grt_chan_enqueue(node[i].obj, &node[i]);
		if (is_last(node, n, i))
			grt_chan_unlock(node[i].obj);
	}
}

/* Takes the nodes off that are still queued; what the winner told: which case, and how. */
GRT_INLINE int leave_all(goru_case *cases, struct waiter *w, enum ending end)
{
	int won = end == END_READY ? w->won : -1;

	for (int i = 0; i < w->nnodes; i++) {
		struct wnode *n = &w->nodes[i];

		if (n->index != won)
			grt_chan_leave(n->obj, n);
		else if (n->send)
			cases[won].result = n->closed ? -EPIPE : 0;
		else
			cases[won].result = !n->closed;
	}
	return end == END_READY ? won : grt_ending_error(end);
}

/* None was ready: queue n nodes, of w, and wait. Called with nothing locked; leaves goru. */
GRT_INLINE int wait_all(goru_case *cases, struct wnode *node, int n, struct waiter *w, struct m *m,
			struct p *p, int64_t deadline)
{
	struct waiter *wake = NULL;
	int rc = -EAGAIN;

	if (GRT_UNLIKELY(lock_all(node, n)))
		rc = look_locked(cases, node, n, p, &wake);
	if (rc == -EAGAIN && deadline != GORU_FOREVER && deadline <= grt_os_now())
		rc = -ETIMEDOUT;
	if (rc == -EAGAIN) {
		grt_wait_begin(w, m ? m->curg : NULL, KIND_CHAN, node, n);
		w->shared = true;
		rc = grt_wait_arm(p, w, deadline);
		rc = rc ? rc : -EAGAIN;
	}
	if (rc != -EAGAIN) {
		unlock_all(node, n);
		if (wake)
			grt_waiter_ready(p, wake);
		grt_leave_wait(m);
		return rc;
	}
	grt_tsan_release(w);
	enqueue_and_unlock_all(node, n);

	enum ending end = grt_wait(&m, &p, w, deadline, n ? WAIT_SELECT : WAIT_FOREVER);

	grt_tsan_acquire(w);
	rc = leave_all(cases, w, end);
	grt_leave_wait(m);
	return rc;
}

static GRT_NOINLINE int wait_few(goru_case *cases, int n, struct m *m, struct p *p,
				 int64_t deadline)
{
	struct wnode node[FEW];
	struct waiter w;
	int live = nodes_few(cases, n, node, &w);

	return wait_all(cases, node, live, &w, m, p, deadline);
}

/* order has room for n. */
static GRT_NOINLINE int wait_many(goru_case *cases, int n, struct wnode *node, uint16_t *order,
				  struct m *m, struct p *p, int64_t deadline)
{
	struct waiter w;
	int live = nodes_many(cases, n, node, &w, order);

	return wait_all(cases, node, live, &w, m, p, deadline);
}

static int check(const goru_case *cases, int n)
{
	if (n < 0 || n > N_MAX || (n && !cases))
		return -EINVAL;
	for (int i = 0; i < n; i++)
		if (candidate(&cases[i], true) < 0)
			return -EINVAL;
	return 0;
}

/* The candidates of at most FEW cases and their number; false: a bad case. */
GRT_INLINE bool look_few(const goru_case *cases, int n, bool nowait, uint32_t *mask,
			 uint32_t *count)
{
	*mask = *count = 0;
	for (int i = 0; i < n; i++) {
		int yes = candidate(&cases[i], nowait);

		if (GRT_LIKELY(!yes))
			continue;
		if (GRT_UNLIKELY(yes < 0))
			return false;
		*mask |= UINT32_C(1) << i;
		++*count;
	}
	return true;
}

static int run_many(goru_case *cases, int n, struct m *m, struct p *p, int64_t deadline)
{
	struct wnode *node = malloc((size_t)n * (sizeof(*node) + sizeof(uint16_t)));
	uint16_t *order = (uint16_t *)(void *)(node + n);
	uint32_t count = 0;
	int rc;

	if (!node) {
		grt_leave_wait(m);
		return -ENOMEM;
	}
	for (int i = 0; i < n; i++)
		if (candidate(&cases[i], deadline == NO_WAIT))
			order[count++] = (uint16_t)i;
	rc = try_many(cases, order, count, p);
	if (rc == -EAGAIN && deadline != NO_WAIT)
		rc = wait_many(cases, n, node, order, m, p, deadline);
	else
		grt_leave_wait(m);
	free(node);
	return rc;
}

/* Entered, the cases checked. */
static int run(goru_case *cases, int n, struct m *m, struct p *p, int64_t deadline)
{
	uint32_t mask, count;
	int rc;

	if (n > FEW)
		return run_many(cases, n, m, p, deadline);
	look_few(cases, n, deadline == NO_WAIT, &mask, &count);
	rc = try_few(cases, mask, count, p);
	if (rc == -EAGAIN && deadline != NO_WAIT)
		return wait_few(cases, n, m, p, deadline);
	grt_leave_wait(m);
	return rc;
}

/* A plain thread, a goroutine in a scope or without its P, more than a few cases. */
static GRT_NOINLINE int run_wait(goru_case *cases, int n, int64_t deadline)
{
	struct p *p;
	struct m *m;
	int rc = check(cases, n);

	if (rc == 0)
		rc = grt_scoped_ask();
	if (rc < 0)
		return rc;
	m = grt_enter_wait(&p);
	rc = run(cases, n, m, p, deadline);
	grt_leave_bracketed();
	return rc;
}

GRT_PUBLIC int goru_select(goru_case *cases, int n)
{
	uint32_t mask, count;
	struct m *m;
	struct p *p;
	int rc;

	if (GRT_UNLIKELY(n < 0 || n > FEW || !cases))
		return run_wait(cases, n, GORU_FOREVER);
	if (GRT_UNLIKELY(!look_few(cases, n, false, &mask, &count)))
		return -EINVAL;
	if (GRT_UNLIKELY(!grt_enter_short(&m, &p)))
		return run_wait(cases, n, GORU_FOREVER);
	rc = try_few(cases, mask, count, p);
	if (rc == -EAGAIN)
		return wait_few(cases, n, m, p, GORU_FOREVER);
	grt_leave(m);
	return rc;
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
