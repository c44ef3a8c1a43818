/* memory.c - the memory machine: words with all their values, views, plain memory, and the operations on them. */
/* SPDX-License-Identifier: MIT */
#include "explorer.h"

static void join(struct view *to, const struct view *from)
{
	for (int i = 0; i < X->nwords; i++)
		to->at[i] = to->at[i] > from->at[i] ? to->at[i] : from->at[i];
	for (int i = 0; i < 8; i++)
		to->clock[i] = to->clock[i] > from->clock[i] ? to->clock[i] : from->clock[i];
}

static void tick(struct thread *t)
{
	if (++t->now.clock[t - X->t] == 255)
		model_fail("too many releases");
}

static struct cell *cell_of(uint64_t addr)
{
	uint64_t a = addr & ~7ull;
	unsigned h = (unsigned)((a * 0x9e3779b97f4a7c15ull) >> 51) % (2 * CELLS);

	if (X->last_cell && X->last_cell->addr == a)
		return X->last_cell;
	for (; X->hash[h]; h = (h + 1) % (2 * CELLS))
		if (X->cell[X->hash[h] - 1].addr == a)
			return X->last_cell = &X->cell[X->hash[h] - 1];
	if (X->ncells == CELLS)
		model_fail("too much memory");
	X->cell[X->ncells].addr = a;
	X->hash[h] = (uint16_t)++X->ncells;
	return &X->cell[X->ncells - 1];
}

static uint64_t peek(uint64_t addr, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, (void *)addr, n);
	return v;
}

/* On somebody's stack, below his frames? */
static void check_live(uint64_t addr)
{
	for (int i = 0; i < X->nstacks; i++) {
		struct stack *s = &X->stack[i];

		if (addr >= s->lo && addr < s->hi && i != (int)ME->stack && addr < s->live)
			model_fail("touches %#llx, in a frame that is gone",
				   (unsigned long long)addr);
	}
}

static bool before(uint8_t thread, uint8_t clock)
{
	return clock <= ME->now.clock[thread];
}

static struct word *find_word(uint64_t addr)
{
	struct cell *c = cell_of(addr);

	if (!c->word[addr & 7]) {
		if (X->nwords == WORDS)
			model_fail("too many atomic words");
		c->word[addr & 7] = (uint8_t)++X->nwords;
		X->word[X->nwords - 1].addr = addr;
	}
	return &X->word[c->word[addr & 7] - 1];
}

/* The word, about to be accessed. */
static struct word *word_of(uint64_t addr, unsigned size)
{
	struct word *w = find_word(addr);
	struct cell *c = cell_of(addr);
	unsigned b = addr & 7;

	check_live(addr);
	for (unsigned i = b; i < b + size; i++) {
		if (c->dead[i])
			model_fail("touches %#llx, which was given back", (unsigned long long)addr);
		if (c->writer[i] && !before((uint8_t)(c->writer[i] - 1), c->wclock[i]))
			model_fail("atomic access to %#llx races with a plain store",
				   (unsigned long long)addr);
	}
	if (!w->n) {
		w->n = 1;
		w->size = (uint8_t)size;
		memset(&w->value[0], 0, sizeof(w->value[0]));
		w->value[0].v = peek(addr, size);
		memset(w->touched, 0, sizeof(w->touched));
		memset(w->guarded, 0, sizeof(w->guarded));
	}
	if (w->size != size)
		model_fail("%#llx is accessed in two sizes", (unsigned long long)addr);
	w->touched[X->cur] = ME->now.clock[X->cur];
	return w;
}

static int number(struct word *w)
{
	return (int)(w - X->word);
}

/* The memory of an atomic word is written plainly: it begins anew. */
static void forget(struct word *w)
{
	int n = number(w);

	w->n = 0;
	for (int i = 0; i < X->nthreads; i++)
		X->t[i].now.at[n] = X->t[i].acq.at[n] = X->t[i].rel.at[n] = 0;
	X->sc.at[n] = 0;
	for (int i = 0; i < X->nwords; i++)
		for (int k = 0; k < X->word[i].n; k++)
			X->word[i].value[k].rel.at[n] = 0;
}

static int guard_of(uint64_t addr)
{
	for (int i = 0; i < X->nguards; i++)
		if (addr >= X->guard[i].lo && addr < X->guard[i].hi)
			return i;
	return NOBODY;
}

static void read_value(struct word *w, int at, int mo)
{
	struct thread *t = ME;
	int n = number(w);

	if (t->now.at[n] < at)
		t->now.at[n] = (uint8_t)at;
	join(&t->acq, &w->value[at].rel);
	if (mo == ACQUIRE || mo == ACQ_REL || mo == SEQ_CST || mo == CONSUME)
		join(&t->now, &w->value[at].rel);
	t->last = n;
	t->last_at = at;
}

