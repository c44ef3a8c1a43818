/* signal.c - signals as values of channels: a handler that only counts, and a thread that sends. */
/* SPDX-License-Identifier: MIT */
/*
 * Where a signal is handled is the kernel's choice among all threads that do not block it. The signal thread does not
 * either, so that one that the program blocks everywhere arrives as well; all others stay blocked there, and those that
 * the program waits for by sigwait or signalfd are left to it.
 *
 * PROTOCOL signals
 *   Words    arrived[n]: signals n that were handled and are not sent yet. note: 1 when the thread has something to look
 *            at. asked, done: numbers; the thread's mask is that of the done-th question. owner: the process.
 *   Owners   arrived: the handler adds, on any thread, in the middle of anything; who sends takes all, under lock. note:
 *            anyone stores 1, the thread 0. asked: the holder of change. done: the thread.
 *   Steps    arrive: arrived + 1; note = 1; it was 0: futex wake. thread: note = 0; asked is not done: look at set, open
 *            the mask for it, done = asked, futex wake; end if set is empty; send what has arrived; sleep while note is
 *            0. ask: set, under lock; asked + 1; note = 1, futex wake.
 *            begin: the handler is put in; the channel into the list; ask, or a new thread.
 *            stop: send what has arrived; the channel off the list; ask and wait for done; only then what stood there
 *            before is put back (else the thread might take the signal for it, though the program blocks it everywhere);
 *            what has arrived in between is raised once more.
 *   Pairs    A arrive: note release, A ask: note release -> B thread: note acquire   arrived, asked
 *            C thread: done release -> D ask: done acquire   the mask is set
 *   Relaxed  arrived, asked: behind note. note as looked at before sleeping: the futex looks again.
 *   Reuse    note and arrived outlive the thread: what a late handler leaves there is taken out by the next begin.
 *   Rejected signalfd instead of the mask: a descriptor that the program may close, and it sees no signal that some
 *            thread handles. sending from the handler: it may have interrupted the holder of the channel's lock.
 *   Checked  tests/api/signal.c, tests/stress/signal.c
 */
#include "sync/signal.h"

#include <stdlib.h>

#include "sync/chan.h"

struct target {
	struct target *next;
	goru_chan *c;
	uint64_t set; /* its signals: bit signo - 1; under lock, changed by the holder of change */
};

static struct {
	/* targets and set, and sending: who has held it after a channel was taken off knows that nothing comes any more */
	struct spin lock;
	struct target *targets;
	uint64_t set; /* of all targets */

	_Atomic uint32_t note, asked, done;
	_Atomic uint32_t arrived[GRT_OS_SIGNALS + 1];
	_Atomic uint32_t owner;

	bool running; /* there is a thread */
	pthread_t thread;
} S = { .lock = GRT_SPIN(LOCK_SIGNALS) };

/* Held by who changes any of this; over system calls, so it is none of our locks, and its holder is not inside goru. */
static pthread_mutex_t change = PTHREAD_MUTEX_INITIALIZER;

static uint64_t bit_of(int signo)
{
	return UINT64_C(1) << (signo - 1);
}

/* The lowest of *set, which is not empty, and which it leaves. */
static int next_of(uint64_t *set)
{
	int signo = __builtin_ctzll(*set) + 1;

	*set &= *set - 1;
	return signo;
}

static void tell(void)
{
	if (!atomic_exchange_explicit(&S.note, 1, memory_order_release)) /* signals.A */
		grt_os_futex_wake(&S.note, 1);
}

/* The handler. */
static void arrive(int signo)
{
	int saved = errno;

	if (GRT_UNLIKELY(grt_os_process_id() != grt_load(&S.owner))) {
		/* a child of vfork or clone, which no fork handler saw: it is not ours */
		grt_os_signal_give_back(signo, arrive);
		grt_os_signal_again(signo);
	} else {
		atomic_fetch_add_explicit(&S.arrived[signo], 1, memory_order_relaxed);
		tell();
	}
	errno = saved;
}

