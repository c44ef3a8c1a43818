/* wordcount.c - count the words of all files under some directories, with a pool of goroutines. */
/* SPDX-License-Identifier: MIT */

/*
 *	wordcount [-n TOP] [-j READERS] [DIR...]	without DIR: the current directory
 *
 * A word is a run of letters, digits and underscores, in lower case; a byte above 127 counts as a
 * letter, so that words in UTF-8 stay whole. Of a longer word the first 63 bytes count. Files with
 * a NUL byte in their first block are taken for binary and skipped, .git is, and no symbolic link
 * below DIR is followed. A file that cannot be read is reported, and the others are read.
 *
 *	find_files --paths--> read_files (READERS of them) --reports--> main
 *
 * Paths and reports wait in channels of fixed size, so memory grows with the number of different
 * words only, and with the longest directory. Each reader counts in a table of its own, without
 * locks; main adds the tables up when the readers have ended. Only main prints.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <goru.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Erases the progress line. */
#define CLEAR "\r\033[K"

enum { BLOCK = 65536, LONGEST = 63, MAX_READERS = 256, QUEUE = 64 };

static void die(const char *why)
{
	fprintf(stderr, "wordcount: %s\n", why);
	exit(EXIT_FAILURE);
}

static void *need(void *memory)
{
	if (!memory)
		die("no memory");
	return memory;
}

/* ---- a table of words: open addressing, at most half full ---- */

struct word {
	uint64_t count;
	uint32_t hash;
	char text[];
};

struct table {
	struct word **slots;
	size_t size, used; /* size: 0 or a power of two */
};

static struct word **slot_of(struct table *t, const char *text, size_t len, uint32_t hash)
{
	size_t i = hash & (t->size - 1);

	for (; t->slots[i]; i = (i + 1) & (t->size - 1)) {
		struct word *w = t->slots[i];

		if (w->hash == hash && strncmp(w->text, text, len) == 0 && !w->text[len])
			break;
	}
	return &t->slots[i];
}

/* Makes room for one more. */
static void reserve(struct table *t)
{
	struct table old = *t;

	if (old.used < old.size / 2)
		return;
	t->size = old.size ? 2 * old.size : 1024;
	t->slots = need(calloc(t->size, sizeof(*t->slots)));
	for (size_t i = 0; i < old.size; i++) {
		struct word *w = old.slots[i];

		if (w)
			*slot_of(t, w->text, strlen(w->text), w->hash) = w;
	}
	free(old.slots);
}

static void count_word(struct table *t, const char *text, size_t len, uint32_t hash)
{
	struct word **slot;

	reserve(t);
	slot = slot_of(t, text, len, hash);
	if (!*slot) {
		*slot = need(malloc(sizeof(**slot) + len + 1));
		(*slot)->count = 0;
		(*slot)->hash = hash;
		memcpy((*slot)->text, text, len);
		(*slot)->text[len] = '\0';
		t->used++;
	}
	(*slot)->count++;
}

/* Moves all words of `from` into `to`. */
static void merge(struct table *to, struct table *from)
{
	for (size_t i = 0; i < from->size; i++) {
		struct word *w = from->slots[i], **slot;

		if (!w)
			continue;
		reserve(to);
		slot = slot_of(to, w->text, strlen(w->text), w->hash);
		if (*slot) {
			(*slot)->count += w->count;
			free(w);
		} else {
			*slot = w;
			to->used++;
		}
	}
	free(from->slots);
}

/* ---- what the goroutines tell one another; whoever receives a path frees it ---- */

struct report {
	char *path;
	int error; /* 0, or a negative errno value */
	bool binary;
	uint64_t words;
};

GORU_CHAN_OF(paths, char *);
GORU_CHAN_OF(reports, struct report);

static void fail(reports *out, char *path, int error)
{
	struct report r = { path, error, false, 0 };

	reports_send(out, r);
}

/* ---- finding files: one goroutine ---- */

static char *join(const char *dir, const char *name)
{
	size_t len = strlen(dir), slash = len > 0 && dir[len - 1] != '/';
	char *whole = need(malloc(len + slash + strlen(name) + 1));

	memcpy(whole, dir, len);
	memcpy(whole + len, "/", slash);
	strcpy(whole + len + slash, name);
	return whole;
}

static int wanted(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
	       strcmp(e->d_name, ".git") != 0;
}

