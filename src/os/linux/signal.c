/* signal.c - a handler of the runtime's in the place of what the program has set up for a signal, for a while; fork. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/os.h"

/* What fn stands in the place of. Written while fn does not stand there, so that a handler may read it. */
static struct sigaction before[GRT_OS_SIGNALS + 1];

/* A fault would come again as soon as its handler returns. Of those that the C library keeps, it knows nothing. */
bool grt_os_signal_takable(int signo)
{
	static const int never[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS,
				     SIGFPE,  SIGILL,  SIGTRAP, SIGSYS };
	struct sigaction now;

	for (size_t i = 0; i < grt_countof(never); i++)
		if (signo == never[i])
			return false;
	return signo >= 1 && signo <= GRT_OS_SIGNALS && !sigaction(signo, NULL, &now);
}

static bool stands(int signo, void (*fn)(int), struct sigaction *now)
{
	return !sigaction(signo, NULL, now) && !(now->sa_flags & SA_SIGINFO) &&
	       now->sa_handler == fn;
}

int grt_os_signal_catch(int signo, void (*fn)(int))
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = SA_RESTART | SA_ONSTACK };
	struct sigaction now = { .sa_handler = SIG_DFL };

	if (stands(signo, fn, &now))
		return 0;
	before[signo] = now;
	sigfillset(&sa.sa_mask);
	return sigaction(signo, &sa, NULL) ? -EINVAL : 0;
}

void grt_os_signal_give_back(int signo, void (*fn)(int))
{
	struct sigaction now;

	if (stands(signo, fn, &now))
		sigaction(signo, &before[signo], NULL);
}

void grt_os_signal_again(int signo)
{
	kill(getpid(), signo);
}

/* From a handler of sig: once it has returned. The kernel lets a thread send itself what only it may send others. */
void grt_os_signal_resend(int signo, siginfo_t *info)
{
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), signo, info))
		raise(signo);
}

uint32_t grt_os_process_id(void)
{
	return (uint32_t)getpid();
}

int grt_os_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	return pthread_atfork(prepare, parent, child) ? -ENOMEM : 0;
}