static uint32_t take(int signo)
{
	return atomic_exchange_explicit(&S.arrived[signo], 0, memory_order_relaxed);
}

/* False: it is full or closed. */
static bool offer(goru_chan *c, int signo, struct p *p)
{
	struct chan_op op = grt_chan_offer(c, &signo);

	if (op.wake)
		grt_waiter_ready(p, op.wake);
	return op.rc == 0;
}

/* What has arrived goes to the channels. With the lock, inside goru. */
static void send_all(struct p *p)
{
	grt_tsan_acquire(&S.set);
	for (uint64_t left = S.set; left;) {
		int signo = next_of(&left);
		uint32_t n = take(signo);

		for (struct target *t = n ? S.targets : NULL; t; t = t->next)
			for (uint32_t i = 0; i < n && (t->set & bit_of(signo)); i++)
				if (!offer(t->c, signo, p))
					break;
	}
}

static void *signal_thread(void *arg)
{
	uint64_t set = 1;

	while (set) {
		struct self s = grt_enter_nowait();
		uint32_t asked;

		atomic_exchange_explicit(&S.note, 0, memory_order_acquire); /* signals.B */
		asked = grt_load(&S.asked);
		grt_chaos();
		grt_spin_lock(&S.lock);
		set = S.set;
		send_all(s.p);
		grt_spin_unlock(&S.lock);
		grt_leave_nowait(s);
		if (asked != grt_load(&S.done)) {
			grt_os_thread_signals(set);
			atomic_store_explicit(&S.done, asked, memory_order_release); /* signals.C */
			grt_os_futex_wake(&S.done, 1);
		}
		grt_chaos();
		if (set && !grt_load(&S.note))
			grt_os_futex_wait(&S.note, 0, INT64_MAX);
	}
	return arg;
}

/* S.set has changed: the thread's mask follows. */
static uint32_t ask(void)
{
	uint32_t n = grt_load(&S.asked) + 1;

	grt_store(&S.asked, n);
	tell();
	return n;
}

static void ask_and_wait(void)
{
	uint32_t n = ask(), done;

	while ((done = atomic_load_explicit(&S.done, memory_order_acquire)) != n) /* signals.D */
		grt_os_futex_wait(&S.done, done, INT64_MAX);
}

static int start_thread(void)
{
	int rc;

	ask(); /* it finds this when it begins */
	S.running = true;
	rc = grt_os_thread_start(&S.thread, signal_thread, NULL, "goru-signals");
	if (rc < 0)
		S.running = false;
	return rc;
}

static void end_thread(void)
{
	ask();
	grt_os_thread_join(S.thread);
	S.running = false;
}

/* No channel is to get these any more, and S.set says so. */
static void give_back(uint64_t gone)
{
	if (gone && S.running) {
		if (S.set)
			ask_and_wait();
		else
			end_thread();
	}
	while (gone) {
		int signo = next_of(&gone);

		grt_chaos();
		grt_os_signal_give_back(signo, arrive);
		grt_chaos();
		if (take(signo))
			grt_os_signal_again(signo);
	}
}

static void set_anew(void)
{
	S.set = 0;
	for (struct target *t = S.targets; t; t = t->next)
		S.set |= t->set;
}

/* What goes to c, or with NULL to any channel, no longer does: the targets, off the list; NULL if there are none. */
static struct target *take_off(const goru_chan *c)
{
	struct target *off = NULL;
	struct self s = grt_enter_nowait();
	uint64_t gone;

	grt_spin_lock(&S.lock);
	send_all(s.p);
	for (struct target **at = &S.targets; *at;) {
		struct target *t = *at;

		if (c && t->c != c) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		t->next = off;
		off = t;
	}
	gone = S.set;
	set_anew();
	gone &= ~S.set;
	grt_spin_unlock(&S.lock);
	grt_leave_nowait(s);
	give_back(gone);
	return off;
}

