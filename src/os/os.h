/* os.h - what the runtime asks of the kernel; every call that can fail says how. Tests replace single calls. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_OS_H
#define GRT_OS_H

#include <pthread.h>
#include <signal.h>

#include "base/atomic.h"

/* memory (mem.c): 0 or -ENOMEM */
size_t grt_os_page_size(void);
size_t grt_os_max_map_count(void);
int grt_os_map(size_t size, void **out);		   /* zeroed, read and write */
int grt_os_reserve(size_t size, size_t align, void **out); /* address space only, no huge pages */
int grt_os_commit(void *base, size_t size);		   /* reserved pages become usable */
int grt_os_protect(void *base, size_t size);		   /* no access; splits the mapping */
void grt_os_unmap(void *base, size_t size);
/* Is what is mapped there locked (mlockall)? Asked of reserved pages not committed yet. Once committed they all have memory
 * at once, there are no cheap guards, and a discard does nothing. */
bool grt_os_locked(void *base);
bool grt_os_guard_supported(void); /* by the kernel, where nothing is locked */
/* Cheap guard pages [base + i * stride, + len) for i in 0..n-1; how many were made. They survive a discard. */
uint32_t grt_os_guard(void *base, size_t stride, size_t len, uint32_t n);
/* The page at base + i * stride for i in 0..n-1 is there before it is touched, if the kernel can do that. */
void grt_os_populate(void *base, size_t stride, uint32_t n);

struct os_range {
	void *base;
	size_t size;
};
/* Contents and pages go, the mapping stays; cannot fail in a way that matters. */
void grt_os_discard(const struct os_range *r, unsigned n);
size_t grt_os_resident(void *base, size_t size); /* bytes that have a page */

/* waiting (futex.c): deadline in CLOCK_MONOTONIC ns, INT64_MAX for none. 0 woken or changed; -ETIMEDOUT */
int grt_os_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline);
void grt_os_futex_wake(_Atomic uint32_t *word, int n);
/* A full barrier on every running thread of the process. init: 0, or -ENOSYS where there is none. */
int grt_os_membarrier_init(void);
int grt_os_membarrier(void); /* 0, or refused: -ENOMEM for once, by a seccomp filter from now on */

/* time (clock.c) */
int64_t grt_os_now(void);

/* threads (thread.c): 0 or -EAGAIN, -ENOMEM. The new thread has all asynchronous signals blocked. */
int grt_os_thread_start(pthread_t *out, void *(*fn)(void *), void *arg, const char *name);
void grt_os_thread_join(pthread_t t);
bool grt_os_thread_joined(pthread_t t); /* joined, if it has ended; does not wait */
unsigned grt_os_threads(void);		/* of the process; 0: unknown */
/* The caller, one of the runtime's, takes these of the asynchronous signals, bit signo - 1, and no others. */
void grt_os_thread_signals(uint64_t set);
/* Masks: keep notes the caller's for children of workers, before the first of them is made. child: true if the caller has the
 * mask that the runtime's threads are made with; then *out is what was kept. child_set: the caller, in the child of a fork,
 * gets it in that case. */
void grt_os_mask_keep(void);
bool grt_os_mask_child(sigset_t *out);
void grt_os_mask_child_set(void);
void grt_os_thread_bounds(const void **lo, size_t *size); /* the caller's own stack */
int grt_os_altstack_set(void **out, size_t *size);	  /* for the overflow reporter */
void grt_os_altstack_clear(void *base, size_t size);
/* A thread as others look at it. */
uint32_t grt_os_thread_id(void);	 /* the caller's */
int64_t grt_os_thread_cpu(uint32_t tid); /* CPU time it has used, ns; -1: unknown */
int grt_os_thread_sleeps(
	uint32_t tid); /* 1: in the kernel, waiting; 0: it runs, or could; -1: unknown */

/* signals (signal.c): fn in the place of what is set up for signo, and that back unless somebody has put in another since */
enum { GRT_OS_SIGNALS = 64 };
bool grt_os_signal_takable(int signo);
int grt_os_signal_catch(int signo, void (*fn)(int)); /* 0, also if it is there; -EINVAL */
void grt_os_signal_give_back(int signo, void (*fn)(int));
void grt_os_signal_again(int signo); /* sent to the process */
void grt_os_signal_resend(int signo,
			  siginfo_t *info); /* by its handler, to the caller alone, unchanged */
uint32_t grt_os_process_id(void);
int grt_os_at_fork(void (*prepare)(void), void (*parent)(void),
		   void (*child)(void)); /* 0, -ENOMEM */

/* checks builds: has the calling thread a pthread mutex locked? As far as its calls are seen (mutex.c). */
struct os_mutex {
	const void *mutex;
	const char *file; /* where the call returned to that locked it, for addr2line */
	uintptr_t offset;
};
bool grt_os_mutex_held(void);
void grt_os_mutex_first(struct os_mutex *out); /* only if there is one */

/* how many CPUs the process may use: the calling thread's affinity, lowered to the tightest cgroup quota rounded up, at
 * least 1 (cpus.c) */
enum { GRT_OS_PATH = 4096 };
struct os_cgroup {
	char group[GRT_OS_PATH]; /* as /proc/self/cgroup names it; empty: none */
	char dir[GRT_OS_PATH];	 /* where that is; empty: it is not mounted */
	size_t top;		 /* length of the mount point in it */
	size_t hidden;		 /* how much the mount does not show, to choose by */
};
struct os_cpus {
	uint32_t looks;
	struct os_cgroup v2, v1;
	char text[2 * GRT_OS_PATH];
};
unsigned grt_os_cpus(void);
/* The same again and again, cheaper; zeroed before the first. A quota is seen at the next look, another group at the fourth
 * at the latest, another mount at the 32nd. Some 10 us. */
unsigned grt_os_cpus_again(struct os_cpus *seen);
/* For it: looks where v2 and v1 are (cgroup.c). */
void grt_os_cgroups(struct os_cpus *c, bool mounts);

/* From now on dlclose leaves our code where it is: before the first thread, and wherever libc is given a function to call
 * later. Says so if it cannot be (object.c). */
void grt_os_stay_loaded(void);

#endif
