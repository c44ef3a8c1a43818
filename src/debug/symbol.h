/* symbol.h - names of code addresses, without the loader's locks and without malloc. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_DEBUG_SYMBOL_H
#define GRT_DEBUG_SYMBOL_H

#include "base/cc.h"

enum { SYM_MODULES = 64, SYM_PATH = 256 };

/* The process's executable mappings as they were at init. */
struct symbols {
	unsigned n;
	struct module {
		uintptr_t lo, hi;
		uint64_t offset; /* in the file */
		const char *map; /* the file, once it was needed */
		size_t size;
		bool tried;
		char path[SYM_PATH];
	} module[SYM_MODULES];
};

void grt_symbols_init(struct symbols *s);
void grt_symbols_fini(struct symbols *s);

/* "worker+0x12 (prog+0x1234)"; what is not known is left out, the address itself if need be. Static functions too, as long
 * as the file has its symbol table. call: pc is a return address, and the call before it is meant. */
void grt_symbol(struct symbols *s, uintptr_t pc, bool call, char *out, size_t size);

#endif
