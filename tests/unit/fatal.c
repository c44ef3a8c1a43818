/* fatal.c - one line in one write, a prefix, the dump once, abort. */
/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "base/fatal.h"

static void warns(void)
{
	grt_warn("%s is %d", "it", 3);
	grt_line(STDERR_FILENO, "and %c", 'x');
}

static void warning_has_its_prefix(void)
{
	CHECK_LIVES(warns, "goru: it is 3\nand x\n");
}

static void dies(void)
{
	grt_fatal("the %s of %d things", "end", 7);
}

static void fatal_aborts_after_line_and_dump(void)
{
	static struct test_end c;

	test_child(dies, &c);
	CHECK(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGABRT);
	CHECK(!strcmp(c.err, "goru: fatal: the end of 7 things\nno goroutines\n"));
}

static char many[2000];

/* However long: a line stays a line, and is cut. */
static void long_lines_are_cut(void)
{
	int fd[2];
	char got[4000];
	ssize_t n;

	memset(many, 'y', sizeof(many) - 1);
	for (size_t want = 500; want < 520; want++) {
		if (pipe(fd))
			abort();
		many[want] = '\0';
		grt_line(fd[1], "%s", many);
		many[want] = 'y';
		close(fd[1]);
		n = read(fd[0], got, sizeof(got));
		CHECK_EQ(n, want + 1 < 511 ? want + 1 : 511);
		CHECK(n > 0 && got[n - 1] == '\n');
		CHECK(n > 1 && !memchr(got, '\0', (size_t)n) &&
		      memchr(got, '\n', (size_t)n) == got + n - 1);
		close(fd[0]);
	}
}

static void broken(void)
{
	GRT_CHECK(1 + 1 == 2);
	GRT_CHECK(1 + 1 == 3);
}

static void invariant_names_itself(void)
{
	static struct test_end c;

	test_child(broken, &c);
	CHECK(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGABRT);
	CHECK(strstr(c.err, "goru: fatal: ") == c.err);
	CHECK(strstr(c.err, "fatal.c:") && strstr(c.err, ": invariant broken: 1 + 1 == 3\n"));
}

static void asserts(void)
{
	GRT_ASSERT(1 + 1 == 3);
}

/* In checks builds only. */
static void assert_depends_on_the_build(void)
{
	static struct test_end c;

	test_child(asserts, &c);
	CHECK_EQ(WIFSIGNALED(c.status), GRT_CHECKS_ON);
}

/* A dump that faults would come back here from the handler: no second dump, but still an end. */
static void dies_again(int sig)
{
	(void)sig;
	grt_fatal("second");
}

static void dies_twice(void)
{
	struct sigaction sa = { .sa_handler = dies_again,
				.sa_flags = (int)SA_RESETHAND | SA_NODEFER };

	sigaction(SIGABRT, &sa, NULL);
	grt_fatal("first");
}

static void second_fatal_does_not_dump(void)
{
	static struct test_end c;

	test_child(dies_twice, &c);
	CHECK(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGABRT);
	CHECK(!strcmp(c.err, "goru: fatal: first\nno goroutines\ngoru: fatal: second\n"));
}

TEST_MAIN(TEST(warning_has_its_prefix), TEST(fatal_aborts_after_line_and_dump),
	  TEST(long_lines_are_cut), TEST(invariant_names_itself), TEST(assert_depends_on_the_build),
	  TEST(second_fatal_does_not_dump))
