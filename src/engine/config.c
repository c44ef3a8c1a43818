/* config.c - what the program and its environment asked for. */
/* SPDX-License-Identifier: MIT */
#include "engine/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fatal.h"
#include "os/os.h"
#include "part/stack.h"
#include "rt/rt.h"

enum {
	DEFAULT_STACK = 262144,
	DEFAULT_THREADS = 10000,
	DEFAULT_SPARE_MS = 10000,
	DEFAULT_FOLLOW_MS = 1000
};

static void unreadable(const char *name, const char *value, const char *what)
{
	grt_warn("%s=%s is not %s; the default is used", name, value, what);
}

#define DEBUG_WORDS                                                                                \
	"one of follow=MS, handoff=0, hang=S, membarrier=0, migrate=1, schedtrace=MS, spare=MS, spawnfail=1"
_Static_assert(GRT_MAX_PROCS == 1024, "the text for GORU_PROCS says so");

/* A number with an optional K, M or G; 0: not one. */
static size_t parse_size(const char *text)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);
	unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;

	if (*text < '0' || *text > '9' || end[shift ? 1 : 0] || n > (SIZE_MAX >> shift))
		return 0;
	return (size_t)n << shift;
}

static unsigned parse_unsigned(const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *text < '0' || *text > '9' || *end || n > max ? 0 : (unsigned)n;
}

/* One word of GORU_DEBUG. */
static bool debug_word(struct settings *s, const char *word)
{
	if (!strcmp(word, "spawnfail=1"))
		s->spawn_log = true;
	else if (!strcmp(word, "migrate=1"))
		s->migrate = true;
	else if (!strcmp(word, "membarrier=0"))
		s->no_membarrier = true;
	else if (!strcmp(word, "handoff=0"))
		s->no_handoff = true;
	else if (!strncmp(word, "follow=", 7))
		return (s->follow_ms = parse_unsigned(word + 7, 1u << 20)) != 0;
	else if (!strncmp(word, "hang=", 5))
		return (s->hang_seconds = parse_unsigned(word + 5, 1u << 20)) != 0;
	else if (!strncmp(word, "schedtrace=", 11))
		return (s->trace_ms = parse_unsigned(word + 11, 1u << 20)) != 0;
	else if (!strncmp(word, "spare=", 6))
		return (s->spare_ms = parse_unsigned(word + 6, 1u << 20)) != 0;
	else
		return false;
	return true;
}

static void debug(struct settings *s, const char *value)
{
	char copy[256], *save = NULL;

	if (strlen(value) >= sizeof(copy)) {
		unreadable("GORU_DEBUG", value, DEBUG_WORDS);
		return;
	}
	strcpy(copy, value);
	for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save))
		if (!debug_word(s, w))
			unreadable("GORU_DEBUG", w, DEBUG_WORDS);
}

static void environment(struct settings *s)
{
	const char *v = getenv("GORU_PROCS");

	if (v && *v) {
		unsigned n = parse_unsigned(v, GRT_MAX_PROCS);

		if (n)
			s->procs = n;
		else
			unreadable("GORU_PROCS", v, "a number from 1 to 1024");
	}
	v = getenv("GORU_STACK_SIZE");
	if (v && *v) {
		int cls = grt_stack_class(parse_size(v));

		if (cls >= 0)
			s->cls = (unsigned)cls;
		else
			unreadable("GORU_STACK_SIZE", v, "a size from 16K to 1G");
	}
	v = getenv("GORU_DEBUG");
	if (v && *v)
		debug(s, v);
}

/* The program's struct may be an older, shorter one: what it does not have is zero. */
static int program(struct settings *s, const goru_config *given)
{
	goru_config cfg = { 0 };
	int cls;

	if (given->struct_size < offsetof(goru_config, max_threads))
		return -EINVAL;
	memcpy(&cfg, given, given->struct_size < sizeof(cfg) ? given->struct_size : sizeof(cfg));
	if (cfg.procs > GRT_MAX_PROCS)
		return -EINVAL;
	if (cfg.flags & ~(GORU_CONFIG_GUARDS_ONLY | GORU_CONFIG_SPAWN_FATAL | GORU_CONFIG_NO_SEGV))
		return -EINVAL;
	if (cfg.stack_size) {
		cls = grt_stack_class(cfg.stack_size);
		if (cls < 0)
			return cls;
		s->cls = (unsigned)cls;
	}
	s->flags = cfg.flags;
	s->on_deadlock = cfg.on_deadlock;
	s->on_deadlock_arg = cfg.on_deadlock_arg;
	s->procs = cfg.procs ? cfg.procs : s->procs;
	s->max_threads = cfg.max_threads ? cfg.max_threads : s->max_threads;
	return 0;
}

int grt_settings(struct settings *s, const goru_config *cfg)
{
	*s = (struct settings){ .cls = (unsigned)grt_stack_class(DEFAULT_STACK),
				.max_threads = DEFAULT_THREADS,
				.spare_ms = DEFAULT_SPARE_MS,
				.follow_ms = DEFAULT_FOLLOW_MS };
	environment(s);

	int rc = cfg ? program(s, cfg) : 0;

	if (rc < 0)
		return rc;
	s->by_hand = s->procs != 0;
	if (!s->procs)
		s->procs = s->cpus = grt_os_cpus();
	if (s->procs > GRT_MAX_PROCS)
		s->procs = GRT_MAX_PROCS;
	if (s->max_threads < s->procs)
		s->max_threads = s->procs;
	return 0;
}
