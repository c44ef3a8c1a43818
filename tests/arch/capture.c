/* capture.c - goru_capture_ keeps six words as any function would find them, for the very next call. */
/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "test.h"

#include "rt/self.h"

typedef void six(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t);

static uintptr_t got[6];
static goru_waitgroup wg;

/* Out of an asm: the compiler does not know that the types do not match. */
static void (*hidden(void (*fn)(void)))(void)
{
	__asm__("" : "+r"(fn));
	return fn;
}

static void note(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f)
{
	const uintptr_t all[] = { a, b, c, d, e, f };

	memcpy(got, all, sizeof(got));
	goru_waitgroup_done(&wg);
}

static void keeps_six_words(void)
{
	static const uintptr_t want[6] = { 1, UINT64_MAX,	  (uintptr_t)1 << 63,
					   0, 0x123456789abcdef0, 42 };
	six *capture = (six *)hidden(goru_capture_);

	capture(want[0], want[1], want[2], want[3], want[4], want[5]);
	CHECK(!memcmp(grt_tls_words, want, sizeof(want)));
	memset(got, 0, sizeof(got));
	goru_waitgroup_add(&wg, 1);
	capture(want[0], want[1], want[2], want[3], want[4], want[5]);
	CHECK_EQ(goru_go_captured_((void (*)(void))note), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK(!memcmp(got, want, sizeof(want)));
}

static _Atomic int turn;

static void other_thread(void)
{
	six *capture = (six *)hidden(goru_capture_);

	capture(9, 9, 9, 9, 9, 9);
	atomic_store(&turn, 1);
}

/* They are the thread's own. */
static void threads_do_not_mix(void)
{
	six *capture = (six *)hidden(goru_capture_);
	pthread_t t;

	capture(1, 2, 3, 4, 5, 6);
	test_thread(&t, other_thread);
	test_join(t);
	CHECK_EQ(atomic_load(&turn), 1);
	for (uintptr_t i = 0; i < 6; i++)
		CHECK_EQ(grt_tls_words[i], i + 1);
}

/* Words given as such, fewer than six too. */
static void words(void)
{
	const uintptr_t in[] = { 11, 12, 13, 14, 15, 16 };

	for (unsigned n = 0; n <= 6; n++) {
		memset(got, 0, sizeof(got));
		goru_waitgroup_add(&wg, 1);
		CHECK_EQ(goru_go_words_((void (*)(void))note, in, n), 0);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		for (unsigned i = 0; i < n; i++)
			CHECK_EQ(got[i], 11 + i);
	}
}

TEST_MAIN(TEST(keeps_six_words), TEST(threads_do_not_mix), TEST_BOTH(words))
