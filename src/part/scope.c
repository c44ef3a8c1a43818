/* scope.c - scopes: their members, how they end, and the walk that ends the waits of all who are in them. */
/* SPDX-License-Identifier: MIT */
#include "part/scope.h"

#include "os/os.h"

enum {
	PART = 64, /* members or kids a walk looks at under one lock */
	FAR = 8,   /* that many further on is fetched meanwhile */
};

static struct {
	GRT_ALIGNED(GRT_CACHELINE) _Atomic uint32_t walks;
} W;

void grt_scopes_forked(void)
{
	grt_store(&W.walks, 0);
}

void grt_scope_lock(struct scope *s)
{
	uint32_t zero = 0;

	if (GRT_CHECKS_ON) /* the program's zeros have no rank yet */
		atomic_compare_exchange_strong_explicit(&s->lock.word, &zero,
							(uint32_t)LOCK_SCOPE << 1,
							memory_order_relaxed, memory_order_relaxed);
	grt_spin_lock(&s->lock);
}

/* Sets the ending if there is none yet, and walked. What the state was. */
static uint32_t settle(struct scope *s, enum ending how, uint32_t walked)
{
	uint32_t v = grt_load(&s->state);

	grt_chaos();
	while (!atomic_compare_exchange_weak_explicit(&s->state, &v,
						      (v & END_MASK ? v : v | how) | walked,
						      memory_order_release, /* scope.A */
						      memory_order_relaxed))
		;
	grt_chaos();
	return v;
}

enum ending grt_scope_ended(const struct scope *s)
{
	/* first: without walks what is under an ended scope has been marked, and is looked at after this */
	uint32_t walks = atomic_load_explicit(&W.walks, memory_order_acquire); /* scope.D */
	uint32_t e;

	do {
		grt_chaos();
		e = atomic_load_explicit(&s->state, memory_order_acquire) & /* scope.B */
		    END_MASK;
		s = s->parent;
	} while (GRT_LIKELY(!e) && GRT_UNLIKELY(walks) && s);
	return (enum ending)e;
}

static bool is_past(const struct scope *s)
{
	return GRT_UNLIKELY(s->deadline != INT64_MAX) && s->deadline <= grt_os_now();
}

int grt_scope_ask(struct scope *s)
{
	enum ending e = grt_scope_ended(s), was;

	if (GRT_LIKELY(!e)) {
		if (GRT_LIKELY(!is_past(s)))
			return 0;
		e = END_EXPIRED;
	}
	was = (enum ending)(grt_load(&s->state) & END_MASK);
	if (!was) /* by the clock, or those around it: it stays the answer */
		was = (enum ending)(settle(s, e, 0) & END_MASK);
	return (was ? was : e) == END_EXPIRED ? -ETIMEDOUT : -ECANCELED;
}

enum ending grt_scope_init(struct scope *s, struct g *opener, int64_t deadline)
{
	struct scope *parent = opener->scope;
	enum ending e;

	*s = (struct scope){
		.self = s,
		.opener = opener,
		.parent = parent,
		.deadline = parent && parent->deadline < deadline ? parent->deadline : deadline,
		.lock = GRT_SPIN(LOCK_SCOPE),
	};
	grt_list_init(&s->children);
	grt_list_init(&s->unseen);
	grt_list_init(&s->kids);
	grt_list_init(&s->unseen_kids);
	grt_list_init(&s->sibling);
	e = parent ? grt_scope_ended(parent) : END_NONE;
	if (!e && is_past(s))
		e = END_EXPIRED;
	if (e) /* nobody waits in it: there will be nothing to walk for */
		grt_store(&s->state, e | SCOPE_WALKED);
	return e;
}

void grt_scope_link(struct scope *s)
{
	struct scope *parent = s->parent;
	uint32_t e;

	grt_scope_lock(parent);
	e = grt_load(&parent->state) & END_MASK;
	if (GRT_LIKELY(!e))
		grt_list_push(&parent->kids, &s->sibling);
	grt_spin_unlock(&parent->lock);
	if (e)
		settle(s, e, SCOPE_WALKED);
}

void grt_scope_unlink(struct scope *s)
{
	grt_scope_lock(s->parent);
	grt_list_del(&s->sibling);
	grt_spin_unlock(&s->parent->lock);
}

bool grt_scope_add(struct scope *s, struct g *child)
{
	bool open;

	grt_scope_lock(s);
	open = s->self == s;
	if (GRT_LIKELY(open)) {
		child->scope = s;
		child->scoped = true;
		grt_list_push(&s->children, &child->sibling);
	}
	grt_spin_unlock(&s->lock);
	return open;
}

bool grt_scope_done(const struct scope *s)
{
	return grt_list_empty(&s->children) && grt_list_empty(&s->unseen) &&
	       (s->self || !grt_load(&s->holds));
}

/* Under the lock, which alone can end that wait. */
static struct g *closer_of(struct scope *s)
{
	struct waiter *w = s->closer;

	if (GRT_LIKELY(!w) || !grt_scope_done(s))
		return NULL;
	s->closer = NULL;
	grt_waiter_claim(w, END_READY);
	return w->g;
}

struct g *grt_scope_leave(struct g *child)
{
	struct scope *s = child->scope;
	struct g *closer;

	child->scope = NULL;
	child->scoped = false;
	grt_tsan_release(s);
	grt_scope_lock(s);
	grt_list_del(&child->sibling);
	closer = closer_of(s);
	grt_spin_unlock(&s->lock);
	return closer;
}

