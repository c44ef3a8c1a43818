/* segv.c - faults that are no overflow go on as if goru had no handler; and what a worker has for handlers to run on. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deep.h"
#include "test.h"

#include "base/sanitizer.h"
#include "part/stack.h"
#include "rt/self.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* All of it in children. */

static char *page[2]; /* without access */
static _Atomic int handled;

static void pages(void)
{
	for (int i = 0; i < 2; i++) {
		page[i] = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(page[i] != MAP_FAILED);
	}
}

static void touch(int i)
{
	*(volatile char *)page[i] = 1;
}

static void touches_on_goroutine(void *wg)
{
	touch(1);
	goru_waitgroup_done(wg);
}

static bool blocked(int sig)
{
	sigset_t s;

	pthread_sigmask(SIG_SETMASK, NULL, &s);
	return sigismember(&s, sig) == 1;
}

static void allow(siginfo_t *info)
{
	int i = (char *)info->si_addr == page[1];

	if ((char *)info->si_addr != page[i] || mprotect(page[i], 4096, PROT_READ | PROT_WRITE))
		_exit(90);
	atomic_fetch_add(&handled, 1);
}

static void with_mask(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (!blocked(sig) || !blocked(SIGUSR1) || blocked(SIGFPE))
		_exit(91);
	allow(info);
}

/* The second page faults while the first fault is handled. */
static void nested(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (blocked(sig) || !blocked(SIGUSR1) || blocked(SIGFPE))
		_exit(92);
	if ((char *)info->si_addr == page[0])
		touch(1);
	allow(info);
}

static void set(void (*fn)(int, siginfo_t *, void *), unsigned flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = (int)(flags | SA_SIGINFO) };

	sigaddset(&sa.sa_mask, SIGUSR1);
	CHECK_EQ(sigaction(SIGSEGV, &sa, NULL), 0);
}

static void masks(void)
{
	goru_waitgroup wg = GORU_WAITGROUP_INIT;

	pages();
	set(with_mask, 0);
	CHECK_EQ(goru_init(NULL), 0);
	touch(0);
	CHECK(!blocked(SIGSEGV) && !blocked(SIGUSR1));
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_go(touches_on_goroutine, &wg), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(atomic_load(&handled), 2);
	CHECK_EQ(goru_shutdown(), 0);
}

static void nests(void)
{
	pages();
	set(nested, SA_NODEFER);
	CHECK_EQ(goru_init(NULL), 0);
	touch(0);
	CHECK_EQ(atomic_load(&handled), 2);
}

static void once(void)
{
	struct sigaction now;

	pages();
	set(with_mask, SA_RESETHAND);
	CHECK_EQ(goru_init(NULL), 0);
	touch(0);
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(sigaction(SIGSEGV, NULL, &now), 0);
	CHECK(!(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL);
}

static void twice(void)
{
	pages();
	set(with_mask, SA_RESETHAND);
	CHECK_EQ(goru_init(NULL), 0);
	touch(0);
	touch(1);
}

static bool dies_of_segv(void (*fn)(void))
{
	static struct test_end e;

	test_child(fn, &e);
	return WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGSEGV && !e.len;
}

static void handler_as_it_was_set(void)
{
	CHECK_LIVES(masks, "");
	CHECK_LIVES(nests, "");
	CHECK_LIVES(once, "");
	CHECK(dies_of_segv(twice));
}

static void begin_as(void (*how)(int))
{
	signal(SIGSEGV, how);
	CHECK_EQ(goru_init(NULL), 0);
}

static void faults_by_default(void)
{
	pages();
	begin_as(SIG_DFL);
	touch(0);
}

static void faults_here(void)
{
	begin_as(SIG_DFL);
	touch(0);
}

static void faults_ignored(void)
{
	pages();
	begin_as(SIG_IGN);
	touch(0);
}

/* A worker that has just begun may be the one that takes it, so this thread may still be there when kill() returns. */
static void sent_by_default(void)
{
	begin_as(SIG_DFL);
	kill(getpid(), SIGSEGV);
	sleep(60);
}

/* Only the thread that is traced: what another one takes the tracer does not see. */
static void sent_to_thread(void)
{
	siginfo_t info = { .si_signo = SIGSEGV, .si_code = SI_QUEUE };

	info.si_value.sival_int = 42;
	begin_as(SIG_DFL);
	syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGSEGV, &info);
}

