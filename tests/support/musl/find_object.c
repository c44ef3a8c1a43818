/* find_object.c - what gcc's unwinder, as Debian builds it, wants of glibc: where an address's unwind tables are. */
/* SPDX-License-Identifier: MIT */
/*
 * With it libgcc_eh.a of a glibc system unwinds in programs of musl-gcc, as gcc's own does on a musl system: by
 * dl_iterate_phdr. scripts/cmocka-source.sh compiles it, cmake/x86_64-linux-musl.cmake links it.
 */
#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* glibc's, from its <dlfcn.h> */
struct dl_find_object {
	unsigned long long flags;
	void *map_start, *map_end;
	struct link_map *link_map;
	void *eh_frame; /* PT_GNU_EH_FRAME */
	unsigned long long reserved[7];
};

int _dl_find_object(void *pc, struct dl_find_object *out) __attribute__((visibility("hidden")));

struct search {
	uintptr_t pc;
	struct dl_find_object *out;
};

static int look(struct dl_phdr_info *d, size_t size, void *arg)
{
	struct search *s = arg;
	void *tables = NULL;
	int in = 0;

	(void)size;
	for (unsigned i = 0; i < d->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &d->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && s->pc - (d->dlpi_addr + p->p_vaddr) < p->p_memsz)
			in = 1;
		if (p->p_type == PT_GNU_EH_FRAME)
			tables = (void *)(d->dlpi_addr + p->p_vaddr);
	}
	if (!in || !tables)
		return 0;
	*s->out = (struct dl_find_object){ .eh_frame = tables };
	return 1;
}

int _dl_find_object(void *pc, struct dl_find_object *out)
{
	struct search s = { (uintptr_t)pc, out };

	return dl_iterate_phdr(look, &s) ? 0 : -1;
}
