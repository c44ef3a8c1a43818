/* plain.c - threads that are not the runtime's: how shutdown knows of them, and how they wait. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL plain
 *   Words    nplain: plain threads between enter and leave. waiting: those that sleep in goru, under its lock.
 *            waiter.note: bits NOTE_READY, NOTE_CANCEL; only ever set.
 *            timed: those of them that have a deadline.
 *   Steps    enter: nplain + 1. leave: nplain - 1. ready (after the claim): note |= READY, futex wake; the last touch of
 *            the waiter. cancel: note |= CANCEL, futex wake. give up (deadline, cancel): claim oneself (PROTOCOL claim);
 *            won: off the lists, under their locks; lost: the object may be gone already, only wait for READY.
 *            settle (shutdown): wait until nplain is 0: each spawn that was not refused is over.
 *            drain (shutdown, after it took every goroutine off every list): settle; cancel all. Whoever claimed a
 *            goroutine before that did so under the lock of the object, having entered before: he is counted.
 *            Whoever locks the object later finds no goroutine there.
 *   Pairs    A leave: nplain release -> B settle: nplain acquire   what the thread did to queues and records is over
 *            F spawn: nplain seq_cst -> F settle: phase seq_cst   one of the two sees the other
 *            C ready: note release -> D wait: note acquire   the waiter's slots are written before it goes on
 *   Fence    F: "are you on" and "are you inside": spawn adds to nplain, then reads the phase; shutdown stores the
 *            phase, then reads nplain. The same with rt.epoch for alarms, which shutdown frees: sync/arm.c.
 *   Relaxed  nplain + 1: ordered before the claim by the object's lock.
 *   Reuse    a waiter is on its thread's stack. ready's futex wake may come after the thread is gone: it then wakes
 *            nobody, or somebody who looks at his own word again.
 *   Rejected looking under the object's lock whether one was served: who served may have freed the object by then.
 *   Checked  tests/model/plain.c, tests/stress/plain.c, tests/stress/shutdown.c
 */
#include "rt/plain.h"

#include <errno.h>
#include <sched.h>

#include "base/chaos.h"
#include "base/hooks.h"
#include "base/spin.h"
#include "os/os.h"
#include "rt/rt.h"

enum { NOTE_READY = 1, NOTE_CANCEL = 2 };
enum { GRACE = 100 * 1000 * 1000 }; /* ns: to leave takes a moment, even on a busy machine */

/* Outlives the runtime: channels work between plain threads without one. */
static struct {
	struct spin lock;
	struct list waiting;
	_Atomic uint32_t nplain;
	uint32_t timed; /* of the waiting, those with a deadline; under lock */
} W = { .lock = GRT_SPIN(LOCK_PLAIN), .waiting = { &W.waiting, &W.waiting } };

void grt_plain_enter(void)
{
	grt_not_forked();
	atomic_fetch_add_explicit(&W.nplain, 1, memory_order_relaxed);
}

void grt_plain_leave(void)
{
	grt_unlocked_here("goru is left");
	atomic_fetch_sub_explicit(&W.nplain, 1, memory_order_release); /* plain.A */
}

int grt_plain_enter_on(void)
{
	for (;;) {
		int rc;

		grt_plain_enter();
		atomic_thread_fence(memory_order_seq_cst);			     /* plain.F */
		switch (atomic_load_explicit(&grt_rt.phase, memory_order_acquire)) { /* phase.B */
		case RT_ON:
			return 0;
		case RT_STOPPING:
			grt_plain_leave();
			return -ESHUTDOWN;
		default: /* off, or it went off meanwhile */
			grt_plain_leave();
			rc = grt_hook_start();
			if (rc < 0 && rc != -EALREADY)
				return rc;
		}
	}
}

static void wake(struct waiter *w, uint32_t how)
{
	grt_chaos();
	atomic_fetch_or_explicit(&w->note, how, memory_order_release); /* plain.C */
	grt_chaos();
	grt_os_futex_wake(&w->note, 1);
}

void grt_plain_ready(struct waiter *w)
{
	wake(w, NOTE_READY);
}

/* The note once it has any bit of mask; 0 at the deadline. */
static uint32_t note_wait(struct waiter *w, uint32_t mask, int64_t deadline)
{
	for (;;) {
		uint32_t seen = atomic_load_explicit(&w->note, memory_order_acquire); /* plain.D */

		if (seen & mask)
			return seen;
		if (grt_os_futex_wait(&w->note, seen, deadline) < 0)
			return 0;
	}
}

enum ending grt_plain_wait(struct waiter *w, int64_t deadline)
{
	grt_spin_lock(&W.lock);
	grt_list_push(&W.waiting, &w->link);
	W.timed += deadline != INT64_MAX;
	grt_spin_unlock(&W.lock);
	/* it sleeps: shutdown need not wait for it, but cancels it */
	grt_plain_leave();

	uint32_t note = note_wait(w, NOTE_READY | NOTE_CANCEL, deadline);

	grt_chaos();
	grt_plain_enter();
	grt_spin_lock(&W.lock);
	grt_list_del(&w->link);
	W.timed -= deadline != INT64_MAX;
	grt_spin_unlock(&W.lock);
	if (note & NOTE_READY)
		return END_READY;

	enum ending end = note & NOTE_CANCEL ? END_CANCELED : END_TIMEDOUT;

	if (grt_claim_word(w->claim, w->open, end))
		return end;
	/* served in this very moment: the object may be gone, the server's last touch of w is still to come */
	note_wait(w, NOTE_READY, INT64_MAX);
	return END_READY;
}

bool grt_plain_inside(void)
{
	return grt_load(&W.nplain);
}

bool grt_plain_asleep(uint32_t *n)
{
	bool yes;

	*n = 0;
	grt_spin_lock(&W.lock);
	yes = !W.timed;
	for (struct list *l = W.waiting.next; l != &W.waiting; l = l->next, (*n)++)
		yes = yes && !grt_load(&grt_container_of(l, struct waiter, link)->note);
	grt_spin_unlock(&W.lock);
	return yes;
}

static void cancel_all(void)
{
	grt_spin_lock(&W.lock);
	for (struct list *l = W.waiting.next; l != &W.waiting; l = l->next) {
		struct waiter *w = grt_container_of(l, struct waiter, link);

		wake(w, NOTE_CANCEL);
	}
	grt_spin_unlock(&W.lock);
}

bool grt_plain_settle(int64_t deadline)
{
	int64_t late = 0;

	atomic_thread_fence(memory_order_seq_cst); /* plain.F */
	while (atomic_load_explicit(&W.nplain, memory_order_acquire)) /* plain.B */ {
		int64_t now = deadline == INT64_MAX ? 0 : grt_os_now();

		late = late ? late : now + GRACE;
		if (now >= deadline && now >= late)
			return false;
		sched_yield();
	}
	return true;
}

void grt_plain_drain(void)
{
	grt_plain_settle(INT64_MAX);
	/* those that were inside, and began to wait only then: whoever left put himself on the list before */
	cancel_all();
}

void grt_plain_forked(void)
{
	W.lock = (struct spin)GRT_SPIN(LOCK_PLAIN);
	grt_list_init(&W.waiting);
	grt_store(&W.nplain, 0);
	W.timed = 0;
}