static void sent_ignored(void)
{
	begin_as(SIG_IGN);
	for (int i = 0; i < 3; i++) {
		kill(getpid(), SIGSEGV);
		raise(SIGSEGV);
	}
	CHECK_EQ(goru_shutdown(), 0);
}

static void without_handler(void)
{
	CHECK(dies_of_segv(faults_by_default));
	CHECK(dies_of_segv(faults_ignored));
	CHECK(dies_of_segv(sent_by_default));
	CHECK_LIVES(sent_ignored, "");
}

/* What a core file would say: of the signal that kills, as its tracer sees it. False: there can be none here. */
static bool last_signal(void (*fn)(void), siginfo_t *info)
{
	int status = 0;
	pid_t pid;

	test_watch(NULL, 0);
	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(77);
		fn();
		_exit(1);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		CHECK_EQ(ptrace(PTRACE_GETSIGINFO, pid, NULL, info), 0);
		CHECK_EQ(ptrace(PTRACE_CONT, pid, NULL, WSTOPSIG(status)), 0);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		return false;
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	return true;
}

static void what_kills_is_what_came(void)
{
	siginfo_t info = { 0 };

	/* the emulator's process is another one; the sanitizer's handlers come between */
	if (test_emulated() || GRT_TSAN_ON || GRT_ASAN_ON)
		return;
	pages();
	if (!last_signal(faults_here, &info))
		return;
	CHECK_EQ(info.si_signo, SIGSEGV);
	CHECK_EQ(info.si_code, SEGV_ACCERR);
	CHECK(info.si_addr == page[0]);
	info = (siginfo_t){ 0 };
	CHECK(last_signal(sent_to_thread, &info));
	CHECK_EQ(info.si_signo, SIGSEGV);
	CHECK_EQ(info.si_code, SI_QUEUE);
	CHECK_EQ(info.si_value.sival_int, 42);
}

/* The program's handler comes first and passes on, as it should. */
static struct sigaction behind;

static void passes_on(int sig, siginfo_t *info, void *context)
{
	atomic_fetch_add(&handled, 1);
	if (behind.sa_flags & SA_SIGINFO)
		behind.sa_sigaction(sig, info, context);
	else
		signal(sig, SIG_DFL);
}

