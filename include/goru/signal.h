/* signal.h - signals of the process as values of a channel. */
/* SPDX-License-Identifier: MIT */
#ifndef GORU_SIGNAL_H
#define GORU_SIGNAL_H

#include <goru/base.h>
#include <goru/chan.h>

/*
 * goru's threads block all signals but those of faults: handlers, sigwait and signalfd of the program work as without
 * goru, on the program's own threads. A handler may call nothing of goru; what is here turns signals into values
 * instead:
 *	goru_chan *c = goru_chan_make(sizeof(int), 8);
 *	int signo, err = goru_signal_notify(c, SIGTERM);
 *	if (err == 0)
 *		goru_chan_recv(c, &signo);
 */

GORU_BEGIN_C_

/*
 * From now on each arrival of a signal at the process sends its number to a channel, whether its threads block it or
 * not. While a signal goes to any channel, what the program had set up for it does not happen: its handler is not
 * called, and what ends, stops or does nothing by default does so no more. Several channels may get one signal, one
 * channel several, and the same pair twice is once. A channel that is full, or closed, or unbuffered without a receiver
 * waiting, misses the signal: give it room for those that may come before it is looked at. Signals that become one in
 * the kernel (all but the real-time ones, while one is pending) arrive once. Of different signals that arrive together
 * the lower number is sent first.
 *
 * System calls that a signal interrupts begin anew (SA_RESTART). A program that blocks the signal and waits for it
 * otherwise (sigwait, signalfd) competes for it; one that sets a handler of its own with sigaction meanwhile has it, and
 * the channels get nothing, until the next goru_signal_notify for that signal.
 *
 * A process with a signal to come is no deadlock. goru_shutdown undoes all this, as goru_signal_stop does. In a child of
 * fork it is undone as well: there the signals do what they did before.
 *
 * c: a channel of int.
 * signo: the signal's number.
 * Returns: 0; -EINVAL c is NULL or not of int, or signo is no signal, one that cannot be caught (SIGKILL, SIGSTOP), one
 * that the C library keeps for itself, or one that faults raise (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS);
 * -ENOMEM; -EAGAIN no thread can be made; -ESHUTDOWN; what goru_init may return, if the runtime was off.
 * Call from: anywhere. Starts the runtime.
 * Waits: no, but for others that do this or goru_signal_stop, in the kernel.
 * Order: what was done before the call happens before a receive of its signals.
 * Owns: a reference to c, until goru_signal_stop(c) or goru_shutdown: the caller may give up its own, and may close c.
 * Cost: 32 bytes a channel. The first makes a thread, which sleeps until a signal comes, and some 50 us; the others a
 * few system calls. A signal costs two to three, and waking that thread.
 */
GORU_API int goru_signal_notify(goru_chan *c, int signo);

/*
 * No more signals go to a channel. Those that were taken before have been sent to it when the call returns, and no
 * others will be. A signal that no channel is to get any more does again what it did before goru_signal_notify, one that
 * arrives just now included; if the program has set up something else meanwhile, that stays.
 *
 * c: the channel.
 * Returns: 0; -EINVAL c is NULL; -ENOENT no signal goes to c, perhaps since goru_shutdown.
 * Call from: anywhere. Does not start the runtime.
 * Waits: no, but for goru's signal thread, in the kernel: some 50 us.
 * Owns: the reference to c is given up, which frees c if it was the last.
 * Cost: as Waits says. With the last channel the thread ends.
 */
GORU_API int goru_signal_stop(goru_chan *c);

GORU_END_C_

#endif
