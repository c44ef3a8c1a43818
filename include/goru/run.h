/* run.h - the runtime: options, start and end; how a goroutine yields, ends, and keeps its thread. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_RUN_H
#define GORU_RUN_H

#include <goru/base.h>
#include <goru/go.h>

/* For goru_config.flags. */
#define GORU_CONFIG_GUARDS_ONLY 1u /* a spawn fails rather than give a stack without guard page */
#define GORU_CONFIG_SPAWN_FATAL 2u /* a spawn that fails is fatal, as in Go */
#define GORU_CONFIG_NO_SEGV	4u /* no SIGSEGV handler that names stack overflows */

/* Options of the runtime. Begin with GORU_CONFIG_INIT; zero means the default. What is set here
 * wins over the environment (GORU_PROCS, GORU_STACK_SIZE), which wins over the default. */
typedef struct goru_config {
	size_t struct_size;	     /* sizeof(goru_config) */
	unsigned procs;		     /* goroutines that run at once, 1 to 1024; default: the CPUs */
	unsigned flags;		     /* GORU_CONFIG_ bits */
	size_t stack_size;	     /* bytes reserved for a stack; default 262144 */
	unsigned max_threads;	     /* workers, those of blocked goroutines too; at least procs;
				      * default 10000 */
	unsigned max_blocking;	     /* of later versions; 0 */
	void (*on_deadlock)(void *); /* called by goru_run in a deadlock; NULL: the process ends */
	void *on_deadlock_arg;	     /* what on_deadlock is given */
	uint64_t spare[26];	     /* 0 */
} goru_config;

/* clang-format off */
#define GORU_CONFIG_INIT { sizeof(goru_config), 0, 0, 0, 0, 0, 0, 0, { 0 } }
/* clang-format on */

GORU_BEGIN_C_

/*
 * Starts the runtime with options. Not needed: the first call that needs the runtime starts it
 * with defaults. For programs; a library just uses goru.
 *
 * In the child of a fork that was made while the runtime ran, it is needed before all other calls: these
 * say so in one line there and abort. Objects from before the fork are not usable, and the goroutine
 * that forked is an ordinary thread (docs/pitfalls.md).
 *
 * cfg: the options; NULL for the defaults. Read during the call only.
 * Returns: 0; -EALREADY the runtime runs already (options not applied); -EINVAL a value out of
 * range or an unknown flag; -ENOMEM or -EAGAIN no memory or no thread.
 * Call from: anywhere; of use only before anything else of goru.
 * Waits: no.
 * Order: happens before the first instruction of every goroutine.
 * Cost: address space for stacks is reserved, and threads are made.
 */
GORU_API int goru_init(const goru_config *cfg);

/*
 * Runs fn(arg) as the main goroutine and returns when it has returned or called goru_exit. Other
 * goroutines go on, as goroutines of the process.
 *
 * fn, arg: the function and what it is given.
 * Deadlock: when every goroutine waits, none for a deadline, and every thread of the process is the
 * runtime's, this call's, or waits in goru without a deadline, nothing can happen any more. Then the
 * process prints `goru: fatal: all goroutines are asleep - deadlock!` with the list of goroutines
 * and ends with status 2; with on_deadlock in goru_config, the caller of goru_run calls that
 * instead, and returns.
 *
 * Returns: 0; -EPERM called from a goroutine; -EBUSY another goru_run is active; -EDEADLK after
 * on_deadlock (fn's goroutine still waits, as any other); -EINVAL fn is NULL; -ENOMEM, -EAGAIN or
 * -ESHUTDOWN as goru_go.
 * Call from: a plain thread.
 * Waits: the thread sleeps in the kernel until fn is done.
 * Order: all before the call happens before fn begins; the end of fn before the return.
 * Owns: arg is fn's matter.
 * Cost: one goroutine.
 */
GORU_API int goru_run(void (*fn)(void *), void *arg);

/*
 * Stops the runtime and gives its threads and memory back. New goroutines are refused. Goroutines
 * that run are waited for until they park or end; the parked ones are taken off all they wait on
 * and dropped: no destructor and no C++ clean-up runs, locks they hold stay held. Plain threads
 * that wait in goru get -ECANCELED. Channels, tasks (joining a dropped one gives -ECANCELED) and keys
 * of locals stay usable, and the runtime can be started again. Signals go to no channel any more.
 *
 * Returns: 0, also when it does not run; -EPERM called from a goroutine; -EBUSY under goru_run.
 * Call from: a plain thread.
 * Waits: until every goroutine has parked or ended and the threads are gone.
 * Order: all that goroutines did happens before the return.
 * Owns: what dropped goroutines owned is lost; their stacks are gone, with all that lay on them.
 */