static void append(struct word *w, uint64_t v, int mo, const struct view *pass_on)
{
	struct thread *t = ME;
	int n = number(w);

	if (w->n == VALUES)
		model_fail("too many stores to one word");

	struct value *to = &w->value[w->n];
	bool release = mo == RELEASE || mo == ACQ_REL || mo == SEQ_CST;

	t->now.at[n] = w->n++;
	to->v = v;
	to->rmw = pass_on;
	to->rel = release ? t->now : t->rel;
	to->rel.at[n] = t->now.at[n];
	if (pass_on)
		join(&to->rel, pass_on);
	if (release)
		tick(t);
	memcpy((void *)w->addr, &v, w->size);
}

/* The first value after the one t loaded last that differs from it; 0: none yet. */
int x_changed(struct thread *t)
{
	struct word *w = &X->word[t->last];

	for (int i = t->last_at + 1; i < w->n; i++)
		if (w->value[i].v != w->value[t->last_at].v)
			return i;
	return 0;
}

void x_fence_of(struct thread *t, int mo)
{
	if (mo != RELEASE && mo != RELAXED)
		join(&t->now, &t->acq);
	if (mo == SEQ_CST) {
		for (int i = 0; i < X->nwords; i++) {
			if (X->sc.at[i] < t->now.at[i])
				X->sc.at[i] = t->now.at[i];
			t->now.at[i] = X->sc.at[i];
		}
	}
	if (mo == RELEASE || mo == ACQ_REL || mo == SEQ_CST) {
		t->rel = t->now;
		tick(t);
	}
}

uint64_t x_load(uint64_t addr, unsigned size, int mo, void *frame, void *pc)
{
	if (X->cur == NOBODY)
		return peek(addr, size);
	if (ME->impatient && X->word[ME->last].addr == addr)
		return X->word[ME->last].value[ME->last_at].v;
	x_others_first(find_word(addr), false, frame);

	struct thread *t = ME;
	struct word *w = word_of(addr, size);
	int n = number(w), newer, guard = guard_of(addr);

	if (mo == SEQ_CST)
		x_fence_of(t, mo);

	newer = w->n - t->now.at[n];
	if (X->model->old && X->old >= X->model->old)
		newer = 1;
	if (newer > 1)
		x_known_here(frame);
	newer = model_choose(newer);
	X->old += newer > 0;
	read_value(w, w->n - 1 - newer, mo);
	if (guard != NOBODY) {
		t->pending[n / 64 % 2] |= 1ull << (n % 64);
		if (n >= 128)
			model_fail("guarded word number %d", n);
		t->pend_clock = t->now.clock[X->cur];
	}
	x_record("load", addr, w->value[w->n - 1 - newer].v, 0, newer, pc);
	return w->value[w->n - 1 - newer].v;
}

void x_store(uint64_t addr, unsigned size, uint64_t v, int mo, void *frame, void *pc)
{
	if (X->cur == NOBODY) {
		memcpy((void *)addr, &v, size);
		return;
	}
	x_others_first(find_word(addr), true, frame);

	struct word *w = word_of(addr, size);

	x_record("store", addr, v, 0, 0, pc);
	for (int i = ME->now.at[number(w)] + 1; i < w->n; i++)
		if (!w->value[i].rmw && !w->unordered)
			model_fail("two stores to %#llx without order", (unsigned long long)addr);
	for (int i = 0; i < X->nthreads; i++)
		if (i != X->cur && w->guarded[i] && !before((uint8_t)i, w->guarded[i]))
			model_fail("%#llx is stored before thread %d has read it",
				   (unsigned long long)addr, i);
	append(w, v, mo, NULL);
	if (mo == SEQ_CST)
		x_fence_of(ME, mo);
}

/* Guarded loads count if the word they were read for was still the same. */
static void settle(uint64_t addr, bool won)
{
	struct thread *t = ME;

	for (int i = 0; i < X->nguards; i++) {
		if (X->guard[i].word != addr)
			continue;
		for (int n = 0; won && n < 128; n++)
			if (t->pending[n / 64] >> (n % 64) & 1)
				X->word[n].guarded[X->cur] = t->pend_clock;
		t->pending[0] = t->pending[1] = 0;
	}
}

