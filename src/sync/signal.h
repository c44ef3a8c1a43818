/* signal.h - what the engine asks of signals that go to channels. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_SYNC_SIGNAL_H
#define GRT_SYNC_SIGNAL_H

/* By shutdown: none goes to any channel any more. */
void grt_signals_end(void);

#endif
