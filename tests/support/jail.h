/* jail.h - what keeps a process in bounds: control groups of our own, and system calls refused by seccomp. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_JAIL_H
#define GRT_JAIL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A control group that has a file of the name v2, or of the name v1 where the controller is mounted in that version; NULL
 * and a line that says why where we may not make one. leave takes it down, when nobody is in it any more.
 */
struct cgroup {
	char dir[256];
	bool v2;
};
bool cgroup_make(struct cgroup *c, const char *controller, const char *v2, const char *v1);
bool cgroup_write(const struct cgroup *c, const char *file, const char *text);
bool cgroup_enter(const struct cgroup *c); /* the calling process */
void cgroup_remove(const struct cgroup *c);

/* From now on these system calls fail with err in every thread of the process, and in its children. False, and a line
 * that says so: not possible here. In a child of test_child only: it is for good. */
bool jail_refuse(int err, const int *calls, size_t n);
#define JAIL_REFUSE(err, ...)                                                                      \
	jail_refuse(err, (const int[]){ __VA_ARGS__ }, sizeof((int[]){ __VA_ARGS__ }) / sizeof(int))

/* Says why a test does nothing here. */
void jail_skipped(const char *why);

#endif
