/* chan.c - channels: a ring of values and two lists of waiters under a spin lock. */
/* SPDX-License-Identifier: MIT */
#include "sync/chan.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fatal.h"
#include "sync/who.h"

/* bytes: behind the fixed part. */
static goru_chan *make(size_t elem_size, size_t capacity, size_t bytes)
{
	/* a line of its own: two channels must not fight for one */
	bytes = (sizeof(goru_chan) + bytes + GRT_CACHELINE - 1) & ~(size_t)(GRT_CACHELINE - 1);

	goru_chan *c = aligned_alloc(GRT_CACHELINE, bytes);

	if (!c)
		return NULL;
	*c = (goru_chan){ .lock = GRT_SPIN(LOCK_CHAN),
			  .elem_size = (uint32_t)elem_size,
			  .cap = capacity,
			  .simple = elem_size == 8,
			  .fd = -1,
			  .refs = 1 };
	return c;
}

GRT_PUBLIC goru_chan *goru_chan_make(size_t elem_size, size_t capacity)
{
	size_t bytes;

	grt_not_forked();
	if (elem_size > UINT32_MAX || __builtin_mul_overflow(elem_size, capacity, &bytes) ||
	    bytes > PTRDIFF_MAX - sizeof(goru_chan) - GRT_CACHELINE)
		return NULL;
	return make(elem_size, capacity, bytes);
}

goru_chan *grt_chan_make_timed(void)
{
	goru_chan *c = make(sizeof(int64_t), 1, 16 + sizeof(struct armed));

	if (c) {
		c->timed = true;
		*grt_chan_armed(c) = (struct armed){ 0 };
	}
	return c;
}

/*
 * PROTOCOL refs
 *   Words    refs: references held; the channel is freed by whoever drops the last.
 *   Pairs    A unref: refs release -> B last: refs acquire   all that others did with the channel is over
 *   Relaxed  ref: whoever adds one holds one.
 *   Reuse    none: 0 is final.
 *   Checked  tests/api/chan.c under ASan
 */
GRT_PUBLIC goru_chan *goru_chan_ref(goru_chan *c)
{
	if (c)
		atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void grt_chan_free(goru_chan *c)
{
	grt_tsan_acquire(&c->refs);
	if (grt_load(&c->recvq.first) || grt_load(&c->sendq.first))
		grt_fatal("channel %p: last reference dropped while somebody waits on it, by %s",
			  (void *)c, grt_who(grt_me()).text);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

/* The last reference is gone. False: the time is being sent to it, and the sender will free it. */
static GRT_NOINLINE bool call_off(goru_chan *c)
{
	struct armed *a = grt_chan_armed(c);
	struct self s = grt_armed_enter();
	bool mine = !grt_armed_lives(a) || grt_alarm_abandon(a->alarm, a->open);

	grt_leave_nowait(s);
	return mine;
}

GRT_PUBLIC void goru_chan_unref(goru_chan *c)
{
	if (!c)
		return;
	grt_tsan_release(&c->refs);
	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_release) != 1) /* refs.A */
		return;
	atomic_thread_fence(memory_order_acquire); /* refs.B */
	if (GRT_LIKELY(!c->timed) || call_off(c))
		grt_chan_free(c);
}

struct chan_op grt_chan_offer(goru_chan *c, const void *elem)
{
	struct chan_op op;

	grt_spin_lock(&c->lock);
	op = grt_chan_send_locked(c, elem, false);
	grt_chan_unlock(c);
	return op;
}

void grt_chan_remove(struct wnode *n)
{
	grt_chan_leave(n->obj, n);
}

