/* debug.h - looking inside, and which goru this is. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_DEBUG_H
#define GORU_DEBUG_H

#include <goru/base.h>

/* The version of these headers; goru_version() tells that of the library. */
#define GORU_VERSION_MAJOR 0
#define GORU_VERSION_MINOR 1
#define GORU_VERSION_PATCH 0

GORU_BEGIN_C_

/*
 * Names the version of the library that was linked or loaded.
 *
 * Returns: "MAJOR.MINOR.PATCH", for instance "0.1.0".
 * Call from: anywhere.
 * Waits: no. Does not start the runtime.
 * Owns: the library owns the string, which stays valid and unchanged.
 */
GORU_API const char *goru_version(void);

/*
 * Writes the list of goroutines: id and name, state, what it waits for and for how long (from a second
 * on), the backtrace of those that wait and of the caller, and the call that started it. Those that are
 * alike in all but id and age are one entry with their number; at most 100 entries. Goroutines go on
 * meanwhile, and each is shown as it was at some moment of the call. An address in parentheses is for
 * `addr2line -e FILE`.
 *
 * fd: where to; what cannot be written is lost.
 * Call from: anywhere; also from a debugger, `call goru_dump(2)`.
 * Waits: no; takes no lock of goru's and does not use malloc.
 * Cost: about 0.3 us a goroutine, and up to some 0.1 s for the names.
 */
GORU_API void goru_dump(int fd);

/* Counts of the runtime; those of events are since its start. */
typedef struct goru_stats {
	uint64_t goroutines;   /* now: started and not ended; the next four add up to it, roughly */
	uint64_t runnable;     /* now: ready, waiting for their turn */
	uint64_t running;      /* now: running, with a processor or without */
	uint64_t waiting;      /* now: waiting in goru */
	uint64_t blocked;      /* now: in brackets, or found blocked in the kernel */
	uint64_t procs;	       /* now: as goru_procs */
	uint64_t threads;      /* now: worker threads */
	uint64_t threads_idle; /* now: of these, without work */
	uint64_t spawned, ended;
	uint64_t spawn_failed; /* refused starts */
	uint64_t switches;     /* goroutines switched to */
	uint64_t parks;	       /* waits that were not over at once */
	uint64_t steals;       /* times a worker took work from another's queue */
	uint64_t stolen;       /* goroutines taken so */
	uint64_t handoffs;     /* times a goroutine that blocks or computes lost its processor */
	uint64_t retakes;      /* times it was taken from one in the program's code, for others */
	uint64_t timer_fires; /* goroutines' sleeps and waits ended by their deadline; timers that went off */
	uint64_t timer_late;	 /* of these, more than 10 ms late */
	uint64_t polls;		 /* of later versions; 0 */
	uint64_t stack_reserved; /* now: bytes of address space for stacks */
	uint64_t stack_resident; /* now: bytes of memory in them */
	uint64_t spare[42];	 /* 0 */
} goru_stats;

/*
 * Tells what the runtime does. Taken while it goes on, so that the counts are not all of one moment.
 *
 * st: where to; all zero while the runtime is off.
 * Returns: 0; -EINVAL st is NULL.
 * Call from: anywhere.
 * Waits: no. Does not start the runtime.
 * Cost: some microseconds; stack_resident asks the kernel, 0.3 us for each stack ever used.
 */
GORU_API int goru_stats_get(goru_stats *st);

GORU_END_C_

#endif
