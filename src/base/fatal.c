/* fatal.c - the one way to die: a line, the dump, abort. */
/* SPDX-License-Identifier: MIT */
#include "base/fatal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/hooks.h"

enum { LINE = 512 };

/* One write, so that lines of several threads do not mix; the result is ignored, there is nobody to tell. */
static GRT_PRINTF(3, 0) void put(int fd, const char *prefix, const char *fmt, va_list ap)
{
	char buf[LINE];
	int n = snprintf(buf, sizeof(buf), "%s", prefix);
	int k = vsnprintf(buf + n, sizeof(buf) - (size_t)n - 1, fmt, ap);

	n += k < 0 ? 0 : k;
	if (n > LINE - 2)
		n = LINE - 2;
	buf[n++] = '\n';
	if (write(fd, buf, (size_t)n) < 0)
		return;
}

void grt_line(int fd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(fd, "", fmt, ap);
	va_end(ap);
}

void grt_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(STDERR_FILENO, "goru: ", fmt, ap);
	va_end(ap);
}

static _Atomic int dying;

bool grt_is_dying(void)
{
	return grt_load(&dying);
}

void grt_fatal_forked(void)
{
	grt_store(&dying, 0);
}

static GRT_PRINTF(1, 0) void last_words(const char *fmt, va_list ap)
{
	put(STDERR_FILENO, "goru: fatal: ", fmt, ap);
	/* a second fatal, out of the dump itself or from another thread, must not dump again */
	if (!atomic_exchange_explicit(&dying, 1, memory_order_relaxed))
		grt_hook_dump(STDERR_FILENO);
}

_Noreturn void grt_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	last_words(fmt, ap);
	va_end(ap);
	abort();
}

_Noreturn void grt_fatal_bare(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(STDERR_FILENO, "goru: fatal: ", fmt, ap);
	va_end(ap);
	abort();
}

_Noreturn void grt_fatal_exit(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	last_words(fmt, ap);
	va_end(ap);
	_exit(status);
}