/* Called with c locked, and the operation would wait. Inlined where it is called, few times. */
GRT_INLINE int wait_on(goru_chan *c, struct m *m, struct p *p, void *elem, bool send,
		       int64_t deadline)
{
	struct wnode n;
	struct waiter w;
	int rc = 0;

	if (deadline != GORU_FOREVER && deadline <= grt_os_now())
		rc = -ETIMEDOUT;
	if (!rc) {
		grt_wnode_init(&n, &w, c, elem, 0, send);
		grt_wait_begin(&w, m ? m->curg : NULL, KIND_CHAN, &n, 1);
		rc = grt_wait_arm(p, &w, deadline);
	}
	if (rc < 0) {
		grt_chan_unlock(c);
		grt_leave_wait(m);
		return rc;
	}
	grt_tsan_release(&w);
	grt_chan_enqueue(c, &n);
	grt_chan_unlock(c);

	enum ending end = grt_wait(&m, &p, &w, deadline, send ? WAIT_SEND : WAIT_RECV);

	if (GRT_UNLIKELY(end != END_READY)) {
		grt_chan_leave(c, &n);
		grt_leave_wait(m);
		return grt_ending_error(end);
	}
	/* served: the channel may be gone by now */
	grt_tsan_acquire(&w);
	grt_leave_wait(m);
	return send ? (n.closed ? -EPIPE : 0) : !n.closed;
}

/* The usual wait: a goroutine's, without a deadline. c is locked and simple. */
GRT_INLINE int park_on(goru_chan *c, struct m *m, struct p *p, void *elem, bool send)
{
	struct g *g = grt_g_of(m);
	struct wnode n;
	struct waiter w;

	grt_wnode_init(&n, &w, c, elem, 0, send);
	grt_wait_begin(&w, g, KIND_CHAN, &n, 1);
	grt_tsan_release(&w);
	grt_waitq_push(send ? &c->sendq : &c->recvq, &n);
	grt_spin_unlock(&c->lock);
	grt_wait_g(&m, &p, g, &w, send ? WAIT_SEND : WAIT_RECV);
	grt_tsan_acquire(&w);
	grt_leave(m);
	return send ? (n.closed ? -EPIPE : 0) : !n.closed;
}

static GRT_NOINLINE int send_park(goru_chan *c, const void *elem, struct m *m, struct p *p)
{
	return park_on(c, m, p, (void *)elem, true);
}

static GRT_NOINLINE int recv_park(goru_chan *c, void *elem, struct m *m, struct p *p)
{
	return park_on(c, m, p, elem, false);
}

/* Locked by the caller, who runs with m and p. */
static GRT_NOINLINE int long_wait(goru_chan *c, void *elem, struct m *m, struct p *p,
				  int64_t deadline, bool send)
{
	return wait_on(c, m, p, elem, send, deadline);
}

/* deadline < 0: do not wait at all. */
enum { NO_WAIT = -1 };

/* The rest of an operation that was carried out: unlocked, but *wake is still to be woken. */
static GRT_NOINLINE int wake_and_leave(struct m *m, struct p *p, struct waiter *wake, int rc)
{
	grt_waiter_ready(p, wake);
	grt_leave_wait(m);
	return rc;
}

/* With c locked. */
GRT_INLINE int send_with(goru_chan *c, const void *elem, struct m *m, struct p *p, int64_t deadline)
{
	struct chan_op op = grt_chan_send_locked(c, elem, false);

	if (op.rc == -EAGAIN && deadline != NO_WAIT)
		return long_wait(c, (void *)elem, m, p, deadline, true);
	grt_chan_unlock(c);
	if (op.wake)
		grt_waiter_ready(p, op.wake);
	grt_leave_wait(m);
	return op.rc;
}

GRT_INLINE int recv_with(goru_chan *c, void *elem, struct m *m, struct p *p, int64_t deadline)
{
	struct chan_op op = grt_chan_recv_locked(c, elem, false);

	if (op.rc == -EAGAIN && deadline != NO_WAIT)
		return long_wait(c, elem, m, p, deadline, false);
	grt_chan_unlock(c);
	if (op.wake)
		grt_waiter_ready(p, op.wake);
	grt_leave_wait(m);
	return op.rc;
}