/* Directories that are still to be read. */
struct stack {
	char **dirs;
	size_t size, used;
};

static void push(struct stack *s, char *dir)
{
	if (s->used == s->size) {
		s->size = s->size ? 2 * s->size : 64;
		s->dirs = need(realloc(s->dirs, s->size * sizeof(*s->dirs)));
	}
	s->dirs[s->used++] = dir;
}

/* A file goes to the readers, a directory on the stack. Takes p over. */
static void sort_out(struct stack *todo, char *p, unsigned char type, paths *files, reports *out)
{
	struct stat st;

	if (type == DT_UNKNOWN) { /* some file systems do not say */
		int err = goru_blocking_sys(lstat(p, &st));

		if (err < 0) {
			fail(out, p, err);
			return;
		}
		type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_LNK;
	}
	if (type == DT_DIR)
		push(todo, p);
	else if (type != DT_REG || paths_send(files, p) != 0)
		free(p);
}

static void find_files(char **roots, paths *files, reports *out, goru_waitgroup *senders)
{
	struct stack todo = { NULL, 0, 0 };

	for (; *roots; roots++) {
		push(&todo, join(*roots, ""));
		while (todo.used > 0) {
			char *dir = todo.dirs[--todo.used];
			struct dirent **entries;
			int n = goru_blocking_sys(scandir(dir, &entries, wanted, NULL));

			if (n < 0) {
				fail(out, dir, n);
				continue;
			}
			for (int i = 0; i < n; i++) {
				sort_out(&todo, join(dir, entries[i]->d_name), entries[i]->d_type,
					 files, out);
				free(entries[i]);
			}
			free(entries);
			free(dir);
		}
	}
	free(todo.dirs);
	paths_close(files);
	goru_waitgroup_done(senders);
}

/* ---- reading files: many goroutines ---- */

struct scan {
	struct table *table;
	uint64_t words;
	uint32_t hash; /* of the word begun, FNV-1a */
	size_t len;
	char text[LONGEST];
};

static void end_word(struct scan *s)
{
	if (s->len > 0) {
		count_word(s->table, s->text, s->len, s->hash);
		s->words++;
	}
	s->len = 0;
	s->hash = 2166136261u;
}

static void scan_block(struct scan *s, const unsigned char *block, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned c = block[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c > 127) {
			if (s->len < LONGEST) {
				s->text[s->len++] = (char)c;
				s->hash = (s->hash ^ c) * 16777619u;
			}
		} else {
			end_word(s);
		}
	}
}

static struct report read_file(char *p, unsigned char *block, struct table *table)
{
	struct report r = { p, 0, false, 0 };
	struct scan s = { table, 0, 0, 0, { 0 } };
	/* Not to be led astray, nor to hang, when the file has been replaced meanwhile. */
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = goru_blocking_sys(open(p, flags));
	ssize_t n;

	if (fd < 0) {
		r.error = fd;
		return r;
	}
	end_word(&s);
	n = goru_blocking_sys(read(fd, block, BLOCK));
	r.binary = n > 0 && memchr(block, 0, (size_t)n);
	while (n > 0 && !r.binary) {
		scan_block(&s, block, (size_t)n);
		n = goru_blocking_sys(read(fd, block, BLOCK));
	}
	end_word(&s);
	r.words = s.words;
	if (n < 0)
		r.error = (int)n;
	goru_blocking(close(fd));
	return r;
}

static void read_files(paths *files, reports *out, struct table *table, goru_waitgroup *senders)
{
	unsigned char *block = need(malloc(BLOCK));
	char *p;

	while (paths_recv(files, &p) > 0)
		reports_send(out, read_file(p, block, table));
	free(block);
	goru_waitgroup_done(senders);
}

static void close_after(goru_waitgroup *senders, reports *out)
{
	if (goru_waitgroup_wait(senders) == 0)
		reports_close(out);
}

/* ---- main: the sums, and all that is printed ---- */

struct options {
	char **roots;
	int top, readers;
	bool failed; /* set when nothing could be read */
};

struct totals {
	uint64_t files, words, binary, errors;
};

static void take(struct totals *sum, struct report *r, bool progress)
{
	if (r->error < 0) {
		sum->errors++;
		fprintf(stderr, "%swordcount: %s: %s\n", progress ? CLEAR : "", r->path,
			strerror(-r->error));
	} else if (r->binary) {
		sum->binary++;
	} else {
		sum->files++;
	}
	sum->words += r->words;
	free(r->path);
}

