/* failfast.c - a group of goroutines of which each is needed: the first that fails ends the others. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 8 };

/* As if each part were copied from somewhere; one of them may not be read. */
static int copy(int part, int broken)
{
	if (part == broken)
		return -EACCES;
	return goru_sleep(broken < 0 ? GORU_USEC : GORU_FOREVER);
}

/* Whatever it is that a child ends with, the first error is the group's. */
static void child(goru_scope *group, int part, int broken)
{
	int rc = copy(part, broken);

	if (rc < 0)
		goru_scope_fail(group, rc);
}

static void copy_all(int broken)
{
	goru_scope group = GORU_SCOPE_INIT;
	int rc = goru_scope_open(&group, GORU_FOREVER);

	if (rc < 0)
		exit(EXIT_FAILURE);
	for (int i = 0; i < PARTS && rc == 0; i++)
		rc = goru_scope_go(&group, child, &group, i, broken);
	if (rc < 0)
		goru_scope_fail(&group, rc);
	rc = goru_scope_close(&group);
	printf("copied: %s\n", rc == 0 ? "all" : strerror(-rc));
}

static void run(void *arg)
{
	(void)arg;
	copy_all(-1);
	copy_all(5);
}

int main(void)
{
	return goru_run(run, NULL) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Output:
 * copied: all
 * copied: Permission denied
 */
