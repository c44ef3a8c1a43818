/* errno.c - goru/errno.h: errno in a function that waits, with the header and without, on another thread each time. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,2,16 env=GORU_DEBUG=migrate=1 */
#include <unistd.h>

#include "test.h"

struct seen {
	int *address;	       /* of errno after the wait, as the function knows it */
	int *now;	       /* as it is */
	int *before;	       /* as it was, before the wait */
	int set, after_a_call; /* values: set before the wait; of a call that failed after it */
};

static __attribute__((noinline)) int *errno_now(void)
{
	__asm__ volatile("" : : : "memory");
	return &errno;
}

/* As programs are: errno is used, there is a wait, and errno is used again. */
#define USES_ERRNO(name)                                                                           \
	static __attribute__((noinline)) void name(struct seen *s)                                 \
	{                                                                                          \
		s->before = &errno;                                                                \
		errno = 4711;                                                                      \
		goru_yield();                                                                      \
		s->set = errno;                                                                    \
		errno = 0;                                                                         \
		if (close(-1) < 0)                                                                 \
			s->after_a_call = errno;                                                   \
		s->address = &errno;                                                               \
		s->now = errno_now();                                                              \
	}

USES_ERRNO(with_libc)
#include "goru/errno.h"
USES_ERRNO(with_goru)

/* The compiler's doing, not ours: only where it kept the address there is something to see. */
static void is_wrong_without(void)
{
	struct seen s = { 0 };

	with_libc(&s);
	CHECK(s.now != s.before);
	if (s.address == s.now)
		return;
	CHECK(s.address == s.before);
	CHECK(s.after_a_call != EBADF);
}

static void is_right_with(void)
{
	struct seen s = { 0 };

	for (int i = 0; i < 100; i++) {
		with_goru(&s);
		CHECK(s.now != s.before && s.address == s.now);
		CHECK_EQ(s.set, 4711);
		CHECK_EQ(s.after_a_call, EBADF);
	}
}

static void is_the_libc_s(void)
{
	CHECK(&errno == errno_now());
	CHECK(&errno == goru_errno_location());
	errno = 7;
	CHECK_EQ(*errno_now(), 7);
}

/* The threads of the runtime are there when one of them is idle. */
static void starts(void)
{
	goru_stats st;

	CHECK_EQ(goru_init(NULL), 0);
	UNTIL(goru_stats_get(&st) == 0 && st.threads_idle == st.threads && st.threads > st.procs);
}

TEST_MAIN(TEST(starts), TEST_BOTH(is_the_libc_s), TEST_GO(is_wrong_without), TEST_GO(is_right_with))