static struct totals collect(reports *in)
{
	bool progress = isatty(STDERR_FILENO) == 1;
	int64_t next = progress ? goru_in(GORU_SEC / 10) : GORU_FOREVER;
	struct totals sum = { 0, 0, 0, 0 };
	struct report r;
	int got;

	while ((got = reports_recv_until(in, &r, next)) != 0) {
		if (got > 0)
			take(&sum, &r, progress);
		if (progress && goru_now() >= next) {
			fprintf(stderr, CLEAR "%" PRIu64 " files, %" PRIu64 " words", sum.files,
				sum.words);
			next = goru_in(GORU_SEC / 10);
		}
	}
	if (progress)
		fprintf(stderr, CLEAR);
	return sum;
}

static int by_count(const void *a, const void *b)
{
	const struct word *x = *(struct word *const *)a, *y = *(struct word *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->text, y->text);
}

/* Prints the most frequent words, and frees the table. */
static void print_top(struct table *t, size_t top)
{
	size_t n = 0;

	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i])
			t->slots[n++] = t->slots[i];
	if (n > 0)
		qsort(t->slots, n, sizeof(*t->slots), by_count);
	for (size_t i = 0; i < n; i++) {
		if (i < top)
			printf("%10" PRIu64 "  %s\n", t->slots[i]->count, t->slots[i]->text);
		free(t->slots[i]);
	}
	free(t->slots);
}

static void run(void *arg)
{
	struct options *o = arg;
	struct table tables[MAX_READERS] = { { NULL, 0, 0 } }, all = { NULL, 0, 0 };
	goru_waitgroup senders = GORU_WAITGROUP_INIT;
	paths *files = need(paths_make(QUEUE));
	reports *out = need(reports_make(QUEUE));
	int64_t begin = goru_now();
	int err;

	goru_waitgroup_add(&senders, 1 + o->readers);
	err = go(find_files, o->roots, files, out, &senders);
	for (int i = 0; i < o->readers && err == 0; i++)
		err = go(read_files, files, out, &tables[i], &senders);
	if (err != 0 || go(close_after, &senders, out) != 0)
		die("cannot start a goroutine");

	struct totals sum = collect(out);
	double seconds = (double)(goru_now() - begin) / GORU_SEC;

	for (int i = 0; i < o->readers; i++)
		merge(&all, &tables[i]);
	paths_unref(files);
	reports_unref(out);

	size_t different = all.used;

	print_top(&all, (size_t)o->top);
	printf("%" PRIu64 " files, %" PRIu64 " words, %zu different\n", sum.files, sum.words,
	       different);
	printf("skipped as binary: %" PRIu64 ", errors: %" PRIu64 "\n", sum.binary, sum.errors);
	fflush(stdout);
	o->failed = sum.errors > 0 && sum.files + sum.binary == 0;
	fprintf(stderr, "%.3f s, %.0f files/s\n", seconds,
		(double)(sum.files + sum.binary) / seconds);
}

static int number(const char *text, int least, int most)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < least || n > most) {
		fprintf(stderr, "wordcount: %s: not a number from %d to %d\n", text, least, most);
		exit(2);
	}
	return (int)n;
}

int main(int argc, char **argv)
{
	char dot[] = ".", *here[] = { dot, NULL };
	struct options o = { here, 10, 0, false };
	int opt;

	while ((opt = getopt(argc, argv, "n:j:")) != -1) {
		if (opt == 'n') {
			o.top = number(optarg, 0, 1000000);
		} else if (opt == 'j') {
			o.readers = number(optarg, 1, MAX_READERS);
		} else {
			fprintf(stderr, "usage: wordcount [-n TOP] [-j READERS] [DIR...]\n");
			return 2;
		}
	}
	if (optind < argc)
		o.roots = argv + optind;
	if (o.readers == 0)
		o.readers = goru_procs() < 32 ? 8 * (int)goru_procs() : MAX_READERS;
	if (goru_run(run, &o) != 0)
		die("cannot start a goroutine");
	return o.failed || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Output:
 *          6  the
 *          4  evenly
 *          2  a
 *          2  and
 *          2  are
 *          2  end
 *          2  one
 *          2  value
 *          1  all
 *          1  another
 * 4 files, 52 words, 38 different
 * skipped as binary: 1, errors: 0
 */
