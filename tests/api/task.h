/* task.h - what the programs about tasks share. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TESTS_TASK_H
#define GRT_TESTS_TASK_H

#include "test.h"

/* A value that no variable's address is. */
static void *const mark = (void *)0x1234;

static inline goru_task *started(void *(*fn)(void *), void *arg)
{
	goru_task *t = NULL;

	CHECK_EQ(goru_task_start(&t, fn, arg), 0);
	CHECK(t);
	return t;
}

#endif
