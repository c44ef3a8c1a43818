/* spawn.c - goru_posix_spawn: the mask of the new process, what attr says, errors, and others run meanwhile. */
/* SPDX-License-Identifier: MIT */
/* test: procs=1,4 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "goru/spawn.h"
#include "test.h"

extern char **environ;

typedef int spawn_fn(pid_t *, const char *, const posix_spawn_file_actions_t *,
		     const posix_spawnattr_t *, char *const[], char *const[]);

/* As posix_spawn answers, with the sign changed. */
static int posix(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	return -posix_spawn(pid, path, actions, attr, argv, envp);
}

static uint64_t bit(int signo)
{
	return UINT64_C(1) << (signo - 1);
}

/* What the process says that it blocks, of those signals that are looked at here. */
static uint64_t mask_of(spawn_fn *fn, const posix_spawnattr_t *attr)
{
	static const char word[] = "SigBlk:";
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exec grep SigBlk /proc/self/status",
			 NULL };
	posix_spawn_file_actions_t to;
	char text[128] = "";
	int fd[2], status = -1;
	ssize_t n;
	pid_t pid = 0;

	CHECK_EQ(pipe2(fd, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&to);
	posix_spawn_file_actions_adddup2(&to, fd[1], STDOUT_FILENO);
	CHECK_EQ(fn(&pid, "/bin/sh", &to, attr, argv, environ), 0);
	posix_spawn_file_actions_destroy(&to);
	close(fd[1]);
	CHECK_EQ(goru_blocking_sys(waitpid(pid, &status, 0)), pid);
	CHECK_EQ(status, 0);
	n = read(fd[0], text, sizeof(text) - 1);
	close(fd[0]);
	CHECK(n > 0 && !strncmp(text, word, strlen(word)));
	return strtoull(text + strlen(word), NULL, 16) &
	       (bit(SIGTERM) | bit(SIGINT) | bit(SIGHUP) | bit(SIGCHLD) | bit(SIGUSR1) |
		bit(SIGUSR2));
}

static void set(posix_spawnattr_t *attr, short flags, int blocked)
{
	sigset_t s;

	sigemptyset(&s);
	if (blocked)
		sigaddset(&s, blocked);
	CHECK_EQ(posix_spawnattr_init(attr), 0);
	CHECK_EQ(posix_spawnattr_setsigmask(attr, &s), 0);
	CHECK_EQ(posix_spawnattr_setflags(attr, flags), 0);
}

static void with(short flags, int blocked, uint64_t want)
{
	posix_spawnattr_t attr;
	short after = 0;

	set(&attr, flags, blocked);
	CHECK_EQ(mask_of(goru_posix_spawn, &attr), want);
	/* it is the caller's */
	CHECK_EQ(posix_spawnattr_getflags(&attr, &after), 0);
	CHECK_EQ(after, flags);
	posix_spawnattr_destroy(&attr);
}

static void masks_on_goroutine(void)
{
	sigset_t own, before;

	/* what it is for */
	CHECK((mask_of(posix, NULL) & (bit(SIGTERM) | bit(SIGCHLD))) ==
	      (bit(SIGTERM) | bit(SIGCHLD)));
	CHECK_EQ(mask_of(goru_posix_spawn, NULL), bit(SIGUSR2));
	CHECK_EQ(mask_of(goru_posix_spawnp, NULL), bit(SIGUSR2));
	with(0, SIGHUP, bit(SIGUSR2));
	with(POSIX_SPAWN_SETPGROUP, SIGHUP, bit(SIGUSR2));
	with(POSIX_SPAWN_SETSIGMASK, SIGHUP, bit(SIGHUP));
	with(POSIX_SPAWN_SETSIGMASK, 0, 0);
	/* the thread's is what it was */
	CHECK(mask_of(posix, NULL) & bit(SIGTERM));

	CHECK_EQ(goru_lock_thread(), 0);
	sigemptyset(&own);
	sigaddset(&own, SIGINT);
	pthread_sigmask(SIG_SETMASK, &own, &before);
	CHECK_EQ(mask_of(goru_posix_spawn, NULL), bit(SIGINT));
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	CHECK_EQ(goru_unlock_thread(), 0);
}

