/* thread.c - the runtime's own threads: started with signals blocked, joined, their stacks, what they are doing. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "os/os.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

enum {
	/* the loop and a signal frame; goroutines have their own. Sanitizers' runtimes want more. */
	THREAD_STACK = GRT_ASAN_ON || GRT_TSAN_ON ? 1 << 20 : 256 << 10,
	HANDLER_STACK = GRT_ASAN_ON || GRT_TSAN_ON ? 256 << 10 : 32 << 10,
};

/* The program's handlers and signal threads keep their signals; what a fault raises stays open for the reporter. */
static void async(sigset_t *s)
{
	static const int open[] = { SIGSEGV, SIGBUS, SIGFPE,  SIGILL,
				    SIGTRAP, SIGSYS, SIGABRT, SIGPROF };

	sigfillset(s);
	for (size_t i = 0; i < grt_countof(open); i++)
		sigdelset(s, open[i]);
}

/* The mask of the thread that started the runtime, and the workers' as the kernel gives it back: without what cannot be
 * blocked. */
static sigset_t kept, workers;

void grt_os_mask_keep(void)
{
	async(&workers);
	pthread_sigmask(SIG_SETMASK, &workers, &kept);
	pthread_sigmask(SIG_SETMASK, &kept, &workers);
}

/* Any other mask is one that the program has set there. */
bool grt_os_mask_child(sigset_t *out)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int signo = 1; signo <= GRT_OS_SIGNALS; signo++)
		if (sigismember(&now, signo) != sigismember(&workers, signo))
			return false;
	*out = kept;
	return true;
}

void grt_os_mask_child_set(void)
{
	sigset_t s;

	if (grt_os_mask_child(&s))
		pthread_sigmask(SIG_SETMASK, &s, NULL);
}

void grt_os_thread_signals(uint64_t set)
{
	sigset_t s;

	async(&s);
	for (int signo = 1; signo <= GRT_OS_SIGNALS; signo++)
		if (set >> (signo - 1) & 1)
			sigdelset(&s, signo);
	pthread_sigmask(SIG_SETMASK, &s, NULL);
}

static int start(pthread_t *out, void *(*fn)(void *), void *arg, size_t stack)
{
	pthread_attr_t a;
	int rc = pthread_attr_init(&a);

	if (rc)
		return -rc;
	rc = stack ? pthread_attr_setstacksize(&a, stack) : 0;
	if (!rc)
		rc = pthread_create(out, &a, fn, arg);
	pthread_attr_destroy(&a);
	return -rc;
}

int grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name)
{
	sigset_t blocked, old;

	async(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &old);

	int rc = start(out, fn, arg, THREAD_STACK);

	/* a program with much static thread-local data: it does not fit, the default size does */
	if (rc == -EINVAL)
		rc = start(out, fn, arg, 0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!rc)
		pthread_setname_np(*out, name);
	return rc == -EINVAL || rc == -EPERM ? -EAGAIN : rc;
}

/* The directory has a link for each, and two of its own. */
unsigned grt_os_threads(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) || st.st_nlink < 2 ? 0 : (unsigned)st.st_nlink - 2;
}

uint32_t grt_os_thread_id(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

/* What pthread_getcpuclockid would make of it, without a pthread_t that another thread may just be writing. */
int64_t grt_os_thread_cpu(uint32_t tid)
{
	struct timespec ts;

	if (!tid || clock_gettime((clockid_t)(~tid << 3 | 6), &ts))
		return -1;
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The letter behind the name, which may hold anything: "123 (a) R) S 1 ...". */
int grt_os_thread_sleeps(uint32_t tid)
{
	char path[48], text[128], *at;
	int fd, saved = errno;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%u/stat", (unsigned)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		errno = saved;
		return -1;
	}
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	errno = saved;
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ')');
	if (!at || at[1] != ' ' || !at[2])
		return -1;
	return at[2] != 'R';
}

void grt_os_thread_join(pthread_t t)
{
	pthread_join(t, NULL);
}

bool grt_os_thread_joined(pthread_t t)
{
	return pthread_tryjoin_np(t, NULL) == 0;
}

void grt_os_thread_bounds(const void **lo, size_t *size)
{
	pthread_attr_t a;
	void *base = NULL;

	*lo = NULL;
	*size = 0;
	if (pthread_getattr_np(pthread_self(), &a))
		return;
	if (!pthread_attr_getstack(&a, &base, size))
		*lo = base;
	pthread_attr_destroy(&a);
}

/*
 * The kernel's own minimum knows the CPU's registers (11,952 bytes with AMX); the libc constant (2048) does not. A page
 * without access lies below, for handlers of the program that want more than there is.
 */
int grt_os_altstack_set(void **out, size_t *size)
{
	size_t page = grt_os_page_size();
	size_t n = ((size_t)getauxval(AT_MINSIGSTKSZ) + HANDLER_STACK + page - 1) & ~(page - 1);
	void *base;
	int rc = grt_os_map(page + n, &base);

	if (rc < 0)
		return rc;

	stack_t ss = { .ss_sp = (char *)base + page, .ss_size = n };

	rc = grt_os_protect(base, page);
	if (rc == 0 && sigaltstack(&ss, NULL))
		rc = -ENOMEM;
	if (rc < 0) {
		grt_os_unmap(base, page + n);
		return rc;
	}
	*out = ss.ss_sp;
	*size = n;
	return 0;
}

void grt_os_altstack_clear(void *base, size_t size)
{
	size_t page = grt_os_page_size();
	stack_t off = { .ss_flags = SS_DISABLE };

	sigaltstack(&off, NULL);
	grt_os_unmap((char *)base - page, page + size);
}
