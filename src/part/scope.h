/* scope.h - a scope's inside: who belongs to it, how it ended, and the walk that ends the waits of its members. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_PART_SCOPE_H
#define GRT_PART_SCOPE_H

#include <errno.h>

#include "base/spin.h"
#include "part/alarm.h"
#include "part/waiter.h"

/*
 * PROTOCOL scope
 *   Words    state: END_NONE, or how it ended (END_CANCELED, END_EXPIRED), set once while it is open; SCOPE_WALKED beside
 *            it, set once: the waits of its members are being ended, by who set it.
 *            walks: how many such walks there are, of all scopes.
 *            holds: who is no child and will touch it yet: its alarm until it is stopped or has ended the scope, a walk
 *            that has marked it and not yet been there.
 *            claim (PROTOCOL claim): END_SCOPED says "open, and scopes may end it".
 *            g.scoped, scope, shield, nopen: the goroutine's own. g.sibling, the lists, closer, self: under lock; a scope's
 *            place among the kids of its parent: under the parent's lock. opener, parent, deadline: fixed while open.
 *   Owners   the memory is the opener's, until its close returns. holds + 1: under the lock of the scope or of its parent.
 *            Members of a scope are its opener, from open to close; its children, from go to their end; those of the
 *            scopes under it. A goroutine that opens one stays the child of the scope that it is the child of.
 *   Steps    ask (each call that may wait, first of all): g.scoped; then the state of the innermost scope, while there are
 *            walks of all around it, and the clock if it has a deadline. What was answered once stays: the state is set.
 *            wait: claim = open, END_SCOPED; look at the states again; ended: CAS the claim word oneself. Lost: park, one is
 *            made ready. Else queue and park as always.
 *            end (cancel, fail, the alarm): walks + 1; mark the scope: CAS state, with SCOPE_WALKED; hold it.
 *            walk, a part at a time under the scope's lock: its kids are marked, held, and visited later; the claim words
 *            of opener and children are CASed from END_SCOPED to the scope's ending, and the winner readies them, without
 *            the lock. Through with it: holds - 1. Through with all: walks - 1.
 *            go: lock; closed: refused; else the child is put among the children. end of a child: lock, off the list.
 *            close: lock; wait until there are no children; self = NULL: none comes any more; off the parent's list; stop
 *            the alarm; wait until holds is 0. Both waits are ended under the lock by who makes it so, by nothing else.
 *   Pairs    A mark: state release -> B ask: state acquire   who has seen a scope ended, and all he tells, sees walks
 *            C walk's end: walks release -> D ask: walks acquire   all that is under an ended scope is marked
 *            The lock's: what children did is over when close returns; the last touch of a scope is its unlock.
 *   Fence    "has it ended" and "does he wait" (F): a member that begins to wait stores its claim word, then reads the
 *            states; a walk has stored the state, then reads the claim words. Who came onto a list too late for the
 *            walk has not begun to wait: the lock shows him the state.
 *   Relaxed  a state that is stale in ask: no call that came after the end.
 *   Reuse    state, holds and walks of a scope opened again: close has waited for all who hold it. The number of a claim
 *            word does not come back.
 *   Rejected "cancelled" as a byte in each goroutine: open, close, shields and walks would all have to write it.
 *            One lock a tree: children of different connections would meet in it. Locks held from the root down to where
 *            the walk is: as deep as the program likes. Recursion: the same. Entries in the timer heap for the members'
 *            waits instead of an alarm: one for each wait.
 *   Checked  tests/model/scope.c, tests/api/scope.c, tests/api/scope_calls.c, tests/stress/scope.c
 */
enum { SCOPE_WALKED = END_MASK + 1 };

struct scope {
	/* read by each wait of its members, and hardly ever written */
	_Atomic uint32_t state;
	int error;	    /* the first that was given to fail; under lock */
	struct scope *self; /* while it is open; else NULL */
	struct g *opener;
	struct scope *parent;
	int64_t deadline; /* the earliest of its own and those around it */
	struct armed armed;

	struct spin lock;
	_Atomic uint32_t holds;
	struct waiter *closer;
	struct list children, unseen; /* unseen: by the walk that is here */
	struct list kids, unseen_kids;
	struct list sibling; /* a ring of its own: in no parent's list */
	struct scope *next;  /* of the same walk */
	bool visited;
};

/* A scope that opener begins to open, with its deadline. How it has ended already: the deadline is past, or those around
 * it have ended. */
enum ending grt_scope_init(struct scope *s, struct g *opener, int64_t deadline);

/* What follows is called with the scope not locked. A goroutine that is returned is the caller's to ready: it waits to
 * close the scope, and need not wait any longer. */

/* It has a parent, whose end is its own from now on. */
void grt_scope_link(struct scope *s);
void grt_scope_unlink(struct scope *s);

/* False: it is not open. */
bool grt_scope_add(struct scope *s, struct g *child);

/* The child is none any more. */
struct g *grt_scope_leave(struct g *child);

void grt_scope_lock(struct scope *s);

/* Under the lock: may close go on? */
bool grt_scope_done(const struct scope *s);

/* How s ended, by the words: the clock is not asked. END_NONE: it has not. */
enum ending grt_scope_ended(const struct scope *s);

/* What scopes say to a call of g's that may wait: 0, -ECANCELED, -ETIMEDOUT. g.scoped is set, or s is g's to close. */
int grt_scope_ask(struct scope *s);

struct scope_walk {
	struct scope *first;
	int64_t now;
};

/* Ends s. 1: and the walk is the caller's, to be gone on with until it says false; 0: it had ended before; -EINVAL: it is
 * not open. error: for its close; 0: none. */
int grt_scope_end(struct scope_walk *k, struct scope *s, int error);

/* By its alarm, which holds it and is over then. True: the walk is the caller's. Goroutines to be readied go onto out. */
bool grt_scope_expire(struct scope_walk *k, struct scope *s, struct glist *out);

/* Goes on with the walk for some dozens of members; those whose waits have ended go onto out. */
bool grt_scope_walk(struct scope_walk *k, struct glist *out);

/* In the child of a fork: the walks that were under way are nobody's. */
void grt_scopes_forked(void);

/* By shutdown, which drops g: what it has opened is not open any more. */
void grt_scope_drop(struct g *g);

#endif
