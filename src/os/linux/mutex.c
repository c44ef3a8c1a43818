/* mutex.c - checks builds: which pthread mutexes the thread has locked. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "base/fatal.h"
#include "base/sanitizer.h"
#include "os/os.h"

#if defined(GRT_CHECKS) && GRT_CHECKS && !defined(GRT_ASAN) && !(defined(GRT_TSAN) && GRT_TSAN) && \
	!(defined(GRT_NO_LOADER) && GRT_NO_LOADER)

enum { MOST = 8 }; /* further ones are not seen */

/* Nothing in here switches: the address of a thread-local stays right. */
static __thread struct {
	unsigned n;
	struct {
		const pthread_mutex_t *mutex;
		const void *at;
	} of[MOST];
} held;

GRT_NOINLINE bool grt_os_mutex_held(void)
{
	return held.n;
}

void grt_os_mutex_first(struct os_mutex *out)
{
	Dl_info in;

	*out = (struct os_mutex){ held.of[0].mutex, "?", (uintptr_t)held.of[0].at };
	if (!dladdr(held.of[0].at, &in) || !in.dli_fname)
		return;
	out->file = strrchr(in.dli_fname, '/');
	out->file = out->file ? out->file + 1 : in.dli_fname;
	out->offset -= (uintptr_t)in.dli_fbase;
}

/*
 * The program's calls come here first when the static library is linked into it: its own definition goes before the C
 * library's, for shared libraries that it uses too. Weak, so that one of the program's or a sanitizer's wins instead. Not
 * seen: C11's mtx_lock, which does not call these, and what the C library locks itself. A static C library's have no
 * names to find them by, and are not even linked: its are weak, too, and come later.
 */
typedef int lock_fn(pthread_mutex_t *);
typedef int timed_fn(pthread_mutex_t *, const struct timespec *);
typedef int clock_fn(pthread_mutex_t *, clockid_t, const struct timespec *);

static const char clocklock[] = "pthread_mutex_clocklock"; /* since glibc 2.30, and not in musl */

/* Looked up each time there is none: any thread may be the first. */
static void *libc_s(_Atomic(void *) *fn, const char *name)
{
	void *f = grt_load(fn);

	if (!f) {
		f = dlsym(RTLD_NEXT, name);
		if (!f && name != clocklock)
			grt_fatal(
				"no %s of the C library: goru's checks are built for static programs "
				"with -DGORU_STATIC=ON",
				name);
		grt_store(fn, f);
	}
	return f;
}

#define LIBC_S(type, name)                                                                         \
	({                                                                                         \
		static _Atomic(void *) fn_;                                                        \
		(type *)libc_s(&fn_, name);                                                        \
	})

static int locked(int rc, const pthread_mutex_t *x, const void *at)
{
	if ((rc == 0 || rc == EOWNERDEAD) && held.n < MOST) {
		held.of[held.n].mutex = x;
		held.of[held.n++].at = at;
	}
	return rc;
}

static void unlocked(const pthread_mutex_t *x)
{
	for (unsigned i = held.n; i-- > 0;) {
		if (held.of[i].mutex == x) {
			held.n--;
			memmove(&held.of[i], &held.of[i + 1], (held.n - i) * sizeof(held.of[0]));
			return;
		}
	}
}

#define WEAK __attribute__((weak, visibility("default")))

WEAK int pthread_mutex_lock(pthread_mutex_t *x)
{
	int rc = LIBC_S(lock_fn, "pthread_mutex_lock")(x);

	return locked(rc, x, __builtin_return_address(0));
}

WEAK int pthread_mutex_trylock(pthread_mutex_t *x)
{
	int rc = LIBC_S(lock_fn, "pthread_mutex_trylock")(x);

	return locked(rc, x, __builtin_return_address(0));
}

WEAK int pthread_mutex_timedlock(pthread_mutex_t *x, const struct timespec *until)
{
	int rc = LIBC_S(timed_fn, "pthread_mutex_timedlock")(x, until);

	return locked(rc, x, __builtin_return_address(0));
}

int pthread_mutex_clocklock(pthread_mutex_t *x, clockid_t clock, const struct timespec *until);

WEAK int pthread_mutex_clocklock(pthread_mutex_t *x, clockid_t clock, const struct timespec *until)
{
	clock_fn *fn = LIBC_S(clock_fn, clocklock);

	return fn ? locked(fn(x, clock, until), x, __builtin_return_address(0)) : EINVAL;
}

WEAK int pthread_mutex_unlock(pthread_mutex_t *x)
{
	unlocked(x);
	return LIBC_S(lock_fn, "pthread_mutex_unlock")(x);
}

#else /* nothing is seen */

bool grt_os_mutex_held(void)
{
	return false;
}

void grt_os_mutex_first(struct os_mutex *out)
{
	*out = (struct os_mutex){ .file = "?" };
}

#endif