/* A plain thread, a goroutine in a scope or whose P was taken, an entry with a fence or a check of the stack. */
static GRT_NOINLINE int send_slow(goru_chan *c, const void *elem, int64_t deadline)
{
	struct p *p;
	struct m *m;
	int rc = grt_scoped_ask();

	if (rc)
		return rc;
	m = grt_enter_wait(&p);
	grt_spin_lock(&c->lock);
	rc = send_with(c, elem, m, p, deadline);
	grt_leave_bracketed();
	return rc;
}

static GRT_NOINLINE int recv_slow(goru_chan *c, void *elem, int64_t deadline)
{
	struct p *p;
	struct m *m;
	int rc = grt_scoped_ask();

	if (rc)
		return rc;
	m = grt_enter_wait(&p);
	grt_spin_lock(&c->lock);
	rc = recv_with(c, elem, m, p, deadline);
	grt_leave_bracketed();
	return rc;
}

/* Entered by the caller; the lock was taken by another, or what the channel carries is not simple. */
static GRT_NOINLINE int send_long(goru_chan *c, const void *elem, struct m *m, struct p *p,
				  bool locked)
{
	if (!locked)
		grt_spin_lock(&c->lock);
	return send_with(c, elem, m, p, GORU_FOREVER);
}

static GRT_NOINLINE int recv_long(goru_chan *c, void *elem, struct m *m, struct p *p, bool locked)
{
	if (!locked)
		grt_spin_lock(&c->lock);
	return recv_with(c, elem, m, p, GORU_FOREVER);
}

GRT_INLINE bool bad(goru_chan *c, const void *elem, bool send)
{
	return GRT_UNLIKELY(!c) || (send && GRT_UNLIKELY(!elem) && c->elem_size);
}

/* A deadline before the machine's start is past, and must not be taken for NO_WAIT. */
GRT_INLINE int64_t clamp(int64_t deadline)
{
	return deadline < 0 ? 0 : deadline;
}

GRT_PUBLIC int goru_chan_send(goru_chan *c, const void *elem)
{
	struct m *m;
	struct p *p;
	struct chan_op op;

	if (bad(c, elem, true))
		return -EINVAL;
	if (GRT_UNLIKELY(!grt_enter_short(&m, &p)))
		return send_slow(c, elem, GORU_FOREVER);
	if (GRT_UNLIKELY(!grt_spin_try(&c->lock)))
		return send_long(c, elem, m, p, false);
	grt_chaos();
	if (GRT_UNLIKELY(!c->simple))
		return send_long(c, elem, m, p, true);
	op = grt_chan_send_locked(c, elem, true);
	if (op.rc == -EAGAIN)
		return send_park(c, elem, m, p);
	grt_spin_unlock(&c->lock);
	if (op.wake && GRT_UNLIKELY(!grt_ready_short(p, op.wake)))
		return wake_and_leave(m, p, op.wake, 0);
	grt_leave(m);
	return 0;
}

GRT_PUBLIC int goru_chan_recv(goru_chan *c, void *elem)
{
	struct m *m;
	struct p *p;
	struct chan_op op;

	if (bad(c, elem, false))
		return -EINVAL;
	if (GRT_UNLIKELY(!grt_enter_short(&m, &p)))
		return recv_slow(c, elem, GORU_FOREVER);
	if (GRT_UNLIKELY(!grt_spin_try(&c->lock)))
		return recv_long(c, elem, m, p, false);
	grt_chaos();
	if (GRT_UNLIKELY(!c->simple || !elem))
		return recv_long(c, elem, m, p, true);
	op = grt_chan_recv_locked(c, elem, true);
	if (op.rc == -EAGAIN)
		return recv_park(c, elem, m, p);
	grt_spin_unlock(&c->lock);
	if (op.wake && GRT_UNLIKELY(!grt_ready_short(p, op.wake)))
		return wake_and_leave(m, p, op.wake, 1);
	grt_leave(m);
	return 1;
}

