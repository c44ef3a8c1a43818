/* spawn.h - posix_spawn for goroutines. Not part of goru.h. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_SPAWN_H
#define GORU_SPAWN_H

#include <goru/base.h>
#include <spawn.h>
#include <sys/types.h>

/*
 * A worker thread blocks all signals but those of faults, and a program that a goroutine starts by
 * posix_spawn, system or popen begins with that mask: SIGTERM and SIGINT do not end it, and it sees no
 * SIGCHLD, until it is killed. These start it with the mask that the runtime was started with.
 */

GORU_BEGIN_C_

/*
 * posix_spawn, or posix_spawnp, which looks for the program in PATH; from a goroutine the new process does
 * not begin with the worker's signal mask, but with the one that the thread had which started the runtime.
 * Unless attr sets a mask (POSIX_SPAWN_SETSIGMASK), or the goroutine has changed its thread's: those are
 * the program's. On a plain thread it is posix_spawn. All else is what attr says, as there.
 *
 * While the process is made the thread is blocked, as between brackets: others run meanwhile, however many
 * file actions there are and however far away the program's file is. Memory is not copied, so the cost does not
 * grow with the number of goroutines, as that of fork does.
 *
 * pid: gets the process's number; NULL: not wanted. To wait for its end: goru_blocking_sys(waitpid(...)).
 * path, file: the program.
 * actions, attr: as of posix_spawn; NULL: none. Read during the call only.
 * argv, envp: the program's arguments and environment, each ended by NULL.
 * Returns: 0; a negative errno value, what posix_spawn gives with the sign changed: -ENOENT no such
 * program; -EACCES it may not be run; -EAGAIN a system limit; -ENOMEM no memory; -E2BIG argv and envp
 * are too long; whatever an action of actions ended with.
 * Call from: anywhere.
 * Waits: blocks the thread; may go on on another thread. Scopes do not end it.
 * Order: all before the call happens before the process.
 * Owns: nothing is kept. The process is the program's to wait for.
 * Cost: some hundred microseconds in the kernel; what goru adds is two system calls.
 */
GORU_API int goru_posix_spawn(pid_t *pid, const char *path,
			      const posix_spawn_file_actions_t *actions,
			      const posix_spawnattr_t *attr, char *const argv[],
			      char *const envp[]);
GORU_API int goru_posix_spawnp(pid_t *pid, const char *file,
			       const posix_spawn_file_actions_t *actions,
			       const posix_spawnattr_t *attr, char *const argv[],
			       char *const envp[]);

GORU_END_C_

#endif