static void put_before(void)
{
	struct sigaction sa = { .sa_sigaction = passes_on, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	CHECK_EQ(sigaction(SIGSEGV, &sa, &behind), 0);
}

static bool stands_before(void)
{
	struct sigaction now;

	sigaction(SIGSEGV, NULL, &now);
	return (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == passes_on;
}

static void kept(void)
{
	begin_as(SIG_DFL);
	put_before();
	CHECK_EQ(goru_shutdown(), 0);
	CHECK(stands_before());
	CHECK_EQ(goru_init(NULL), 0);
	CHECK(stands_before());
	CHECK_EQ(goru_shutdown(), 0);
	CHECK(stands_before());
}

/* The two do not call each other for ever. */
static void kept_and_faults(void)
{
	pages();
	kept();
	CHECK_EQ(goru_init(NULL), 0);
	touch(0);
}

static void overflows(void *arg)
{
	(void)arg;
	test_overflow();
}

static void kept_and_overflows(void)
{
	goru_attr a = { .name = "deep" };

	kept();
	CHECK_EQ(goru_go_attr(&a, overflows, NULL), 0);
	pause();
}

static void handler_after_us(void)
{
	CHECK_LIVES(kept, "");
	CHECK(dies_of_segv(kept_and_faults));
	CHECK_DIES(kept_and_overflows,
		   "goru: fatal: stack overflow in goroutine 1 (deep), 262144-byte stack");
}

static void init_without(void)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.flags = GORU_CONFIG_NO_SEGV;
	CHECK_EQ(goru_init(&cfg), 0);
}

static void switched_off_overflows(void)
{
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	init_without();
	CHECK_EQ(goru_go(overflows, NULL), 0);
	pause();
}

static void is_off(void)
{
	struct sigaction segv, bus, now;

	sigaction(SIGSEGV, NULL, &segv);
	sigaction(SIGBUS, NULL, &bus);
	init_without();
	sigaction(SIGSEGV, NULL, &now);
	CHECK(now.sa_handler == segv.sa_handler);
	sigaction(SIGBUS, NULL, &now);
	CHECK(now.sa_handler == bus.sa_handler);
	/* nothing is taken for a handler that stands before ours: it can be switched on later */
	CHECK_EQ(goru_shutdown(), 0);
	CHECK_EQ(goru_init(NULL), 0);
	sigaction(SIGSEGV, NULL, &now);
	CHECK(now.sa_handler != segv.sa_handler);
	CHECK_EQ(goru_shutdown(), 0);
	sigaction(SIGSEGV, NULL, &now);
	CHECK(now.sa_handler == segv.sa_handler);
}

static void switched_off(void)
{
	CHECK_LIVES(is_off, "");
	CHECK(dies_of_segv(switched_off_overflows));
}

/* Where the stack has no room for a signal frame any more. */
enum { LEFT = GRT_ASAN_ON || GRT_TSAN_ON ? 32 << 10 : 1536 };

static _Atomic int on_stack;
static _Atomic bool elsewhere;

static void counts(int sig)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	struct g *g = grt_arch_self()->curg;

	(void)sig;
	atomic_store(&elsewhere, here - (uintptr_t)g->stack_lo >= g->stack_size);
	atomic_fetch_add(&on_stack, 1);
}

static void allows(int sig, siginfo_t *info, void *context)
{
	(void)context;
	allow(info);
	counts(sig);
}

static __attribute__((noinline)) int dive(uintptr_t end, void (*fn)(void))
{
	volatile char use[64];

	use[0] = 1;
	if ((uintptr_t)__builtin_frame_address(0) < end)
		fn();
	else
		use[0] = (char)dive(end, fn);
	return use[0];
}

static void raises(void)
{
	touch(1);
	pthread_kill(pthread_self(), SIGFPE);
	pthread_kill(pthread_self(), SIGPROF);
}

static void dives(void *wg)
{
	struct g *g = grt_arch_self()->curg;
	stack_t ss;

	pthread_kill(pthread_self(), 0); /* the loader wants more, the first time */
	dive((uintptr_t)g->stack_lo + grt_stack_guard(g) + LEFT, raises);
	CHECK_EQ(atomic_load(&on_stack), 3);
	CHECK(atomic_load(&elsewhere));
	CHECK_EQ(sigaltstack(NULL, &ss), 0);
	CHECK(!(ss.ss_flags & SS_DISABLE));
	CHECK(ss.ss_size >= (32 << 10) + getauxval(AT_MINSIGSTKSZ));
	goru_waitgroup_done(wg);
}

static void deep(void)
{
	struct sigaction sa = { .sa_handler = counts, .sa_flags = SA_ONSTACK };
	goru_waitgroup wg = GORU_WAITGROUP_INIT;
	goru_attr a = { .stack_size = 65536 };

	pages();
	set(allows, SA_ONSTACK);
	sigaction(SIGFPE, &sa, NULL);
	sigaction(SIGPROF, &sa, NULL);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(goru_go_attr(&a, dives, &wg), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(goru_shutdown(), 0);
}

static void on_deep_stacks(void)
{
	CHECK_LIVES(deep, "");
}

TEST_MAIN(TEST(handler_as_it_was_set), TEST(without_handler), TEST(what_kills_is_what_came),
	  TEST(handler_after_us), TEST(switched_off), TEST(on_deep_stacks))
