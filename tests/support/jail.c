/* jail.c - what keeps a process in bounds: control groups of our own, and system calls refused by seccomp. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

void jail_skipped(const char *why)
{
	print_message("\tskipped: %s\n", why);
	fflush(stdout); /* in a child that ends by _exit */
}

bool cgroup_write(const struct cgroup *c, const char *file, const char *text)
{
	char path[320];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", c->dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

static bool has(const struct cgroup *c, const char *file)
{
	char path[320];

	snprintf(path, sizeof(path), "%s/%s", c->dir, file);
	return access(path, W_OK) == 0;
}

bool cgroup_make(struct cgroup *c, const char *controller, const char *v2, const char *v1)
{
	static unsigned made;
	char under[3][64];
	char why[128];

	snprintf(under[0], sizeof(under[0]), "/sys/fs/cgroup/%s", controller);
	snprintf(under[1], sizeof(under[1]), "/sys/fs/cgroup");
	snprintf(under[2], sizeof(under[2]), "/sys/fs/cgroup/unified");
	made++;
	for (int i = 0; i < 3; i++) {
		snprintf(c->dir, sizeof(c->dir), "%s/goru-test-%d-%u", under[i], (int)getpid(),
			 made);
		if (mkdir(c->dir, 0755))
			continue;
		c->v2 = has(c, v2) && has(c, "cgroup.controllers");
		if (c->v2 || has(c, v1))
			return true;
		rmdir(c->dir);
	}
	snprintf(why, sizeof(why), "no control group with %s can be made here", controller);
	jail_skipped(why);
	return false;
}

bool cgroup_enter(const struct cgroup *c)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	return cgroup_write(c, "cgroup.procs", pid);
}

/* Its last process may have a moment to go. */
void cgroup_remove(const struct cgroup *c)
{
	for (int i = 0; i < 2000 && rmdir(c->dir) && errno == EBUSY; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* One comparison a call, each followed by its refusal. */
bool jail_refuse(int err, const int *calls, size_t n)
{
	struct sock_filter f[64];
	struct sock_fprog prog = { .filter = f };
	size_t at = 0;

	if (4 + 2 * n + 1 > sizeof(f) / sizeof(f[0]))
		return false;
	f[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, arch));
	f[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	f[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < n; i++) {
		f[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						       (uint32_t)calls[i], 0, 1);
		f[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						       SECCOMP_RET_ERRNO | (uint32_t)err);
	}
	f[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = (unsigned short)at;
	if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	    !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog))
		return true;
	jail_skipped("seccomp cannot be used here");
	return false;
}