static void free_targets(struct target *t)
{
	while (t) {
		struct target *next = t->next;

		goru_chan_unref(t->c);
		free(t);
		t = next;
	}
}

void grt_signals_fork(void)
{
	pthread_mutex_lock(&change);
}

void grt_signals_fork_parent(void)
{
	pthread_mutex_unlock(&change);
}

/* The child has neither the thread nor the channels, whatever they were in the middle of. */
void grt_signals_fork_child(void)
{
	uint64_t set = S.set;

	while (set)
		grt_os_signal_give_back(next_of(&set), arrive);
	for (struct target *t = S.targets, *next; t; t = next) {
		next = t->next;
		free(t);
	}
	S.lock = (struct spin)GRT_SPIN(LOCK_SIGNALS);
	S.targets = NULL;
	S.set = 0;
	for (int signo = 1; signo <= GRT_OS_SIGNALS; signo++)
		take(signo);
	grt_store(&S.done, grt_load(&S.asked));
	S.running = false;
	pthread_mutex_unlock(&change);
}

/* c's target, made if there is none. */
static struct target *target_of(goru_chan *c)
{
	struct target *t = S.targets;

	while (t && t->c != c)
		t = t->next;
	if (t || !(t = malloc(sizeof(*t))))
		return t;
	*t = (struct target){ .c = goru_chan_ref(c) };
	grt_spin_lock(&S.lock);
	t->next = S.targets;
	S.targets = t;
	grt_spin_unlock(&S.lock);
	return t;
}

static int begin(struct target *t, int signo)
{
	bool first = !(S.set & bit_of(signo));
	int rc;

	if (first)
		take(signo); /* of a handler that was late for the last stop */
	rc = grt_os_signal_catch(signo, arrive);
	if (rc < 0)
		return rc;
	grt_spin_lock(&S.lock);
	t->set |= bit_of(signo);
	S.set |= bit_of(signo);
	grt_tsan_release(&S.set);
	grt_spin_unlock(&S.lock);
	if (!S.running)
		return start_thread();
	if (first)
		ask();
	return 0;
}

static int notify(goru_chan *c, int signo)
{
	struct target *t;
	int rc;

	grt_store(&S.owner, grt_os_process_id());
	t = target_of(c);
	if (!t)
		return -ENOMEM;
	rc = begin(t, signo);
	/* without a thread there was no signal either; one that cannot be caught may be the first of a channel */
	if (rc < 0 && (!t->set || !S.running))
		free_targets(take_off(c));
	return rc;
}

GRT_PUBLIC int goru_signal_notify(goru_chan *c, int signo)
{
	bool plain = !grt_on_goroutine();
	int saved = errno, rc = 0;

	if (!c || c->elem_size != sizeof(int) || !grt_os_signal_takable(signo))
		return -EINVAL;
	/* a shutdown waits for plain threads that are inside, and for goroutines to come to a halt */
	if (plain)
		rc = grt_plain_enter_on();
	else if (grt_load(&grt_rt.phase) == RT_STOPPING)
		rc = -ESHUTDOWN;
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&change);
	rc = notify(c, signo);
	pthread_mutex_unlock(&change);
	if (plain)
		grt_plain_leave();
	errno = saved;
	return rc;
}

GRT_PUBLIC int goru_signal_stop(goru_chan *c)
{
	struct target *off;
	int saved = errno;

	if (!c)
		return -EINVAL;
	pthread_mutex_lock(&change);
	off = take_off(c);
	pthread_mutex_unlock(&change);
	free_targets(off);
	errno = saved;
	return off ? 0 : -ENOENT;
}

void grt_signals_end(void)
{
	struct target *off;

	pthread_mutex_lock(&change);
	off = take_off(NULL);
	pthread_mutex_unlock(&change);
	free_targets(off);
}