GRT_PUBLIC int goru_chan_send_until(goru_chan *c, const void *elem, int64_t deadline)
{
	return bad(c, elem, true) ? -EINVAL : send_slow(c, elem, clamp(deadline));
}

GRT_PUBLIC int goru_chan_recv_until(goru_chan *c, void *elem, int64_t deadline)
{
	return bad(c, elem, false) ? -EINVAL : recv_slow(c, elem, clamp(deadline));
}

GRT_PUBLIC int goru_chan_try_send(goru_chan *c, const void *elem)
{
	if (bad(c, elem, true))
		return -EINVAL;

	struct self s = grt_enter_nowait();

	grt_spin_lock(&c->lock);
	return send_with(c, elem, s.m, s.p, NO_WAIT);
}

GRT_PUBLIC int goru_chan_try_recv(goru_chan *c, void *elem)
{
	if (bad(c, elem, false))
		return -EINVAL;

	struct self s = grt_enter_nowait();

	grt_spin_lock(&c->lock);
	return recv_with(c, elem, s.m, s.p, NO_WAIT);
}

/* Ends every wait on q. */
static void close_queue(goru_chan *c, struct waitq *q, struct woken *woken)
{
	struct wnode *n;

	while ((n = grt_chan_dequeue(q))) {
		struct waiter *w = grt_chan_won(n, true);

		grt_tsan_acquire(w);
		if (!n->send && n->elem && c->elem_size)
			memset(n->elem, 0, c->elem_size);
		grt_tsan_release(w);
		grt_woken_add(woken, n);
	}
}

GRT_PUBLIC int goru_chan_close(goru_chan *c)
{
	struct woken woken = { 0 };

	if (!c)
		return -EINVAL;

	struct self s = grt_enter_nowait();

	grt_spin_lock(&c->lock);
	if (grt_load(&c->closed)) {
		grt_chan_unlock(c);
		grt_leave_nowait(s);
		return -EPIPE;
	}
	grt_tsan_release(&c->closed);
	grt_store(&c->closed, true);
	c->simple = false;
	close_queue(c, &c->recvq, &woken);
	close_queue(c, &c->sendq, &woken);
	grt_chan_unlock(c);
	grt_woken_ready(&woken, s.p);
	grt_leave_nowait(s);
	return 0;
}

GRT_PUBLIC size_t goru_chan_len(goru_chan *c)
{
	if (!c)
		return 0;
	grt_not_forked();
	grt_spin_lock(&c->lock);

	size_t n = grt_load(&c->count);

	grt_spin_unlock(&c->lock);
	return n;
}

GRT_PUBLIC size_t goru_chan_cap(goru_chan *c)
{
	return c ? c->cap : 0;
}

/* A signal counts for the descriptor's whole life: level-triggered and edge-triggered loops both see a change. */
void grt_chan_fd_update(struct goru_chan *c)
{
	bool want = grt_chan_ready(c, false);
	uint64_t one = 1;
	int saved = errno;

	if (want == c->fd_set)
		return;
	/* neither can fail or wait: the counter is 0 or 1 */
	if ((want ? write(c->fd, &one, sizeof(one)) : read(c->fd, &one, sizeof(one))) ==
	    (ssize_t)sizeof(one))
		c->fd_set = want;
	errno = saved;
}

GRT_PUBLIC int goru_chan_fd(goru_chan *c)
{
	int saved = errno, fd, made, rc;

	if (!c)
		return -EINVAL;
	/* made outside the lock: it is a system call that may take its time */
	made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = made < 0 ? -errno : 0;

	struct self s = grt_enter_nowait();

	grt_spin_lock(&c->lock);
	if (c->fd < 0 && made >= 0) {
		c->fd = made;
		c->simple = false;
		made = -1;
	}
	fd = c->fd;
	grt_chan_unlock(c);
	grt_leave_nowait(s);
	if (made >= 0)
		close(made);
	errno = saved;
	return fd >= 0 ? fd : rc;
}
