/* go.c - go with 0 to 6 arguments: each arrives converted as in a call, once, in its place. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 */
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

static goru_waitgroup wg;
static _Atomic int ran;

static void done(void)
{
	atomic_fetch_add(&ran, 1);
	goru_waitgroup_done(&wg);
}

static void before(int n)
{
	atomic_store(&ran, 0);
	goru_waitgroup_add(&wg, n);
}

static void after(int n)
{
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(atomic_load(&ran), n);
}

static void f0(void)
{
	done();
}

static void f1(int a)
{
	CHECK_EQ(a, 1);
	done();
}

static void f2(int a, long b)
{
	CHECK(a == 1 && b == 2);
	done();
}

static void f3(int a, long b, char c)
{
	CHECK(a == 1 && b == 2 && c == 3);
	done();
}

static void f4(int a, long b, char c, unsigned d)
{
	CHECK(a == 1 && b == 2 && c == 3 && d == 4);
	done();
}

static void f5(int a, long b, char c, unsigned d, short e)
{
	CHECK(a == 1 && b == 2 && c == 3 && d == 4 && e == 5);
	done();
}

static void f6(int a, long b, char c, unsigned d, short e, uint64_t f)
{
	CHECK(a == 1 && b == 2 && c == 3 && d == 4 && e == 5 && f == 6);
	done();
}

static void arguments_0_to_6(void)
{
	before(7);
	CHECK_EQ(go(f0), 0);
	CHECK_EQ(go(f1, 1), 0);
	CHECK_EQ(go(f2, 1, 2), 0);
	CHECK_EQ(go(f3, 1, 2, 3), 0);
	CHECK_EQ(go(f4, 1, 2, 3, 4), 0);
	CHECK_EQ(go(f5, 1, 2, 3, 4, 5), 0);
	CHECK_EQ(GORU_GO(f6, 1, 2, 3, 4, 5, 6), 0);
	after(7);
}

static void extremes(int8_t a, uint8_t b, int32_t c, uint32_t d, int64_t e, uint64_t f)
{
	CHECK_EQ(a, INT8_MIN);
	CHECK_EQ(b, UINT8_MAX);
	CHECK_EQ(c, INT32_MIN);
	CHECK(d == UINT32_MAX);
	CHECK(e == INT64_MIN);
	CHECK(f == UINT64_MAX);
	done();
}

/* What a narrow parameter holds above its own bits is the callee's to ignore, or the caller's to clear: both are seen
 * to when it is widened here. */
static void widened(short a, unsigned short b, signed char c, unsigned char d)
{
	CHECK_EQ((long long)a, -2);
	CHECK_EQ((long long)b, 65534);
	CHECK_EQ((long long)c, -3);
	CHECK_EQ((long long)d, 253);
	done();
}

static void narrow_and_wide(void)
{
	int minus = -2;
	long big = 0x123456789abcfffd;

	before(2);
	CHECK_EQ(go(extremes, INT8_MIN, UINT8_MAX, INT32_MIN, UINT32_MAX, INT64_MIN, UINT64_MAX),
		 0);
	CHECK_EQ(go(widened, (short)minus, (unsigned short)minus, (signed char)big,
		    (unsigned char)big),
		 0);
	after(2);
}

enum color { RED = -7, GREEN = 1000000 };

static void kinds(enum color a, bool b, const char *c, void (*d)(void), enum color e, bool f)
{
	CHECK(a == RED && e == GREEN);
	CHECK(b && !f);
	CHECK(!strcmp(c, "text"));
	CHECK(d == f0);
	done();
}

static void enums_bools_pointers(void)
{
	before(1);
	CHECK_EQ(go(kinds, RED, 1 == 1, "text", f0, GREEN, false), 0);
	after(1);
}

static int gives_int(int a)
{
	done();
	return a;
}

struct two {
	long a, b;
};

static struct two gives_two(long a, long b)
{
	done();
	return (struct two){ a, b };
}

static void *gives_pointer(void *a)
{
	done();
	return a;
}

static void values_are_dropped(void)
{
	before(3);
	CHECK_EQ(go(gives_int, 3), 0);
	CHECK_EQ(go(gives_two, 3, 4), 0);
	CHECK_EQ(go(gives_pointer, &wg), 0);
	after(3);
}

static int evaluations;

static int once(int v)
{
	evaluations++;
	return v;
}

static void (*pick(void))(int, long)
{
	evaluations += 100;
	return f2;
}