static struct g *release_locked(struct scope *s)
{
	atomic_fetch_sub_explicit(&s->holds, 1, memory_order_relaxed);
	return closer_of(s);
}

/* Under the lock of s or of its parent. False: somebody else walks there, or did. */
static bool mark(struct scope *s, enum ending how, int64_t now)
{
	if (grt_load(&s->state) & SCOPE_WALKED)
		return false;
	/* its deadline came first, although its alarm is late */
	if (s->deadline <= now)
		how = END_EXPIRED;
	return !(settle(s, how, SCOPE_WALKED) & SCOPE_WALKED);
}

static void begin(struct scope_walk *k)
{
	*k = (struct scope_walk){ .now = grt_os_now() };
	atomic_fetch_add_explicit(&W.walks, 1, memory_order_relaxed);
}

static void end(void)
{
	atomic_fetch_sub_explicit(&W.walks, 1, memory_order_release); /* scope.C */
}

int grt_scope_end(struct scope_walk *k, struct scope *s, int error)
{
	int rc = -EINVAL;

	begin(k);
	grt_scope_lock(s);
	if (s->self == s) {
		if (!s->error)
			s->error = error;
		rc = mark(s, END_CANCELED, k->now);
		if (rc) {
			atomic_fetch_add_explicit(&s->holds, 1, memory_order_relaxed);
			k->first = s;
		}
	}
	grt_spin_unlock(&s->lock);
	if (rc <= 0)
		end();
	return rc;
}

bool grt_scope_expire(struct scope_walk *k, struct scope *s, struct glist *out)
{
	struct g *closer = NULL;

	begin(k);
	grt_scope_lock(s);
	if (mark(s, END_EXPIRED, k->now))
		k->first = s;
	else
		closer = release_locked(s);
	grt_spin_unlock(&s->lock);
	if (closer)
		grt_glist_push(out, closer);
	if (!k->first)
		end();
	return k->first;
}

/* All of from to to, which is empty. */
static void move_all(struct list *to, struct list *from)
{
	if (grt_list_empty(from))
		return;
	*to = *from;
	to->next->prev = to->prev->next = to;
	grt_list_init(from);
}

/* If g waits, and scopes may end that. */
static void end_wait(struct g *g, enum ending how, struct glist *out)
{
	uint64_t open = grt_load(&g->claim);

	grt_chaos();
	if ((open & END_MASK) == END_SCOPED && grt_claim_word(&g->claim, open, how))
		grt_glist_push(out, g);
}

static uint32_t walk_kids(struct scope_walk *k, struct scope *s, enum ending how)
{
	uint32_t n = 0;

	for (; n < PART && !grt_list_empty(&s->unseen_kids); n++) {
		struct scope *kid = grt_list_first(&s->unseen_kids, struct scope, sibling);

		grt_list_del(&kid->sibling);
		grt_list_push(&s->kids, &kid->sibling);
		if (!mark(kid, how, k->now))
			continue;
		atomic_fetch_add_explicit(&kid->holds, 1, memory_order_relaxed);
		kid->next = s->next;
		s->next = kid;
	}
	return n;
}

/* Of very many children each is some cache misses and a TLB miss. Started in a row, their records stand at equal
 * distances: so the one that is further on is guessed. */
static void foresee(const struct g *g)
{
	const struct g *next = grt_container_of(g->sibling.next, struct g, sibling);
	uintptr_t far = (uintptr_t)g + FAR * ((uintptr_t)next - (uintptr_t)g);

	__builtin_prefetch((void *)(far + offsetof(struct g, sibling)), 1);
	__builtin_prefetch((void *)(far + offsetof(struct g, claim)), 1);
	__builtin_prefetch((void *)(far + offsetof(struct g, schedlink)), 1);
}

static void walk_children(struct scope *s, enum ending how, uint32_t n, struct glist *out)
{
	for (; n < PART && !grt_list_empty(&s->unseen); n++) {
		struct g *g = grt_list_first(&s->unseen, struct g, sibling);

		foresee(g);
		grt_list_del(&g->sibling);
		grt_list_push(&s->children, &g->sibling);
		end_wait(g, how, out);
	}
}

bool grt_scope_walk(struct scope_walk *k, struct glist *out)
{
	struct scope *s = k->first;
	struct g *closer = NULL;
	enum ending how;

	if (!s) {
		end();
		return false;
	}
	grt_scope_lock(s);
	how = (enum ending)(grt_load(&s->state) & END_MASK);
	if (!s->visited) {
		s->visited = true;
		move_all(&s->unseen, &s->children);
		move_all(&s->unseen_kids, &s->kids);
		atomic_thread_fence(memory_order_seq_cst); /* scope.F */
		end_wait(s->opener, how, out);
	}
	walk_children(s, how, walk_kids(k, s, how), out);
	if (grt_list_empty(&s->unseen) && grt_list_empty(&s->unseen_kids)) {
		k->first = s->next;
		closer = release_locked(s);
	}
	grt_spin_unlock(&s->lock);
	if (closer)
		grt_glist_push(out, closer);
	return true;
}

void grt_scope_drop(struct g *g)
{
	struct scope *s = g->scope;

	for (uint32_t n = g->nopen; n; n--, s = s->parent) {
		grt_scope_lock(s);
		s->self = NULL;
		grt_spin_unlock(&s->lock);
	}
}
