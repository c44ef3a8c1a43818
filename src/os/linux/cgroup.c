/* cgroup.c - where the process's control groups lie in the file system: both versions, wherever they are mounted. */
/* SPDX-License-Identifier: MIT */
/*
 * /proc/self/cgroup names the groups as the process's cgroup namespace sees them; a mount shows part of a hierarchy, from
 * the group on that mountinfo calls its root. So a container that still sees the host's names has root /docker/1234 at
 * /sys/fs/cgroup/cpu, and one with a namespace of its own has root / there. Neither mount point is a given.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"

/* A file of /proc line by line, in a buffer of the caller's; a line that does not fit is left out. */
struct lines {
	int fd;
	bool skip;
	char *buf;
	size_t size, at, end;
};

static bool lines_open(struct lines *l, const char *path, char *buf, size_t size)
{
	*l = (struct lines){ .buf = buf, .size = size };
	l->fd = open(path, O_RDONLY | O_CLOEXEC);
	return l->fd >= 0;
}

/* What is left goes to the front, more is read behind it. False: no more. */
static bool more(struct lines *l)
{
	size_t left = l->end - l->at;
	ssize_t n;

	if (left == l->size) {
		l->skip = true;
		left = 0;
	}
	memmove(l->buf, l->buf + l->at, left);
	l->at = 0;
	l->end = left;
	n = read(l->fd, l->buf + left, l->size - left);
	l->end += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* NULL: no more, and the file is closed. */
static char *next_line(struct lines *l)
{
	for (;;) {
		char *line = l->buf + l->at, *nl = memchr(line, '\n', l->end - l->at);

		if (nl) {
			bool whole = !l->skip;

			*nl = '\0';
			l->at = (size_t)(nl + 1 - l->buf);
			l->skip = false;
			if (whole)
				return line;
		} else if (!more(l)) {
			close(l->fd);
			return NULL;
		}
	}
}

/* Is word one of the words in list, which commas part? */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ',') && (at[n] == ',' || !at[n]))
			return true;
	return false;
}

/* True: it is another one than last time. */
static bool set_group(struct os_cgroup *g, const char *name)
{
	if (strlen(name) >= GRT_OS_PATH)
		name = "";
	if (!strcmp(g->group, name))
		return false;
	strcpy(g->group, name);
	return true;
}

/* "5:cpu,cpuacct:/x" and "0::/y". True: another group than last time. */
static bool read_groups(struct os_cpus *c)
{
	bool changed = false, have1 = false, have2 = false;
	struct lines l;
	char *line;

	if (lines_open(&l, "/proc/self/cgroup", c->text, sizeof(c->text))) {
		while ((line = next_line(&l))) {
			char *names = strchr(line, ':');
			char *group = names ? strchr(names + 1, ':') : NULL;

			if (!group)
				continue;
			*group++ = '\0';
			names++;
			if (!*names) {
				changed |= set_group(&c->v2, group);
				have2 = true;
			} else if (has_word(names, "cpu")) {
				changed |= set_group(&c->v1, group);
				have1 = true;
			}
		}
	}
	if (!have1)
		changed |= set_group(&c->v1, "");
	if (!have2)
		changed |= set_group(&c->v2, "");
	return changed;
}

/* "/.." and more of it: from outside the namespace, and above it. */
static bool all_up(const char *root)
{
	while (!strncmp(root, "/..", 3))
		root += 3;
	return !*root;
}

static bool goes_up(const char *path)
{
	return !strncmp(path, "/..", 3) && (path[3] == '/' || !path[3]);
}

/* What of group lies below root; NULL: it is not seen there. */
static const char *below(const char *group, const char *root)
{
	size_t n = strcmp(root, "/") != 0 ? strlen(root) : 0;
	const char *rest = group + n;

	if (!strncmp(group, root, n) && (*rest == '/' || !*rest) && !goes_up(rest))
		return rest;
	/* a mount from above our namespace: what we are called there is not known, but that its root is above us is */
	return n && all_up(root) && !goes_up(group) ? "" : NULL;
}

/* In mountinfo a blank is \040, and so are a few more. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* A mount of g's hierarchy. Of several the one that shows most: our own group rather than only some above it, and then the
 * most above; the last of equals, which may hide the others. */
static void found(struct os_cgroup *g, const char *root, const char *point)
{
	const char *rest = g->group[0] ? below(g->group, root) : NULL;
	size_t top = strcmp(point, "/") != 0 ? strlen(point) : 0, hidden;

	if (!rest)
		return;
	hidden = !*rest && all_up(root) ? GRT_OS_PATH : strlen(root);
	if (!strcmp(rest, "/"))
		rest = "";
	if (hidden > g->hidden || top + strlen(rest) >= GRT_OS_PATH)
		return;
	memcpy(g->dir, point, top);
	strcpy(g->dir + top, rest);
	g->top = top;
	g->hidden = hidden;
}

/* "36 35 98:0 ROOT POINT rw,noatime master:1 - TYPE SOURCE OPTIONS" */
static void mount_line(struct os_cpus *c, char *line)
{
	char *root = NULL, *point = NULL, *type, *options, *field;

	for (int i = 0; (field = strsep(&line, " ")) && strcmp(field, "-") != 0; i++) {
		root = i == 3 ? field : root;
		point = i == 4 ? field : point;
	}
	type = strsep(&line, " ");
	(void)strsep(&line, " ");
	options = line;
	if (!point || !options)
		return;
	unescape(root);
	unescape(point);
	if (!strcmp(type, "cgroup2"))
		found(&c->v2, root, point);
	else if (!strcmp(type, "cgroup") && has_word(options, "cpu"))
		found(&c->v1, root, point);
}

static void read_mounts(struct os_cpus *c)
{
	struct lines l;
	char *line;

	c->v1.dir[0] = c->v2.dir[0] = '\0';
	c->v1.hidden = c->v2.hidden = SIZE_MAX;
	if (!lines_open(&l, "/proc/self/mountinfo", c->text, sizeof(c->text))) {
		/* where they mostly are */
		found(&c->v2, "/", "/sys/fs/cgroup");
		found(&c->v1, "/", "/sys/fs/cgroup/cpu");
		return;
	}
	while ((line = next_line(&l)))
		mount_line(c, line);
}

void grt_os_cgroups(struct os_cpus *c, bool mounts)
{
	bool changed = read_groups(c);

	if (changed || mounts)
		read_mounts(c);
}