static void evaluated_once_at_once(void)
{
	int i = 1;
	long j = 2;

	evaluations = 0;
	before(2);
	CHECK_EQ(go(pick(), once(1), once(2)), 0);
	CHECK_EQ(evaluations, 102);
	CHECK_EQ(go(f2, i, j), 0);
	i = j = 77; /* too late to be seen */
	after(2);
	CHECK_EQ(i, 77);
}

static void takes_pointer(void *p)
{
	CHECK(p == &wg);
	done();
}

static int inner_rc(int rc)
{
	return rc;
}

static void pointers_to_functions(void)
{
	void (*var)(int, long) = f2;
	void (*const table[])(void *) = { takes_pointer };

	before(5);
	CHECK_EQ(go(var, 1, 2), 0);
	CHECK_EQ(go(&f1, 1), 0);
	CHECK_EQ(go(table[0], &wg), 0);
	/* one go in another's arguments: the inner one is over before the outer arguments are kept */
	CHECK_EQ(go(f1, inner_rc(go(f0)) + 1), 0);
	after(5);
}

static void null_function_is_refused(void)
{
	void (*no)(int) = NULL;
	void (*plain)(void *) = NULL;

	CHECK_EQ(go(no, 1), -EINVAL);
	CHECK_EQ(go(plain, NULL), -EINVAL);
	CHECK_EQ(goru_go(NULL, NULL), -EINVAL);
	CHECK_EQ(goru_go_attr(NULL, NULL, NULL), -EINVAL);
	CHECK_EQ(goru_go_words_(NULL, NULL, 0), -EINVAL);
	CHECK_EQ(goru_go_words_(f0, NULL, 7), -EINVAL);
}

enum { MANY = 2000 };
static _Atomic char got[MANY];

static void number(int a, int b, int c, int d, int e, int i)
{
	CHECK(b == a + 1 && c == a + 2 && d == a + 3 && e == a + 4 && i == a);
	CHECK_EQ(atomic_fetch_add(&got[i], 1), 0);
	done();
}

static void spawner(int from, int to)
{
	for (int i = from; i < to; i++)
		CHECK_EQ(go(number, i, i + 1, i + 2, i + 3, i + 4, i), 0);
}

/* From several goroutines and a thread at once: words of one call never mix with those of another. */
static void many_at_once(void)
{
	memset((void *)got, 0, sizeof(got));
	before(MANY);
	CHECK_EQ(go(spawner, 0, MANY / 4), 0);
	CHECK_EQ(go(spawner, MANY / 4, MANY / 2), 0);
	spawner(MANY / 2, MANY);
	after(MANY);
}

static _Atomic uint64_t id_seen[64];

static void note_id(int i)
{
	atomic_store(&id_seen[i], goru_id());
	done();
}

static void ids_are_never_used_twice(void)
{
	before(64);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(go(note_id, i), 0);
	after(64);
	for (int i = 0; i < 64; i++) {
		CHECK(id_seen[i] > 0);
		for (int k = 0; k < i; k++)
			CHECK(id_seen[i] != id_seen[k]);
	}
}

static void waits_on(goru_chan *c)
{
	goru_chan_recv(c, NULL);
}

static void ends(void *arg)
{
	(void)arg;
	done();
}

/* What a goroutine was called is not what the next one in its place is called. */
static void names_end_with_their_goroutines(void)
{
	goru_attr a = { .name = "old" };
	goru_chan *c = goru_chan_make(0, 0);
	unsigned n = goru_procs();

	CHECK_EQ(goru_set_procs(1), 0); /* what has ended serves again at once */
	before(64);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(goru_go_attr(&a, ends, NULL), 0);
	after(64);
	UNTIL(test_alive() == 0);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(go(waits_on, c), 0);
	UNTIL(test_asleep() == 64);
	test_capture_begin();
	goru_dump(STDERR_FILENO);
	CHECK(!strstr(test_capture_end(), "(old)"));
	CHECK_EQ(goru_chan_close(c), 0);
	UNTIL(test_alive() == 0);
	goru_chan_unref(c);
	CHECK_EQ(goru_set_procs(n), 0);
}

TEST_MAIN(TEST_BOTH(arguments_0_to_6), TEST_BOTH(narrow_and_wide), TEST_BOTH(enums_bools_pointers),
	  TEST_BOTH(values_are_dropped), TEST_BOTH(evaluated_once_at_once),
	  TEST_BOTH(pointers_to_functions), TEST_BOTH(null_function_is_refused),
	  TEST_BOTH(many_at_once), TEST_BOTH(ids_are_never_used_twice),
	  TEST_BOTH(names_end_with_their_goroutines))
