/* chan.h - channels: values handed from one goroutine or thread to another, in order. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_CHAN_H
#define GORU_CHAN_H

#include <goru/base.h>

/* A channel: opaque, reference counted. Values, waiting receivers and waiting senders are each
 * served first in, first out. */
typedef struct goru_chan goru_chan;

GORU_BEGIN_C_

/*
 * Makes a channel with one reference.
 *
 * elem_size: bytes of one value, copied as they are; 0 for a channel that carries only events.
 * capacity: how many values it holds before a send waits; 0: a send waits for its receiver.
 * Returns: the channel; NULL when there is no memory or elem_size * capacity overflows.
 * Call from: anywhere.
 * Waits: no.
 * Owns: the caller has the reference and gives it up with goru_chan_unref.
 * Cost: one allocation.
 */
GORU_API goru_chan *goru_chan_make(size_t elem_size, size_t capacity);

/*
 * Adds a reference, for a goroutine that is to keep the channel alive by itself.
 *
 * c: the channel; NULL is let through.
 * Returns: c.
 * Call from: anywhere, holding a reference.
 * Waits: no.
 * Owns: the new reference is the caller's.
 * Cost: one atomic addition.
 */
GORU_API goru_chan *goru_chan_ref(goru_chan *c);

/*
 * Gives up a reference. The last one frees the channel; values left in it are dropped, what they
 * point to is not freed. Doing that while someone waits on the channel is fatal.
 *
 * c: the channel; NULL does nothing.
 * Call from: anywhere.
 * Waits: no.
 * Order: what others did before they gave up theirs happens before the free.
 * Owns: the caller's reference is gone; c must not be used any more. A call on c needs a reference,
 * its caller's or another's, until it returns: goru_chan_close wakes those that wait, but does not
 * wait for them. Whose call is proved done needs none: the sender's when its value was received,
 * the closer's when a receive gave 0.
 * Cost: one atomic subtraction; the last one frees memory.
 */
GORU_API void goru_chan_unref(goru_chan *c);

/*
 * Sends a value: straight to a waiting receiver, else into the buffer, else waits for room.
 *
 * c: the channel.
 * elem: the value, elem_size bytes; may be NULL only when elem_size is 0.
 * Returns: 0 sent; -EPIPE the channel is closed, or was closed during the wait (the value was not
 * sent); -EINVAL c is NULL, or elem is NULL and elem_size is not 0; -ECANCELED on a plain thread
 * when goru_shutdown ended the wait (not sent).
 * Call from: anywhere.
 * Waits: until a receiver or the buffer has taken the value, or the channel is closed.
 * Order: all before the send happens before the receive of its value returns. The k-th receive
 * from a channel of capacity C happens before send k + C returns.
 * Owns: elem is read during the call only.
 * Cost: one lock and a copy; no allocation; a system call only to wake a sleeping thread.
 */
GORU_API int goru_chan_send(goru_chan *c, const void *elem);

/*
 * Receives a value, the oldest. A closed channel first gives what it still holds:
 *	while (goru_chan_recv(c, &value) > 0)
 *
 * c: the channel.
 * elem: where the value goes, elem_size bytes; NULL drops it.
 * Returns: 1 got a value; 0 closed and drained, *elem zeroed; -EINVAL c is NULL; -ECANCELED on a
 * plain thread when goru_shutdown ended the wait. On a negative result *elem is untouched.
 * Call from: anywhere.
 * Waits: until there is a value or the channel is closed.
 * Order: see goru_chan_send; and the close happens before a receive that returns 0.
 * Owns: the value is the caller's; elem is not touched after the return.
 * Cost: as goru_chan_send.
 */
GORU_API int goru_chan_recv(goru_chan *c, void *elem);

/*
 * goru_chan_send that never waits.
 *
 * c, elem: as in goru_chan_send.
 * Returns: as goru_chan_send, or -EAGAIN: no receiver waits and the buffer has no room.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns, Cost: as goru_chan_send.
 */
