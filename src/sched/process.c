/* process.c - goru_posix_spawn: programs that goroutines start do not begin with a worker's signal mask. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "goru/spawn.h"

#include "goru.h"
#include "os/os.h"
#include "rt/self.h"

typedef __typeof__(posix_spawn) spawn_fn;

/* attr, or what it says and the mask too, in own. Without a word from attr about one, and on a thread that has the workers',
 * as a plain thread has at the most by its own choice. */
static int with_mask(const posix_spawnattr_t **attr, posix_spawnattr_t *own)
{
	sigset_t mask;
	short flags = 0;
	int err;

	if (!grt_on_goroutine() || !grt_os_mask_child(&mask))
		return 0;
	if (*attr &&
	    ((err = posix_spawnattr_getflags(*attr, &flags)) || flags & POSIX_SPAWN_SETSIGMASK))
		return err;
	/* a copy: of what getters and setters know it would be the same, of what a later C library adds not */
	if (*attr)
		*own = **attr;
	else if ((err = posix_spawnattr_init(own)))
		return err;
	*attr = own;
	err = posix_spawnattr_setsigmask(own, &mask);
	return err ? err : posix_spawnattr_setflags(own, (short)(flags | POSIX_SPAWN_SETSIGMASK));
}

static int spawn(spawn_fn *fn, pid_t *pid, const char *path,
		 const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
		 char *const argv[], char *const envp[])
{
	posix_spawnattr_t
		own; /* nothing hangs on it, in no C library: it is copied, and not destroyed */
	int err = with_mask(&attr, &own);

	if (err)
		return -err;
	goru_block_enter();
	err = fn(pid, path, actions, attr, argv, envp);
	goru_block_exit();
	return -err;
}

GRT_PUBLIC int goru_posix_spawn(pid_t *pid, const char *path,
				const posix_spawn_file_actions_t *actions,
				const posix_spawnattr_t *attr, char *const argv[],
				char *const envp[])
{
	return spawn(posix_spawn, pid, path, actions, attr, argv, envp);
}

GRT_PUBLIC int goru_posix_spawnp(pid_t *pid, const char *file,
				 const posix_spawn_file_actions_t *actions,
				 const posix_spawnattr_t *attr, char *const argv[],
				 char *const envp[])
{
	return spawn(posix_spawnp, pid, file, actions, attr, argv, envp);
}
