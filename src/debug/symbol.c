/* symbol.c - names of code addresses: /proc/self/maps and the symbol tables of the files it names. */
/* SPDX-License-Identifier: MIT */
/*
 * dladdr would take the loader's lock, which a thread in a library's constructor may hold for ever, and it knows only what
 * is exported: no static function, and nothing of a program that was not linked with -rdynamic.
 */
#include "debug/symbol.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void add(struct symbols *s, const char *line)
{
	struct module *m = &s->module[s->n];
	unsigned long lo, hi, offset;
	char perms[5];
	int at = 0;

	if (s->n == SYM_MODULES ||
	    sscanf(line, "%lx-%lx %4s %lx %*s %*s %n", &lo, &hi, perms, &offset, &at) < 4 ||
	    perms[2] != 'x' || line[at] != '/')
		return;
	m->lo = lo;
	m->hi = hi;
	m->offset = offset;
	snprintf(m->path, sizeof(m->path), "%s", line + at);
	s->n++;
}

void grt_symbols_init(struct symbols *s)
{
	char buf[SYM_PATH + 128];
	size_t have = 0;
	ssize_t got;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	s->n = 0;
	if (fd < 0)
		return;
	while ((got = read(fd, buf + have, sizeof(buf) - 1 - have)) > 0) {
		char *line = buf, *end;

		have += (size_t)got;
		buf[have] = '\0';
		while ((end = strchr(line, '\n'))) {
			*end = '\0';
			add(s, line);
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		if (have == sizeof(buf) - 1) /* a longer path than we keep */
			have = 0;
		memmove(buf, line, have);
	}
	close(fd);
}

void grt_symbols_fini(struct symbols *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->module[i].map)
			munmap((void *)(uintptr_t)s->module[i].map, s->module[i].size);
	s->n = 0;
}

static void map_file(struct module *m)
{
	struct stat st;
	void *map = MAP_FAILED;
	int fd;

	m->tried = true;
	fd = open(m->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof(Elf64_Ehdr))
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	m->map = map;
	m->size = (size_t)st.st_size;
	if (memcmp(map, ELFMAG, SELFMAG) || m->map[EI_CLASS] != ELFCLASS64 ||
	    m->map[EI_DATA] != ELFDATA2LSB) {
		munmap(map, m->size);
		m->map = NULL;
	}
}

/* n records of size each at offset in the file; NULL: not all of them are in it. */
static const void *in_file(const struct module *m, uint64_t offset, uint64_t n, size_t size)
{
	return offset <= m->size && n <= (m->size - offset) / size && offset % 8 == 0 ?
		       m->map + offset :
		       NULL;
}

/* Of an offset in the file, as its symbols count. */
static bool address(const struct module *m, uint64_t offset, uint64_t *out)
{
	const Elf64_Ehdr *e = (const void *)m->map;
	const Elf64_Phdr *p = in_file(m, e->e_phoff, e->e_phnum, sizeof(*p));

	for (unsigned i = 0; p && i < e->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && offset - p[i].p_offset < p[i].p_filesz) {
			*out = offset - p[i].p_offset + p[i].p_vaddr;
			return true;
		}
	return false;
}

static const char *find(const struct module *m, const Elf64_Shdr *table, const Elf64_Shdr *names,
			uint64_t at, uint64_t *start)
{
	uint64_t n = table->sh_size / sizeof(Elf64_Sym);
	const Elf64_Sym *s = in_file(m, table->sh_offset, n, sizeof(*s));

	for (uint64_t i = 0; s && i < n; i++) {
		if (!s[i].st_shndx || ELF64_ST_TYPE(s[i].st_info) != STT_FUNC ||
		    at - s[i].st_value >= s[i].st_size)
			continue;
		if (names->sh_offset > m->size || names->sh_size > m->size - names->sh_offset ||
		    s[i].st_name >= names->sh_size)
			return NULL;

		const char *name = m->map + names->sh_offset + s[i].st_name;

		*start = s[i].st_value;
		return memchr(name, '\0', names->sh_size - s[i].st_name) ? name : NULL;
	}
	return NULL;
}

static const char *function(const struct module *m, uint64_t at, uint64_t *start)
{
	const Elf64_Ehdr *e = (const void *)m->map;
	const Elf64_Shdr *h = in_file(m, e->e_shoff, e->e_shnum, sizeof(*h));
	const char *name = NULL;

	/* the full table, else what is exported */
	for (uint32_t type = SHT_SYMTAB; h && !name; type = SHT_DYNSYM) {
		for (unsigned i = 0; i < e->e_shnum && !name; i++)
			if (h[i].sh_type == type && h[i].sh_link < e->e_shnum)
				name = find(m, &h[i], &h[h[i].sh_link], at, start);
		if (type == SHT_DYNSYM)
			break;
	}
	return name;
}

void grt_symbol(struct symbols *s, uintptr_t pc, bool call, char *out, size_t size)
{
	uintptr_t in = pc - call;

	for (unsigned i = 0; i < s->n; i++) {
		struct module *m = &s->module[i];
		uint64_t at = in - m->lo + m->offset, start = 0;
		const char *file = strrchr(m->path, '/') + 1, *name = NULL;

		if (in < m->lo || in >= m->hi)
			continue;
		if (!m->tried)
			map_file(m);
		if (m->map && address(m, at, &at))
			name = function(m, at, &start);
		if (name)
			/* without what the compiler appends: .localalias, .cold */
			snprintf(out, size, "%.*s+0x%llx (%s+0x%llx)", (int)strcspn(name, "."),
				 name, (unsigned long long)(at + call - start), file,
				 (unsigned long long)(at + call));
		else
			snprintf(out, size, "%s+0x%llx", file, (unsigned long long)(at + call));
		return;
	}
	snprintf(out, size, "0x%llx", (unsigned long long)pc);
}