GORU_API int goru_chan_try_send(goru_chan *c, const void *elem);

/*
 * goru_chan_recv that never waits.
 *
 * c, elem: as in goru_chan_recv.
 * Returns: as goru_chan_recv, or -EAGAIN: open, and no value is there.
 * Call from: anywhere.
 * Waits: no.
 * Order, Owns, Cost: as goru_chan_recv.
 */
GORU_API int goru_chan_try_recv(goru_chan *c, void *elem);

/*
 * goru_chan_send that gives up at a deadline.
 *
 * c, elem: as in goru_chan_send.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in. A send that can be done at once is done
 * even when it is past.
 * Returns: as goru_chan_send, or -ETIMEDOUT: the value was not sent.
 * Call from: anywhere.
 * Waits: as goru_chan_send, at most until the deadline.
 * Order, Owns: as goru_chan_send.
 * Cost: as goru_chan_send; a wait adds an entry to a table of
 * deadlines, which grows by doubling: -ENOMEM when it cannot, and nothing was done.
 */
GORU_API int goru_chan_send_until(goru_chan *c, const void *elem, int64_t deadline);

/*
 * goru_chan_recv that gives up at a deadline.
 *
 * c, elem: as in goru_chan_recv.
 * deadline: nanoseconds of CLOCK_MONOTONIC, see goru_in. A receive that can be done at once is
 * done even when it is past.
 * Returns: as goru_chan_recv, or -ETIMEDOUT: nothing was received.
 * Call from: anywhere.
 * Waits: as goru_chan_recv, at most until the deadline.
 * Order, Owns: as goru_chan_recv.
 * Cost: as goru_chan_recv; a wait adds an entry to a table of
 * deadlines, which grows by doubling: -ENOMEM when it cannot, and nothing was done.
 */
GORU_API int goru_chan_recv_until(goru_chan *c, void *elem, int64_t deadline);

/*
 * Closes the channel: no more sends. Waiting senders get -EPIPE; receivers get the values still
 * held, then 0.
 *
 * c: the channel.
 * Returns: 0; -EPIPE it is closed already; -EINVAL c is NULL.
 * Call from: anywhere.
 * Waits: no.
 * Order: all before the close happens before a receive that returns 0 because of it.
 * Owns: references are as before.
 * Cost: one lock, and one wake-up for each that waits.
 */
GORU_API int goru_chan_close(goru_chan *c);

/*
 * Tells how many values the buffer holds; with others at work it may be old when it arrives.
 *
 * c: the channel.
 * Returns: 0 to capacity; 0 for NULL.
 * Call from: anywhere.
 * Waits: no.
 */
GORU_API size_t goru_chan_len(goru_chan *c);

/*
 * Tells how many values the buffer can hold.
 *
 * c: the channel.
 * Returns: the capacity it was made with; 0 for NULL.
 * Call from: anywhere.
 * Waits: no.
 */
GORU_API size_t goru_chan_cap(goru_chan *c);

/*
 * Gives a descriptor to poll for the channel in a foreign event loop: readable while a value
 * waits or the channel is closed. Take the value with goru_chan_try_recv; do not read, write or
 * close the descriptor.
 *
 * c: the channel.
 * Returns: an eventfd, the same at each call; -EINVAL c is NULL; -EMFILE, -ENFILE or -ENOMEM when
 * none can be made.
 * Call from: anywhere.
 * Waits: no.
 * Owns: the channel owns it, and closes it when it is freed.
 * Cost: made at the first call; from then on a system call when the channel becomes or stops being
 * readable.
 */
GORU_API int goru_chan_fd(goru_chan *c);

GORU_END_C_

/* Values are copied as bytes: a C++ type has to bear that. */
#ifdef __cplusplus
#define GORU_CHAN_CHECK_(T)                                                                        \
	static_assert(__is_trivially_copyable(T), "goru: a channel copies its values as bytes, "   \
						  "so T has to be trivially copyable")
