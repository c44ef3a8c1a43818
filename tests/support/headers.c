/* headers.c - what the public headers say of the functions they declare. */
/* SPDX-License-Identifier: MIT */
#include "headers.h"

#include <glob.h>

#include "test.h"

/* The name of the function that a line declares, into out; false: it declares none. */
static bool declares(const char *line, char *out)
{
	const char *at = strstr(line, "goru_"), *end;

	if (strncmp(line, "GORU_API", 8) || !strchr(line, '('))
		return false;
	for (end = strchr(line, '('); at && at < end;) {
		size_t n = strcspn(at, " *(");

		if (at[n] == '(') {
			memcpy(out, at, n);
			out[n] = '\0';
			return true;
		}
		at = strstr(at + n, "goru_");
	}
	return false;
}

static int read_header(FILE *f, void (*fn)(const char *name))
{
	char line[512], name[512];
	bool waits = false, last = false;
	int found = 0;

	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "/*", 2))
			waits = false;
		else if (!strncmp(line, " * Waits: ", 10))
			waits = strncmp(line + 10, "no", 2) != 0;
		else if (!strncmp(line, " * Call from, Waits", 19))
			waits = last; /* as the one before */
		if (!declares(line, name))
			continue;
		if (waits)
			fn(name);
		found += waits;
		last = waits;
		waits = false;
	}
	return found;
}

int headers_waiting(const char *all, void (*fn)(const char *name))
{
	int found = 0;
	glob_t files;

	if (!CHECK_EQ(glob(all, 0, NULL, &files), 0))
		return 0;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		FILE *f = fopen(files.gl_pathv[i], "r");

		if (!test_check(f != NULL, __FILE__, __LINE__, files.gl_pathv[i]))
			continue;
		found += read_header(f, fn);
		fclose(f);
	}
	globfree(&files);
	return found;
}