static void masks(void)
{
	sigset_t usr2, before, one;

	CHECK_EQ(goru_shutdown(), 0);
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &usr2, &before);
	CHECK_EQ(goru_init(NULL), 0);
	RUN_ON_GOROUTINE(masks_on_goroutine);
	sigemptyset(&one);
	sigaddset(&one, SIGINT);
	pthread_sigmask(SIG_SETMASK, &one, NULL);
	CHECK_EQ(mask_of(goru_posix_spawn, NULL), bit(SIGINT));
	with(POSIX_SPAWN_SETSIGMASK, SIGHUP, bit(SIGHUP));
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* What else attr says is heard, too. */
static void group_of_its_own(void)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 3", NULL };
	posix_spawnattr_t attr;
	int status = -1;
	pid_t pid = 0;

	set(&attr, POSIX_SPAWN_SETPGROUP, 0);
	CHECK_EQ(posix_spawnattr_setpgroup(&attr, 0), 0);
	CHECK_EQ(goru_posix_spawnp(&pid, "sh", NULL, &attr, argv, environ), 0);
	if (!test_emulated()) /* else it may not be as far yet */
		CHECK_EQ(getpgid(pid), pid);
	CHECK_EQ(goru_blocking_sys(waitpid(pid, &status, 0)), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	posix_spawnattr_destroy(&attr);
}

/* An emulator makes a fork of it, and the error stays in the child. */
static void errors(void)
{
	char *argv[] = { (char *)"none", NULL };
	posix_spawn_file_actions_t bad;
	pid_t pid = -7;

	if (test_emulated())
		return;
	errno = 77;
	CHECK_EQ(goru_posix_spawn(&pid, "/nonexistent/none", NULL, NULL, argv, environ), -ENOENT);
	CHECK_EQ(goru_posix_spawnp(&pid, "goru-no-such-program", NULL, NULL, argv, environ),
		 -ENOENT);
	CHECK_EQ(goru_posix_spawn(NULL, "/proc/self/status", NULL, NULL, argv, environ), -EACCES);
	posix_spawn_file_actions_init(&bad);
	posix_spawn_file_actions_addopen(&bad, 0, "/nonexistent/none", O_RDONLY, 0);
	CHECK_EQ(goru_posix_spawn(&pid, "/bin/sh", &bad, NULL, argv, environ), -ENOENT);
	posix_spawn_file_actions_destroy(&bad);
}

/* With one P, which nobody takes from a goroutine that does not give it away: who ends the wait could not run. */

static char dir[] = "/tmp/goru-spawn-XXXXXX", fifo[64];
static goru_waitgroup wg;

static void writes(void)
{
	int fd = (int)goru_blocking_sys(open(fifo, O_WRONLY | O_CLOEXEC));

	CHECK(fd >= 0);
	close(fd);
	goru_waitgroup_done(&wg);
}

static void waits_for_a_writer(void)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 0", NULL };
	posix_spawn_file_actions_t opens;
	int status = -1;
	pid_t pid = 0;

	posix_spawn_file_actions_init(&opens);
	posix_spawn_file_actions_addopen(&opens, STDIN_FILENO, fifo, O_RDONLY, 0);
	CHECK_EQ(go(writes), 0); /* it runs when the P is given away */
	CHECK_EQ(goru_posix_spawn(&pid, "/bin/sh", &opens, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&opens);
	CHECK_EQ(goru_blocking_sys(waitpid(pid, &status, 0)), pid);
	CHECK_EQ(status, 0);
	goru_waitgroup_done(&wg);
}

static void others_run_meanwhile(void)
{
	CHECK(mkdtemp(dir));
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	CHECK_EQ(mkfifo(fifo, 0600), 0);
	test_handoff(false);
	goru_waitgroup_add(&wg, 2);
	CHECK_EQ(go(waits_for_a_writer), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	test_handoff(true);
	unlink(fifo);
	rmdir(dir);
}

TEST_MAIN(TEST(masks), TEST_BOTH(group_of_its_own), TEST_BOTH(errors), TEST(others_run_meanwhile))
