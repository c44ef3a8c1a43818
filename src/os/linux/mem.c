/* mem.c - address space, pages and guards. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/os.h"

/* not in the headers of the distributions we build on */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { IOV_BATCH = 512 };

size_t grt_os_page_size(void)
{
	static _Atomic size_t cached;
	size_t n = grt_load(&cached);

	if (!n) {
		n = (size_t)sysconf(_SC_PAGESIZE);
		grt_store(&cached, n);
	}
	return n;
}

size_t grt_os_max_map_count(void)
{
	char buf[32] = { 0 };
	int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	return n > 0 ? strtoul(buf, NULL, 10) : 65530; /* the kernel's default */
}

static int map(size_t size, int prot, int flags, void **out)
{
	void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	*out = p;
	return 0;
}

int grt_os_map(size_t size, void **out)
{
	return map(size, PROT_READ | PROT_WRITE, MAP_NORESERVE, out);
}

int grt_os_reserve(size_t size, size_t align, void **out)
{
	void *p;
	int rc = map(size + align, PROT_NONE, MAP_NORESERVE, &p);

	if (rc < 0)
		return rc;

	uintptr_t lo = (uintptr_t)p, at = (lo + align - 1) & ~(align - 1);

	if (at > lo)
		munmap(p, at - lo);
	if (lo + align > at)
		munmap((void *)(at + size), lo + align - at);
	/* a huge page would make each one-page stack cost 2 MiB; where there are none, the advice fails and is not needed */
	(void)madvise((void *)at, size, MADV_NOHUGEPAGE);
	*out = (void *)at;
	return 0;
}

int grt_os_commit(void *base, size_t size)
{
	return mprotect(base, size, PROT_READ | PROT_WRITE) ? -ENOMEM : 0;
}

int grt_os_protect(void *base, size_t size)
{
	return mprotect(base, size, PROT_NONE) ? -ENOMEM : 0;
}

void grt_os_unmap(void *base, size_t size)
{
	munmap(base, size);
}

/* There is nothing to drop, and for locked mappings alone the kernel says that it is no use. */
bool grt_os_locked(void *base)
{
	int saved = errno;
	bool locked = madvise(base, grt_os_page_size(), MADV_DONTNEED) && errno == EINVAL;

	errno = saved;
	return locked;
}

bool grt_os_guard_supported(void)
{
	size_t page = grt_os_page_size();
	void *p;

	if (map(page, PROT_READ | PROT_WRITE, 0, &p) < 0)
		return false;

	int saved = errno;

	munlock(p,
		page); /* the program may have locked all that is to come, and unlock it one day */
	/* some emulators accept any advice and do nothing: the kernel must refuse to read a path from there */
	bool ok = madvise(p, page, MADV_GUARD_INSTALL) == 0 && access(p, F_OK) < 0 &&
		  errno == EFAULT;

	errno = saved;
	munmap(p, page);
	return ok;
}

/*
 * The process's own pidfd, for process_madvise; -1 where that does not exist. Opened for each batch: a descriptor kept
 * open would be one the program does not know of.
 */
static int self_fd(void)
{
	return (int)syscall(SYS_pidfd_open, getpid(), 0);
}

/* Applies advice to all ranges, in batches where the kernel takes them; how many ranges were done from the front. */
static uint32_t advise(const struct iovec *iov, uint32_t n, int advice)
{
	uint32_t done = 0;
	int saved = errno; /* the program's: a spawn may come here */

	if (n > 1) {
		int fd = self_fd();
		size_t want = 0;

		for (uint32_t i = 0; i < n; i++)
			want += iov[i].iov_len;
		if (fd >= 0) {
			long got = syscall(SYS_process_madvise, fd, iov, (size_t)n, advice, 0);

			close(fd);
			if (got >= 0 && (size_t)got == want)
				return n;
		}
		errno = saved;
	}
	/* refused, or done in part: one by one; doing a range twice does no harm */
	while (done < n && madvise(iov[done].iov_base, iov[done].iov_len, advice) == 0)
		done++;
	errno = saved;
	return done;
}

/* The same advice for len bytes at base + i * stride, i in 0..n-1; how many were done from the front. */
static uint32_t advise_strided(char *base, size_t stride, size_t len, uint32_t n, int advice)
{
	struct iovec iov[IOV_BATCH];
	uint32_t done = 0;

	while (done < n) {
		uint32_t k = n - done < IOV_BATCH ? n - done : IOV_BATCH;

		for (uint32_t i = 0; i < k; i++)
			iov[i] = (struct iovec){ base + (done + i) * stride, len };

		uint32_t made = advise(iov, k, advice);

		done += made;
		if (made < k)
			break;
	}
	return done;
}

uint32_t grt_os_guard(void *base, size_t stride, size_t len, uint32_t n)
{
	return advise_strided(base, stride, len, n, MADV_GUARD_INSTALL);
}

void grt_os_populate(void *base, size_t stride, uint32_t n)
{
	(void)advise_strided(base, stride, grt_os_page_size(), n, MADV_POPULATE_WRITE);
}

void grt_os_discard(const struct os_range *r, unsigned n)
{
	struct iovec iov[IOV_BATCH];

	while (n) {
		unsigned k = n < IOV_BATCH ? n : IOV_BATCH;

		for (unsigned i = 0; i < k; i++)
			iov[i] = (struct iovec){ r[i].base, r[i].size };
		(void)advise(iov, k, MADV_DONTNEED);
		r += k;
		n -= k;
	}
}

size_t grt_os_resident(void *base, size_t size)
{
	size_t page = grt_os_page_size(), n = 0;
	unsigned char have[4096];

	for (size_t at = 0; at < size; at += sizeof(have) * page) {
		size_t len = size - at < sizeof(have) * page ? size - at : sizeof(have) * page;

		if (mincore((char *)base + at, len, have))
			continue;
		for (size_t i = 0; i < len / page; i++)
			n += have[i] & 1;
	}
	return n * page;
}
