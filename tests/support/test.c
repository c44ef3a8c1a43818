/* test.c - what the tests share: checks for any stack, both contexts, a watchdog, children. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#include "base/fatal.h"
#include "base/sanitizer.h"
#include "handoff.h"

enum { CHILD_SECONDS = 30 };

/* How much longer all may take here. */
static int slow(void)
{
	return GRT_ASAN_ON || GRT_TSAN_ON || test_emulated() ? 4 : 1;
}

static _Atomic int failures;

bool test_check(bool ok, const char *file, int line, const char *text)
{
	if (!ok) {
		atomic_fetch_add(&failures, 1);
		grt_line(STDERR_FILENO, "%s:%d: %s", file, line, text);
	}
	return ok;
}

bool test_check_eq(long long a, long long b, const char *file, int line, const char *text)
{
	if (a != b) {
		atomic_fetch_add(&failures, 1);
		grt_line(STDERR_FILENO, "%s:%d: %s: %lld != %lld", file, line, text, a, b);
	}
	return a == b;
}

int test_failures(void)
{
	return atomic_load(&failures);
}

static struct {
	int file, saved, failures;
	char text[4096];
} Cap = { .saved = -1 };

/* The watchdog: a thread only while there is something to watch, so that a fork finds a process without it. */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t change;
	pthread_t thread;
	const char *what;
	int64_t deadline; /* 0: none, and no thread */
} Dog = { .lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };

static int64_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void nap(int64_t ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&ts, NULL);
}

static void *watch(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&Dog.lock);
	while (Dog.deadline) {
		struct timespec ts;

		if (monotonic() > Dog.deadline) {
			if (Cap.saved >= 0) /* to be seen */
				dup2(Cap.saved, STDERR_FILENO);
			grt_fatal("test %s makes no progress", Dog.what);
		}
		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_sec++;
		pthread_cond_timedwait(&Dog.change, &Dog.lock, &ts);
	}
	pthread_mutex_unlock(&Dog.lock);
	return NULL;
}

void test_watch(const char *what, unsigned seconds)
{
	bool had, have = seconds > 0;

	pthread_mutex_lock(&Dog.lock);
	had = Dog.deadline;
	Dog.what = what;
	Dog.deadline = have ? monotonic() + (int64_t)seconds * slow() * GORU_SEC : 0;
	pthread_cond_signal(&Dog.change);
	pthread_mutex_unlock(&Dog.lock);
	if (have && !had && pthread_create(&Dog.thread, NULL, watch, NULL))
		abort();
	if (had && !have)
		pthread_join(Dog.thread, NULL);
}

/* Tests. */

void test_begin(void)
{
	const char *only = getenv("GORU_TEST_ONLY");

	setvbuf(stdout, NULL, _IONBF, 0);
	if (only)
		cmocka_set_test_filter(only);
	signal(SIGPIPE, SIG_IGN);
}

void test_run(void **state)
{
	void (*fn)(void) = (void (*)(void)) * state;

	atomic_store(&failures, 0);
	test_watch("of this program", TEST_SECONDS);
	fn();
	test_watch(NULL, 0);
	assert_int_equal(test_failures(), 0);
}

struct on_goroutine {
	void (*fn)(void);
	goru_waitgroup wg;
};

static void call(void *arg)
{
	struct on_goroutine *on = arg;

	on->fn();
	goru_waitgroup_done(&on->wg);
}

void test_on_goroutine(void (*fn)(void))
{
	struct on_goroutine on = { .fn = fn };

	goru_waitgroup_add(&on.wg, 1);
	if (CHECK_EQ(goru_go(call, &on), 0))
		CHECK_EQ(goru_waitgroup_wait(&on.wg), 0);
}

void test_run_goroutine(void **state)
{
	atomic_store(&failures, 0);
	test_watch("of this program", TEST_SECONDS);
	test_on_goroutine((void (*)(void)) * state);
	test_watch(NULL, 0);
	assert_int_equal(test_failures(), 0);
}

void test_nap(void)
{
	if (goru_id())
		goru_sleep(200 * GORU_USEC);
	else
		nap(200 * GORU_USEC);
}

void test_handoff(bool on)
{
	CHECK_EQ(goru_shutdown(), 0);
	handoff_next(on);
}

/* Children. */

static void child(void (*fn)(void), int err)
{
	static const struct rlimit none = { 0, 0 };
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS };
	int null = open("/dev/null", O_WRONLY);

	setrlimit(RLIMIT_CORE, &none);
	dup2(null, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(null);
	close(err);
	/* CMocka's handlers, which would end the child in their own way */
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		signal(faults[i], SIG_DFL);
	atomic_store(&failures, 0);
	fn();
	_exit(test_failures() ? 99 : 0);
}

/* qemu-user writes a line of its own after the program's last. */
static void without_emulator(struct test_end *e)
{
	char *at = test_emulated() ? strstr(e->err, "qemu: uncaught target signal") : NULL;

	if (at) {
		*at = '\0';
		e->len = (size_t)(at - e->err);
	}
}

