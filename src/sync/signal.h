/* signal.h - what the engine asks of signals that go to channels. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_SIGNAL_H
#define GRT_SYNC_SIGNAL_H

/* By shutdown: none goes to any channel any more. */
void grt_signals_end(void);

/* Around a fork, on its thread: before it, and after it in the parent or in the child, where no signal goes to a channel. */
void grt_signals_fork(void);
void grt_signals_fork_parent(void);
void grt_signals_fork_child(void);

#endif