#else
#define GORU_CHAN_CHECK_(T) _Static_assert(sizeof(T) > 0, "goru: T has no size")
#endif

/*
 * Declares a channel of values of type T: an opaque type `name`, and functions that do what their
 * namesakes above do, with the types checked. At file scope, with a semicolon:
 *	GORU_CHAN_OF(ints, int);
 *	ints *c = ints_make(16);
 *
 * name: the type's name, and the beginning of the functions' names:
 *	name *name_make(size_t cap)
 *	int name_send(name *c, T value)		int name_recv(name *c, T *value)
 *	int name_try_send(name *c, T value)	int name_try_recv(name *c, T *value)
 *	int name_send_until(name *c, T value, int64_t deadline)
 *	int name_recv_until(name *c, T *value, int64_t deadline)
 *	int name_close(name *c)
 *	size_t name_len(name *c)		size_t name_cap(name *c)
 *	name *name_ref(name *c)			void name_unref(name *c)
 *	goru_chan *name_chan(name *c)		the same channel, for select and goru_chan_fd
 * T: the type of a value; an array or a function pointer needs a typedef or struct around it.
 * Cost: as the functions above.
 */
#define GORU_CHAN_OF(name, T)                                                                      \
	GORU_CHAN_CHECK_(T);                                                                       \
	typedef struct name name;                                                                  \
	GORU_INLINE_ goru_chan *name##_chan(name *c)                                               \
	{                                                                                          \
		return GORU_CAST_(goru_chan *, c);                                                 \
	}                                                                                          \
	GORU_INLINE_ name *name##_make(size_t cap)                                                 \
	{                                                                                          \
		return GORU_CAST_(name *, goru_chan_make(sizeof(T), cap));                         \
	}                                                                                          \
	GORU_INLINE_ int name##_send(name *c, T value)                                             \
	{                                                                                          \
		return goru_chan_send(name##_chan(c), &value);                                     \
	}                                                                                          \
	GORU_INLINE_ int name##_recv(name *c, T *value)                                            \
	{                                                                                          \
		return goru_chan_recv(name##_chan(c), value);                                      \
	}                                                                                          \
	GORU_INLINE_ int name##_try_send(name *c, T value)                                         \
	{                                                                                          \
		return goru_chan_try_send(name##_chan(c), &value);                                 \
	}                                                                                          \
	GORU_INLINE_ int name##_try_recv(name *c, T *value)                                        \
	{                                                                                          \
		return goru_chan_try_recv(name##_chan(c), value);                                  \
	}                                                                                          \
	GORU_INLINE_ int name##_send_until(name *c, T value, int64_t deadline)                     \
	{                                                                                          \
		return goru_chan_send_until(name##_chan(c), &value, deadline);                     \
	}                                                                                          \
	GORU_INLINE_ int name##_recv_until(name *c, T *value, int64_t deadline)                    \
	{                                                                                          \
		return goru_chan_recv_until(name##_chan(c), value, deadline);                      \
	}                                                                                          \
	GORU_INLINE_ int name##_close(name *c)                                                     \
	{                                                                                          \
		return goru_chan_close(name##_chan(c));                                            \
	}                                                                                          \
	GORU_INLINE_ size_t name##_len(name *c)                                                    \
	{                                                                                          \
		return goru_chan_len(name##_chan(c));                                              \
	}                                                                                          \
	GORU_INLINE_ size_t name##_cap(name *c)                                                    \
	{                                                                                          \
		return goru_chan_cap(name##_chan(c));                                              \
	}                                                                                          \
	GORU_INLINE_ name *name##_ref(name *c)                                                     \
	{                                                                                          \
		return GORU_CAST_(name *, goru_chan_ref(name##_chan(c)));                          \
	}                                                                                          \
	GORU_INLINE_ void name##_unref(name *c)                                                    \
	{                                                                                          \
		goru_chan_unref(name##_chan(c));                                                   \
	}                                                                                          \
	GORU_CHAN_CHECK_(T)

#endif
