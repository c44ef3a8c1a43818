/* counts.c - what the process holds, and how many goroutines and threads there are, wait or sleep. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#include "part/stack.h"
#include "rt/idle.h"
#include "rt/plain.h"
#include "rt/self.h"

/* While the runtime is on, its monitor has files of the kernel's open for a moment. */
static bool may_be_the_monitors(const char *fd)
{
	char path[64], target[16] = { 0 };

	if (grt_load(&grt_rt.phase) == RT_OFF)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%.16s", fd);
	return readlink(path, target, sizeof(target) - 1) <= 0 || !strncmp(target, "/proc/", 6) ||
	       !strncmp(target, "/sys/", 5);
}

/* The kernel lists a thread for a moment after it was joined, but with a flag that says it ends: include/linux/sched.h. */
static bool is_ending(const char *tid)
{
	enum { ENDING = 4 };
	char path[64], line[512];
	unsigned flags = ENDING; /* gone already */
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[n > 0 ? n : 0] = '\0';
	at = strrchr(line, ')'); /* behind the name: state, five numbers, the flags */
	if (at)
		(void)sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %u", &flags);
	return flags & ENDING;
}

static int living_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.' && !is_ending(e->d_name);
	if (d)
		closedir(d);
	return n;
}

/* The emulator's threads end some time after those they emulate. */
int test_threads(void)
{
	int n = living_threads(), last = -1;

	for (int i = 0; test_emulated() && i < 100 && n != last; i++) {
		last = n;
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
		n = living_threads();
	}
	return n;
}

int test_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d) &&
		     !may_be_the_monitors(e->d_name);
	if (d)
		closedir(d);
	return n;
}

int test_mappings(void)
{
	static char buf[1 << 16];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), lines = 0;

	for (ssize_t n; fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0;)
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	if (fd >= 0)
		close(fd);
	return lines;
}

/* The n-th number there, of pages. */
static size_t of_statm(int n)
{
	unsigned long pages[2] = { 0 };
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &pages[0], &pages[1]) != 2)
		abort();
	fclose(f);
	return pages[n] * (size_t)sysconf(_SC_PAGESIZE);
}

size_t test_address_space(void)
{
	return of_statm(0);
}

size_t test_resident(void)
{
	return of_statm(1);
}

/* The runtime. */

struct lives {
	int alive, waiting, parked;
};

static void add_life(struct g *g, void *arg)
{
	struct lives *n = arg;
	uint8_t state = grt_load(&g->state);

	n->alive += state != G_DEAD;
	n->waiting += state == G_WAITING;
	n->parked += state == G_WAITING &&
		     atomic_load_explicit(g->flags & G_LOCKED ? &g->lock_at.sp : &g->sched.sp,
					  memory_order_acquire); /* gobuf.B */
}

static struct lives lives(void)
{
	struct lives n = { 0 };

	grt_stack_each(add_life, &n);
	n.alive -= goru_id() != 0;
	return n;
}

int test_alive(void)
{
	return lives().alive;
}

int test_asleep(void)
{
	uint32_t plain;

	(void)grt_plain_asleep(&plain);
	return lives().waiting + (int)plain - (goru_id() != 0);
}

int test_parked(void)
{
	return lives().parked;
}

bool test_workers_asleep(void)
{
	bool yes;

	grt_spin_lock(&grt_rt.lock);
	yes = grt_rt.nmidle == grt_rt.nm && !grt_rt.nm_starting && !grt_work_visible();
	grt_spin_unlock(&grt_rt.lock);
	return yes;
}

/* ThreadSanitizer does not see that the worker's end comes after what its goroutines looked at. */
__attribute__((no_sanitize("thread"))) bool test_stopping(void)
{
	struct m *m = grt_arch_self();
	uint32_t attention;
	struct p *p;

	if (grt_load(&grt_rt.phase) != RT_STOPPING)
		return false;
	if (!m || !m->curg)
		return true;
	memcpy(&p, (const void *)&m->p, sizeof(p));
	if (!p) /* taken for good, or for the moment of a hand-shake */
		return grt_load(&m->curg->state) != G_RUNNING;
	memcpy(&attention, (const void *)&p->attention, sizeof(attention));
	return attention & ATT_STOP;
}

void test_await_shutdown(void)
{
	while (!test_stopping()) /* not UNTIL, which would wait in goru */
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}
