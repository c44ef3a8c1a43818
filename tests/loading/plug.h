/* plug.h - what a plug-in of these tests offers: each with the goru that it was linked with. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_TESTS_LOADING_PLUG_H
#define GRT_TESTS_LOADING_PLUG_H

#include <stdatomic.h>
#include <stdint.h>

struct plug {
	const void *goru;  /* which copy: the address of a function of it */
	int (*sum)(int n); /* up to 100 goroutines send 1 to n; their sum, or a negative error */
	int (*tick)(_Atomic int *count); /* starts a goroutine that counts for ever */
	int (*wait)(_Atomic int *go);	 /* sleeps in goru until *go */
	void (*end_with)(
		_Atomic int *ended); /* a value of the thread's own: its destructor counts */
	int (*big)(void);	     /* a call on a big stack, which gives 7 */
	int (*set_procs)(unsigned n);
	unsigned (*procs)(void);
	uint64_t (*spawned)(void);
	uint64_t (*id)(void);
	int (*shutdown)(void);
};

/* The one name that a plug-in exports by itself. */
const struct plug *plug(void);

#endif
