/* task.h - tasks (goroutines with a result), values of one goroutine's own, and big stacks. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_TASK_H
#define GORU_TASK_H

#include <goru/base.h>

/* A goroutine whose end can be waited for and whose result can be had. Every task is joined or detached, once. */
typedef struct goru_task goru_task;

/* Names one value in each goroutine and in each plain thread. 0 is never a key. */
typedef unsigned goru_local_key;

GORU_BEGIN_C_

/*
 * Starts a goroutine that computes fn(arg) for whoever joins it.
 *
 * out: where the task is stored, before fn begins; NULL when there is none.
 * fn, arg: the function and what it is given. goru_exit in it ends the task with the result NULL.
 * Returns: 0; -EINVAL out or fn is NULL; -ENOMEM, -EAGAIN or -ESHUTDOWN as goru_go.
 * Call from: anywhere.
 * Waits: no.
 * Order: all before the call happens before fn begins.
 * Owns: the task is the caller's, who gives it to goru_task_join or goru_task_detach, once; arg is
 * fn's matter.
 * Cost: a goroutine and one small allocation.
 */
GORU_API int goru_task_start(goru_task **out, void *(*fn)(void *), void *arg);

/*
 * Waits until the task has ended, takes its result, and frees it. From one place: joining a task
 * that another joins just now, or that was detached, is fatal.
 *
 * task: the task.
 * result: where fn's result is stored; untouched unless 0 is returned; NULL drops it.
 * Returns: 0; -EINVAL task is NULL; -EDEADLK the task joins itself, and stays joinable; -ECANCELED
 * goru_shutdown dropped the task, which is freed.
 * Call from: anywhere.
 * Waits: until the task and the destructors of its locals are done.
 * Order: all that the task did happens before the return.
 * Owns: frees the task, unless the result is -EINVAL or -EDEADLK.
 */
GORU_API int goru_task_join(goru_task *task, void **result) GORU_WARN_UNUSED;

/*
 * goru_task_join that gives up at a deadline.
 *
 * task, result: as goru_task_join.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in.
 * Returns: as goru_task_join; -ETIMEDOUT or -ENOMEM (the deadline could not be noted): the task
 * goes on and is joinable as before. One that has ended is joined even when the deadline is past.
 * Call from, Waits, Order: as goru_task_join.
 * Owns: frees the task if the result is 0 or -ECANCELED.
 */
GORU_API int goru_task_join_until(goru_task *task, void **result,
				  int64_t deadline) GORU_WARN_UNUSED;

/*
 * Lets the task go on by itself: its result is dropped, and it is freed when it ends. Detaching a
 * task that is joined just now, or was detached already, is fatal.
 *
 * task: the task; one that has ended is freed at once.
 * Returns: 0; -EINVAL task is NULL.
 * Call from: anywhere, also from the task itself.
 * Waits: no.
 * Owns: the task is not the caller's any more.
 */
GORU_API int goru_task_detach(goru_task *task);

/*
 * Makes a key. Its value is NULL in every goroutine and every plain thread.
 *
 * key: where it is stored.
 * destructor: called with the value of a goroutine that ends, or of a plain thread that ends, if it
 * is not NULL; the value is NULL then. While destructors set new values they are called again, up
 * to 4 rounds. Not at goru_shutdown. NULL: none.
 * Returns: 0; -EINVAL key is NULL; -EAGAIN 1024 keys exist.
 * Call from: anywhere. Keys outlive goru_shutdown.
 * Waits: no.
 */
GORU_API int goru_local_create(goru_local_key *key, void (*destructor)(void *));

/*
 * Takes a key back. Values that are left are not destroyed, and no later key shows them.
 *
 * key: the key.
 * Returns: 0; -EINVAL it is none.
 * Call from: anywhere.
 * Waits: no.
 */
GORU_API int goru_local_delete(goru_local_key key);

/*
 * Reads the value of the calling goroutine; on a plain thread, of the thread.
 *
 * key: the key.
 * Returns: the value set last; NULL if there is none, or the key is none.
 * Call from: anywhere.
 * Waits: no.
 * Cost: a few loads.
 */
GORU_API void *goru_local_get(goru_local_key key);

/*
 * Sets the value of the calling goroutine; on a plain thread, of the thread.
 *
 * key: the key.
 * value: the value. The one before is not destroyed.
 * Returns: 0; -EINVAL the key is none; -ENOMEM no memory.
 * Call from: anywhere.
 * Waits: no.
 * Owns: the value is the destructor's, if it has one, at the end of the goroutine or thread.
 * Cost: the first keys of a goroutine allocate; later calls store.
 */
GORU_API int goru_local_set(goru_local_key key, void *value);

/*
 * Calls fn(arg) on a stack of another size, on this goroutine or thread: for foreign code that needs
 * more than goroutines have. It nests. fn may wait, throw a C++ exception that the caller catches, and
 * call goru_exit; it must not leave by longjmp.
 *
 * size: bytes, rounded up to a power of two, 16 KiB to 1 GiB; only touched pages cost memory.
 * fn, arg: the function and what it is given.
 * Returns: 0 when fn has returned; -EINVAL size is out of range or fn NULL; -ENOMEM no memory or
 * address space.
 * Call from: anywhere.
 * Waits: as fn does.
 * Cost: the stack is mapped, with a guard area below it, and unmapped again: several system calls.
 */
GORU_API int goru_call_on_big_stack(size_t size, void (*fn)(void *), void *arg);

GORU_END_C_

#endif