uint64_t x_rmw(uint64_t addr, unsigned size, enum rmw op, uint64_t arg, int mo, void *frame,
	       void *pc)
{
	bool alone = X->cur == NOBODY;
	struct word *w = NULL;

	if (!alone) {
		x_others_first(find_word(addr), true, frame);
		w = word_of(addr, size);
	}

	uint64_t old = alone ? peek(addr, size) : w->value[w->n - 1].v;
	uint64_t v = op == XCHG ? arg :
		     op == ADD	? old + arg :
		     op == SUB	? old - arg :
		     op == AND	? (old & arg) :
		     op == OR	? (old | arg) :
		     op == XOR	? (old ^ arg) :
				  ~(old & arg);

	if (size < 8)
		v &= (1ull << (8 * size)) - 1;
	if (alone) {
		memcpy((void *)addr, &v, size);
		return old;
	}
	x_record("rmw", addr, old, v, 0, pc);
	read_value(w, w->n - 1, mo);
	append(w, v, mo, &w->value[w->n - 1].rel);
	return old;
}

bool x_cas(uint64_t addr, unsigned size, uint64_t *expect, uint64_t v, int mo, int fail_mo,
	   void *frame, void *pc)
{
	if (X->cur == NOBODY) {
		uint64_t old = peek(addr, size);

		if (old == *expect)
			memcpy((void *)addr, &v, size);
		else
			*expect = old;
		return old == *expect;
	}
	bool dirty = ME->dirty;

	x_others_first(find_word(addr), true, frame);

	struct word *w = word_of(addr, size);
	int option[VALUES], n = 0, at;

	/* it fails as a load may; it succeeds on the newest value only */
	for (int i = w->n - 1; i >= ME->now.at[number(w)]; i--)
		if (i == w->n - 1 || w->value[i].v != *expect)
			option[n++] = i;
	if (X->model->old && X->old >= X->model->old)
		n = 1;
	if (n > 1)
		x_known_here(frame);
	at = option[model_choose(n)];
	X->old += at != w->n - 1;

	uint64_t old = w->value[at].v;
	bool won = old == *expect;

	settle(addr, won);
	if (!won) {
		ME->dirty = dirty && !w->shared; /* no more than a load */
		x_record("cas lost", addr, old, 0, w->n - 1 - at, pc);
		read_value(w, at, fail_mo);
		*expect = old;
		return false;
	}
	x_record("cas", addr, old, v, 0, pc);
	read_value(w, at, mo);
	append(w, v, mo, &w->value[at].rel);
	return true;
}

void x_fence(int mo, void *frame, void *pc)
{
	if (X->cur == NOBODY)
		return;
	if (mo == SEQ_CST)
		x_others_first(NULL, true, frame);
	x_record("fence", 0, (uint64_t)mo, 0, 0, pc);
	x_fence_of(ME, mo);
}

/* A race is between two accesses that nothing orders, one of them a store. */
void x_plain(uint64_t addr, size_t n, bool store, void *pc)
{
	if (X->cur == NOBODY)
		return;
	struct cell *c = NULL;

	for (uint64_t a = addr; a < addr + n; a++) {
		unsigned b = a & 7;

		if (!c || !b)
			c = cell_of(a);
		if (c->word[b] && store) {
			struct word *w = &X->word[c->word[b] - 1];

			for (int i = 0; w->n && i < X->nthreads; i++) {
				if (w->touched[i] && !before((uint8_t)i, w->touched[i])) {
					x_record("write", addr, n, 0, 0, pc);
					model_fail(
						"plain store races with an atomic access of thread %d",
						i);
				}
			}
			if (w->n)
				forget(w);
		}

		bool race = c->writer[b] && !before((uint8_t)(c->writer[b] - 1), c->wclock[b]);

		for (int i = 0; store && i < X->nthreads; i++)
			race |= c->rclock[i][b] && !before((uint8_t)i, c->rclock[i][b]);
		if (race || c->dead[b])
			x_record(store ? "write" : "read", addr, n, 0, 0, pc);
		if (c->dead[b])
			model_fail("touches %#llx, which was given back", (unsigned long long)a);
		if (race)
			model_fail("data race on %#llx", (unsigned long long)a);
		if (store) {
			c->writer[b] = (uint8_t)(X->cur + 1);
			c->wclock[b] = ME->now.clock[X->cur];
			for (int i = 0; i < X->nthreads; i++)
				c->rclock[i][b] = 0;
		} else {
			c->rclock[X->cur][b] = ME->now.clock[X->cur];
		}
	}
	check_live(addr);
}

void model_dead(const void *p, size_t n)
{
	x_plain((uintptr_t)p, n, true, __builtin_return_address(0));
	for (uint64_t a = (uintptr_t)p; a < (uintptr_t)p + n; a++)
		cell_of(a)->dead[a & 7] = 1;
}

void model_guard(const void *p, size_t n, const void *word)
{
	X->guard[X->nguards].lo = (uintptr_t)p;
	X->guard[X->nguards].hi = (uintptr_t)p + n;
	X->guard[X->nguards++].word = (uintptr_t)word;
}

void model_unordered(const void *word)
{
	find_word((uintptr_t)word)->unordered = true;
}