void test_child(void (*fn)(void), struct test_end *out)
{
	int64_t deadline = monotonic() + (int64_t)CHILD_SECONDS * slow() * GORU_SEC;
	int fd[2];
	pid_t pid;

	memset(out, 0, sizeof(*out));
	test_watch(
		NULL,
		0); /* the child has its own deadline; and sanitizers want to fork from one thread */
	/* who was joined may still be leaving the emulator; a child forked meanwhile hung once, before it began anything */
	if (test_emulated())
		(void)test_threads();
	if (pipe2(fd, O_CLOEXEC))
		abort();
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		child(fn, fd[1]);
	}
	close(fd[1]);
	for (;;) {
		struct pollfd p = { .fd = fd[0], .events = POLLIN };
		ssize_t n;

		if (monotonic() > deadline) {
			kill(pid, SIGKILL);
			break;
		}
		if (poll(&p, 1, 100) <= 0)
			continue;
		n = read(fd[0], out->err + out->len, sizeof(out->err) - 1 - out->len);
		if (n <= 0)
			break;
		out->len += (size_t)n;
	}
	out->err[out->len] = '\0';
	without_emulator(out);
	close(fd[0]);
	waitpid(pid, &out->status, 0);
}

static bool ended_wrong(const struct test_end *c, const char *want, const char *file, int line)
{
	atomic_fetch_add(&failures, 1);
	grt_line(STDERR_FILENO, "%s:%d: want %s; status 0x%x, standard error:", file, line, want,
		 c->status);
	if (write(STDERR_FILENO, c->err, c->len) < 0)
		abort();
	return false;
}

/* The line at s is text, or begins with it where text ends in "..". */
static bool line_is(const char *s, const char *text)
{
	size_t n = strlen(text);

	if (n > 2 && !strcmp(text + n - 2, ".."))
		return !strncmp(s, text, n - 2);
	return !strncmp(s, text, n) && s[n] == '\n';
}

static bool died(const struct test_end *c, const char *text, const char *file, int line)
{
	const char *at = strstr(c->err, "goru: fatal: ");

	if (!WIFSIGNALED(c->status) || WTERMSIG(c->status) != SIGABRT || !at || !line_is(at, text))
		return ended_wrong(c, text, file, line);
	return true;
}

bool test_check_dies(void (*fn)(void), const char *text, const char *file, int line)
{
	static struct test_end c;

	test_child(fn, &c);
	return died(&c, text, file, line);
}

bool test_check_dies_of(void (*fn)(void), const char *text, const char *file, int line)
{
	static struct test_end c;
	const char *p = strstr(text, "%p");
	void *object = NULL;
	char want[256];

	test_child(fn, &c);
	if (sscanf(c.err, "%p", &object) == 1)
		snprintf(want, sizeof(want), "%.*s%p%s", (int)(p - text), text, object, p + 2);
	else
		snprintf(want, sizeof(want), "an address, then %s", text);
	return died(&c, want, file, line);
}

bool test_check_lives(void (*fn)(void), const char *err, const char *file, int line)
{
	static struct test_end c;

	test_child(fn, &c);
	if (c.status != 0 || strcmp(c.err, err) != 0)
		return ended_wrong(&c, err, file, line);
	return true;
}

/* Standard error. */

void test_capture_begin(void)
{
	Cap.file = memfd_create("stderr", MFD_CLOEXEC);
	Cap.saved = dup(STDERR_FILENO);
	Cap.failures = test_failures();
	if (Cap.file < 0 || Cap.saved < 0)
		abort();
	dup2(Cap.file, STDERR_FILENO);
}

const char *test_captured(void)
{
	ssize_t n = pread(Cap.file, Cap.text, sizeof(Cap.text) - 1, 0);

	Cap.text[n < 0 ? 0 : n] = '\0';
	return Cap.text;
}

const char *test_capture_end(void)
{
	dup2(Cap.saved, STDERR_FILENO);
	(void)test_captured();
	close(Cap.saved);
	close(Cap.file);
	Cap.saved = -1;
	/* what failed meanwhile was written there, too */
	if (Cap.failures != test_failures() && write(STDERR_FILENO, Cap.text, strlen(Cap.text)) < 0)
		abort();
	return Cap.text;
}

/* Threads, numbers, the emulator. */

static void *call_thread(void *arg)
{
	void (*fn)(void) = (void (*)(void))arg;

	fn();
	return NULL;
}

void test_thread(pthread_t *t, void (*fn)(void))
{
	if (pthread_create(t, NULL, call_thread, (void *)fn))
		abort();
}

void test_join(pthread_t t)
{
	pthread_join(t, NULL);
}

uint64_t test_rand(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

/* qemu-user gives its guests no vDSO before version 8.2, and names itself in none of the usual places. */
bool test_emulated(void)
{
#if defined(__aarch64__)
	return !getauxval(AT_SYSINFO_EHDR);
#else
	return false;
#endif
}
