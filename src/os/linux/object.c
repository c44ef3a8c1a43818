/* object.c - the plug-in that carries the static library stays loaded, as the shared library does. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>

#include "base/fatal.h"
#include "os/os.h"

/*
 * dlclose would unmap the code that workers run in. The shared library says of itself that it stays (-z nodelete); the
 * static one does not know what it is linked into, and looks. dlopen is asked for by name, because the linker warns of each
 * static program that refers to glibc's. Weak: before glibc 2.34 dlsym is libdl's, which whoever loads plug-ins has.
 */
extern __typeof__(dlsym) dlsym __attribute__((weak));

struct object {
	uintptr_t in; /* an address of ours */
	unsigned n;
	const char *name; /* NULL: a program, or it stays by itself */
};

static bool contains(const struct dl_phdr_info *d, uintptr_t addr)
{
	for (unsigned i = 0; i < d->dlpi_phnum; i++)
		if (d->dlpi_phdr[i].p_type == PT_LOAD &&
		    addr - (d->dlpi_addr + d->dlpi_phdr[i].p_vaddr) < d->dlpi_phdr[i].p_memsz)
			return true;
	return false;
}

static bool stays(const struct dl_phdr_info *d)
{
	for (unsigned i = 0; i < d->dlpi_phnum; i++) {
		const ElfW(Dyn) * at;

		if (d->dlpi_phdr[i].p_type != PT_DYNAMIC)
			continue;
		at = (const void *)(d->dlpi_addr + d->dlpi_phdr[i].p_vaddr);
		for (; at->d_tag != DT_NULL; at++)
			if (at->d_tag == DT_FLAGS_1 && at->d_un.d_val & DF_1_NODELETE)
				return true;
	}
	return false;
}

static int look(struct dl_phdr_info *d, size_t size, void *arg)
{
	struct object *o = arg;

	(void)size;
	if (!contains(d, o->in)) {
		o->n++;
		return 0;
	}
	if (o->n && !stays(d)) /* the first one is the program */
		o->name = d->dlpi_name;
	return 1;
}

/* With the very name it was loaded by: nothing is looked for in the file system. */
static bool keep(const char *name)
{
	__typeof__(dlopen) *open = dlsym ? (__typeof__(dlopen) *)dlsym(RTLD_DEFAULT, "dlopen") :
					   NULL;

	return open && open(name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

void grt_os_stay_loaded(void)
{
	static _Atomic bool done; /* by two threads at once: twice, which does no harm */
	struct object o = { .in = (uintptr_t)look };
	int saved = errno;

	if (grt_load(&done))
		return;
	dl_iterate_phdr(look, &o);
	if (o.name && !keep(o.name))
		grt_warn("%s cannot be kept loaded: it must not be closed by dlclose", o.name);
	grt_store(&done, true);
	errno = saved;
}
