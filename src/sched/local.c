/* local.c - values of a goroutine's or plain thread's own, by key. */
/* SPDX-License-Identifier: MIT */
/*
 * PROTOCOL local
 *   Words    K.key[i].seq: rises with each creation and deletion; odd while key i exists. K.key[i].destructor. A value
 *            carries the number under which it was set, and the destructor.
 *   Owners   K: the holder of K.lock writes, anyone reads. Values: their goroutine or thread.
 *   Steps    create: destructor, then seq + 1. delete: seq + 1. set: read seq, then the destructor; store all three.
 *            get: the value, if its number is the key's. end: each value whose number is still the key's is destroyed.
 *   Relaxed  all of K: a number can only tell to leave a value alone. Whoever has a key was told of it by its creator in
 *            some way that orders memory, so he sees that creation or something later; later means deleted, and then
 *            the value set with what he read is nobody's, whichever destructor stands there. That an end sees a deletion
 *            which happened before it is coherence.
 *   Fence    none: nobody asks whether another is there.
 *   Reuse    numbers have 64 bits and do not come back; the key has room for 22 of them: one that was deleted 4 million
 *            creations ago may name another.
 *   Rejected a lock at an end: every goroutine with a value would take it.
 *   Checked  tests/unit/local.c, tests/stress/task.c
 */
#include "sched/local.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/spin.h"
#include "goru.h"
#include "os/os.h"
#include "rt/self.h"

enum { KEYS = 1024, KEY_BITS = 10, SEQ_BITS = 22, ROUNDS = 4, FIRST = 8 };

/* Even: no key exists. In checks builds close to where a key has no room for more of it. */
#define SEQ_START (GRT_CHECKS_ON ? (UINT64_C(2) << SEQ_BITS) - 4 : 0)

typedef void destructor_fn(void *);

struct local {
	void *value;
	uint64_t seq;
	destructor_fn *destructor;
};

struct locals {
	uint32_t n;
	uint32_t round; /* of destructors; one that calls goru_exit does not begin anew */
	struct local at[];
};

/* The keys outlive the runtime. */
static struct {
	struct spin lock; /* for writers */
	struct {
		_Atomic uint64_t seq;
		destructor_fn *_Atomic destructor;
	} key[KEYS];
} K = { .lock = GRT_SPIN(LOCK_KEYS), .key = { [0 ... KEYS - 1] = { .seq = SEQ_START } } };

/* A plain thread's values, and what calls us when it ends. */
static __thread struct locals *thread_locals;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static bool thread_key_made;

static unsigned key_of(unsigned i, uint64_t seq)
{
	return (unsigned)(seq >> 1) << KEY_BITS | i;
}

/* The number under which key exists; 0: it does not. */
GRT_INLINE uint64_t seq_of(goru_local_key key)
{
	uint64_t seq = grt_load(&K.key[key % KEYS].seq);

	return GRT_LIKELY(seq & 1 && key_of(key % KEYS, seq) == key) ? seq : 0;
}

/* Where the values of whoever calls hang. */
GRT_INLINE struct locals **locals_of(struct g *g)
{
	return GRT_LIKELY(g) ? &g->locals : &thread_locals;
}

GRT_INLINE struct g *calling(void)
{
	struct m *m = grt_arch_self();

	if (GRT_LIKELY(m))
		return m->curg;
	grt_not_forked();
	return NULL;
}

GRT_PUBLIC int goru_local_create(goru_local_key *key, void (*destructor)(void *))
{
	int rc = -EAGAIN;

	if (!key)
		return -EINVAL;
	grt_not_forked();
	grt_spin_lock(&K.lock);
	for (unsigned i = 0; i < KEYS; i++) {
		uint64_t seq = grt_load(&K.key[i].seq);

		if (seq & 1)
			continue;
		seq++;
		if (key_of(i, seq) >> KEY_BITS == 0) /* so that 0 is never a key */
			seq += 2;
		grt_store(&K.key[i].destructor, destructor);
		grt_store(&K.key[i].seq, seq);
		*key = key_of(i, seq);
		rc = 0;
		break;
	}
	grt_spin_unlock(&K.lock);
	return rc;
}

GRT_PUBLIC int goru_local_delete(goru_local_key key)
{
	uint64_t seq;

	grt_not_forked();
	grt_spin_lock(&K.lock);
	seq = seq_of(key);
	if (seq)
		grt_store(&K.key[key % KEYS].seq, seq + 1);
	grt_spin_unlock(&K.lock);
	return seq ? 0 : -EINVAL;
}

GRT_PUBLIC void *goru_local_get(goru_local_key key)
{
	struct locals *l = *locals_of(calling());
	unsigned i = key % KEYS;

	if (!l || i >= l->n)
		return NULL;
	return l->at[i].seq == seq_of(key) ? l->at[i].value : NULL;
}

/* Every value that is left, as often as destructors leave new ones. Nobody else changes *l, but a destructor may. */
static void destroy(struct locals **l)
{
	bool again = true;

	while (again && (*l)->round++ < ROUNDS) {
		again = false;
		for (uint32_t i = 0; i < (*l)->n; i++) {
			struct local v = (*l)->at[i];

			(*l)->at[i].value = NULL;
			if (!v.value || !v.destructor || grt_load(&K.key[i].seq) != v.seq)
				continue;
			v.destructor(v.value);
			again = true;
		}
	}
	free(*l);
	*l = NULL;
}

static void thread_ends(void *l)
{
	destroy(l);
}

static void make_thread_key(void)
{
	grt_os_stay_loaded();
	thread_key_made = pthread_key_create(&thread_key, thread_ends) == 0;
}

/* Whoever calls has no values yet: somebody has to hear of its end. */
static int begin(struct g *g)
{
	if (g) {
		g->flags |= G_LOCALS;
		return 0;
	}
	pthread_once(&thread_once, make_thread_key);
	return thread_key_made && !pthread_setspecific(thread_key, &thread_locals) ? 0 : -ENOMEM;
}

static GRT_NOINLINE int grow(struct g *g, unsigned i)
{
	struct locals **l = locals_of(g), *bigger;
	uint32_t have = *l ? (*l)->n : 0, n = FIRST;
	int rc = 0;

	while (n <= i)
		n *= 2;
	bigger = realloc(*l, sizeof(*bigger) + n * sizeof(bigger->at[0]));
	if (!bigger)
		return -ENOMEM;
	for (uint32_t k = have; k < n; k++)
		bigger->at[k] = (struct local){ 0 };
	if (!*l) {
		bigger->round = 0;
		rc = begin(g);
	}
	if (rc < 0) {
		free(bigger);
		return rc;
	}
	bigger->n = n;
	*l = bigger;
	return 0;
}

GRT_PUBLIC int goru_local_set(goru_local_key key, void *value)
{
	struct g *g = calling();
	struct locals *l = *locals_of(g);
	uint64_t seq = seq_of(key);
	unsigned i = key % KEYS;

	if (!seq)
		return -EINVAL;
	if (!l || i >= l->n) {
		int rc = value ? grow(g, i) : 0;

		if (rc < 0 || !value)
			return rc;
		l = *locals_of(g);
	}
	l->at[i] = (struct local){ value, seq, grt_load(&K.key[i].destructor) };
	return 0;
}

void grt_locals_end(struct g *g)
{
	destroy(&g->locals);
	g->flags &= ~(uint32_t)G_LOCALS;
}

void grt_locals_drop(struct g *g)
{
	free(g->locals);
	g->locals = NULL;
}

void grt_locals_forked(void)
{
	K.lock = (struct spin)GRT_SPIN(LOCK_KEYS);
}
