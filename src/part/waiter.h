/* waiter.h - one who waits, and the word that lets a wait end exactly once. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_WAITER_H
#define GRT_PART_WAITER_H

#include "base/list.h"
#include "part/g.h"

/* How a wait ended: the low bits of the claim word. */
enum ending {
	END_NONE = 0,
	END_READY,    /* by the one it waited for: value, room, zero, close */
	END_TIMEDOUT, /* its deadline came */
	END_CANCELED, /* by a scope; a plain thread, by shutdown */
	END_DROPPED,  /* a goroutine, by shutdown: it never runs again */
	END_EXPIRED,  /* the deadline of a scope came */
	END_SCOPED,   /* it has not ended, and scopes may end it, too */
	END_MASK = 7,
};
enum { CLAIM_STEP = END_MASK + 1 };

/*
 * PROTOCOL claim
 *   Words    claim: a number that rises by CLAIM_STEP with each wait, plus how that wait ended (END_NONE, END_SCOPED: it
 *            has not).
 *            A goroutine's word stands in its record, a plain thread's in its waiter.
 *   Owners   between waits the waiting side. While a wait is open and only one lock's holders can end it (shared is
 *            false): whoever holds that lock and took the waiter off its list. While it is open and others can (a timer,
 *            another channel of a select, a scope, a plain thread that gives up): whoever wins the CAS from "open" to
 *            the same number with its ending. The winner writes the waiter's slots, readies it last and never touches it again; a loser
 *            takes nothing and goes to the next.
 *   Steps    begin: word = word + CLAIM_STEP with END_NONE, before the waiter is put on any list.
 *            claim: as above. end: the waiting side, running again, takes itself off every list it is still on.
 *   Pairs    the lists' locks and the run queues carry what the winner wrote to the waiter; the CAS itself is relaxed.
 *   Relaxed  all accesses: the word decides only who goes on; a stale "open" fails the CAS.
 *   Reuse    a timer entry may outlive the wait it was made for: it holds (g, open), records are never unmapped while
 *            the runtime runs, and a number does not come back: 61 bits, and a record used again after its memory was
 *            given back starts at a multiple of 2^40 that no other used (16 million such, 2^37 waits each).
 *   Rejected a timer taken out of its heap at every wait that ended early: a lock and a sift where a compare will do.
 *   Checked  tests/model/claim.c, tests/stress/until.c, mix.c
 */
struct waiter {
	struct g *g;		 /* NULL: a plain thread */
	_Atomic uint64_t *claim; /* &g->claim or &own */
	uint64_t open;		 /* the word while this wait is open */
	int won;		 /* case that ended it, written by the winner */
	uint16_t nnodes;
	uint8_t kind;	     /* enum wait_kind: how shutdown takes it off its lists */
	bool shared;	     /* more than one lock's holders can end it */
	struct wnode *nodes; /* its places on lists */

	/* a plain thread's, nobody touches them in a goroutine's */
	_Atomic uint64_t own;  /* claim word */
	_Atomic uint32_t note; /* futex word: PROTOCOL plain in rt/plain.c */
	struct list link;      /* of waiting plain threads */
};

enum wait_kind {
	KIND_SLEEP, /* or anything else that is on no list */
	KIND_CHAN,
	KIND_WAITGROUP,
	KIND_QUEUE,
	KIND_MUTEX,
	KIND_RWLOCK,
};

/* A place on one object's list, under that object's lock but for the first three words, which are fixed while queued. */
struct wnode {
	struct waiter *w;
	void *elem;		   /* where a value comes from or goes to */
	void *obj;		   /* the channel or wait group */
	struct wnode *next, *prev; /* NULL at the ends */
	uint16_t index;		   /* case number */
	bool send;
	bool queued;
	bool closed; /* written by the winner: ended by close, not by a value */
};

/* Before the waiter is put anywhere. */
static inline void grt_waiter_begin(struct waiter *w, struct g *g)
{
	_Atomic uint64_t *claim = &w->own;
	uint64_t open = CLAIM_STEP;

	w->g = g;
	if (GRT_LIKELY(g)) {
		claim = &g->claim;
		open = (grt_load(&g->claim) & ~(uint64_t)END_MASK) + CLAIM_STEP;
		w->shared = false;
	} else {
		w->shared = true; /* it keeps its own time, and may be canceled */
		grt_store(&w->note, 0);
	}
	w->claim = claim;
	w->open = open;
	grt_store(claim, open);
}

static inline bool grt_claim_word(_Atomic uint64_t *claim, uint64_t open, enum ending how)
{
	return atomic_compare_exchange_strong_explicit(claim, &open,
						       (open & ~(uint64_t)END_MASK) | how,
						       memory_order_relaxed, memory_order_relaxed);
}

/* By the holder of the lock that w was found under: true if this wait is now ended, and w is the caller's to ready. */
static inline bool grt_waiter_claim(struct waiter *w, enum ending how)
{
	if (GRT_UNLIKELY(w->shared))
		return grt_claim_word(w->claim, w->open, how);
	grt_store(w->claim, w->open | how);
	return true;
}

static inline enum ending grt_waiter_ending(struct waiter *w)
{
	return (enum ending)(grt_load(w->claim) & END_MASK);
}

static inline bool grt_claim_is_open(uint64_t claim)
{
	return (claim & END_MASK) == END_NONE || (claim & END_MASK) == END_SCOPED;
}

#endif