GORU_API int goru_shutdown(void);

/*
 * goru_shutdown that gives up at the deadline if goroutines still run then, or block in the kernel. It
 * names them on standard error, and the runtime goes on as if nothing had been: nothing was dropped or
 * cancelled, timers that fell due meanwhile fire, goroutines can be started again. Until it gives up
 * they are refused, and those that have parked do not run.
 *
 * deadline: of CLOCK_MONOTONIC, in nanoseconds, as of goru_in(). What can be done at once is done even
 * when it is past.
 * Returns: as goru_shutdown; -ETIMEDOUT it was given up.
 * Call from: a plain thread.
 * Waits: as goru_shutdown, till the deadline; to take the runtime apart afterwards is not cut short.
 * Order: 0: as goru_shutdown. -ETIMEDOUT: none.
 * Owns: 0: as goru_shutdown. -ETIMEDOUT: all stays with its owners.
 */
GORU_API int goru_shutdown_until(int64_t deadline);

/*
 * Tells how many goroutines may run at once.
 *
 * Returns: 1 to 1024. The default is the number of CPUs in the affinity mask of the thread that starts
 * the runtime, lowered to the tightest cgroup CPU quota rounded up. While goroutines run, changes of
 * these are followed within seconds, unless the number was chosen: in goru_config, by GORU_PROCS, or by
 * goru_set_procs.
 * Call from: anywhere.
 * Waits: no.
 */
GORU_API unsigned goru_procs(void);

/*
 * Changes how many goroutines may run at once. For programs, at any time. From then on the number of
 * CPUs is not followed.
 *
 * n: 1 to 1024; max_threads of goru_config rises to it.
 * Returns: 0; -EINVAL n is out of range; -ENOMEM no memory (nothing changed).
 * Call from: anywhere.
 * Waits: may, for the change to be made; none of the queued goroutines is lost.
 * Cost: short interruption of all that runs; not for a loop.
 */
GORU_API int goru_set_procs(unsigned n);

/*
 * Lets other goroutines that are ready go first. On a plain thread it is sched_yield.
 *
 * Call from: anywhere.
 * Waits: until its turn comes again; may go on on another thread.
 * Cost: a switch, when there is another; else next to nothing.
 */
GORU_API void goru_yield(void);

/*
 * Ends the calling goroutine as if its function had returned; a task, with the result NULL. C++
 * destructors do not run.
 *
 * Call from: a goroutine; on a plain thread it is fatal.
 * Returns: never.
 * Order: as the return of its function.
 */
GORU_API void goru_exit(void) __attribute__((noreturn));

/*
 * Names the calling goroutine.
 *
 * Returns: 1, 2, 3 and so on as they were started, never used twice; 0 outside goroutines.
 * Call from: anywhere.
 * Waits: no.
 */
GORU_API uint64_t goru_id(void);

/*
 * Ties the calling goroutine to the thread it runs on, and the thread to it: until it unlocks, it runs
 * on no other thread and no other goroutine runs on this one. For code that keeps something in the
 * thread: thread-local variables, locales, graphics contexts, namespaces, thread-owned locks. Nests.
 * Goroutines it starts are not tied. A goroutine that ends tied ends its thread, with all that was
 * changed in it; others take over. At a shutdown the thread ends.
 *
 * Returns: 0; -EPERM on a plain thread; -EAGAIN max_threads of goru_config, of which one always stays
 * for goroutines that are not tied, or the system's limit; -ENOMEM no memory for a thread. On failure
 * nothing has changed.
 * Call from: a goroutine.
 * Waits: no; stays on its thread. May make a thread.
 * Order: all a goroutine did while tied to a thread happens before the next one's lock of it returns.
 * Cost: a lock of the runtime's, some ten microseconds when a thread has to be made. While tied, a wait
 * costs two switches between threads, some ten microseconds, instead of one between goroutines.
 */
GORU_API int goru_lock_thread(void);

/*
 * Undoes one goru_lock_thread. After the last the goroutine runs on any thread again, from its next
 * wait on.
 *
 * Returns: 0; -EPERM on a plain thread, or the goroutine is not tied.
 * Call from: a goroutine.
 * Waits: no; stays on its thread.
 * Cost: as goru_lock_thread without a new thread.
 */
GORU_API int goru_unlock_thread(void);

GORU_END_C_

#endif
