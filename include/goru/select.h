/* select.h - waiting for the first of several channel operations. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_SELECT_H
#define GORU_SELECT_H

#include <goru/base.h>
#include <goru/chan.h>

/* One operation a select may carry out. Made with GORU_RECV and GORU_SEND only; of its fields a
 * program reads none but result, and that only in the case whose index select has returned. */
typedef struct goru_case {
	goru_chan *chan; /* NULL: never ready */
	void *elem;	 /* where a received value goes, or the value to send */
	int op;		 /* GORU_OP_RECV_ or GORU_OP_SEND_ */
	int result;	 /* receive: 1 a value, 0 closed and drained; send: 0 sent, -EPIPE closed */
	uint64_t spare;	 /* 0 */
} goru_case;

#define GORU_OP_RECV_ 1
#define GORU_OP_SEND_ 2

GORU_INLINE_ goru_case goru_case_(goru_chan *chan, void *elem, int op)
{
	goru_case made = { chan, elem, op, 0, 0 };
	return made;
}

GORU_INLINE_ goru_case goru_case_send_(goru_chan *chan, const void *elem)
{
	/* send only reads; the field serves both directions and cannot say so */
	return goru_case_(chan, GORU_CAST_(void *, GORU_CAST_(uintptr_t, elem)), GORU_OP_SEND_);
}

/*
 * A case that receives from c into *ptr. For initialisers and assignments:
 *	goru_case cases[] = { GORU_RECV(in, &value), GORU_SEND(out, &next) };
 *
 * c: goru_chan *, or NULL for a case that is never ready. A typed channel gives its own with
 * name_chan().
 * ptr: where the value goes, room for one element; NULL drops the value.
 * Cost: nothing is called; each argument is evaluated once.
 */
#define GORU_RECV(c, ptr) goru_case_((c), (ptr), GORU_OP_RECV_)

/*
 * A case that sends *ptr to c; else as GORU_RECV.
 *
 * c: goru_chan *, or NULL for a case that is never ready.
 * ptr: the value, read while select runs; NULL only where elements have size 0.
 */
#define GORU_SEND(c, ptr) goru_case_send_((c), (ptr))

GORU_BEGIN_C_

/*
 * Carries out exactly one of several channel operations, the first that can be. Among those ready
 * at once each is as likely as any other. The same channel may stand in several cases.
 *
 * cases: the operations; select writes the result of the one it carried out.
 * n: how many, 0 to 65535. None, or only NULL channels: waits for ever.
 * Returns: the index of the case carried out, its result in cases[i].result (a closed channel
 * counts: receive 0, send -EPIPE); -EINVAL n out of range, a bad op, or a NULL elem in a send
 * whose elements have a size; -ENOMEM more than 16 cases and no memory (nothing was carried out);
 * -ECANCELED on a plain thread when goru_shutdown ended the wait (nothing was carried out).
 * Call from: anywhere.
 * Waits: until one case can be carried out.
 * Order: as the operation carried out; the others leave no trace.
 * Owns: cases and what they point to stay the caller's, untouched after the return. Each channel
 * must be kept alive by a reference until then.
 * Cost: up to 16 cases no allocation, above that one. Locks each channel; parks at most once.
 */
GORU_API int goru_select(goru_case *cases, int n);

/*
 * goru_select that never waits, as one with a default case in Go.
 *
 * cases, n: as in goru_select.
 * Returns: as goru_select, or -EAGAIN: no case is ready, nothing was carried out.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns, Cost: as goru_select.
 */
GORU_API int goru_try_select(goru_case *cases, int n);

/*
 * goru_select that gives up at a deadline.
 *
 * cases, n: as in goru_select.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in. A case that is ready is carried out even
 * when the deadline is past.
 * Returns: as goru_select, or -ETIMEDOUT: nothing was carried out.
 * Call from: anywhere.
 * Waits: until one case can be carried out, or the deadline.
 * Order, Owns: as goru_select.
 * Cost: as goru_select; a wait adds an entry to a table of
 * deadlines, which grows by doubling: -ENOMEM when it cannot, and nothing was done.
 */
GORU_API int goru_select_until(goru_case *cases, int n, int64_t deadline);

GORU_END_C_

#endif
