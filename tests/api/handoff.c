/* handoff.c - with one P, a goroutine that blocks or computes without brackets holds nobody up. */
/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "goru/errno.h"
#include "test.h"

static _Atomic int inside, progress, released, back;
static goru_waitgroup wg;
static int fd[2], lock_mine = -1, lock_theirs = -1;
static sem_t sem;
static pid_t child;

/* Each blocks its thread until `release` below, whatever it takes. */

static void in_usleep(void)
{
	while (!atomic_load(&released))
		usleep(20000);
}

static void in_read(void)
{
	char b;

	CHECK_EQ(read(fd[0], &b, 1), 1);
}

static void in_flock(void)
{
	CHECK_EQ(flock(lock_theirs, LOCK_EX), 0);
}

static void in_sem(void)
{
	CHECK_EQ(sem_wait(&sem), 0);
}

static void in_waitpid(void)
{
	int status;

	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void in_a_loop(void)
{
	while (!atomic_load(&released))
		;
}

/* Calls that cannot wait are made without a P; none of them lets the others go first. */
static void in_calls(void)
{
	goru_mutex m = GORU_MUTEX_INIT;
	goru_chan *c = goru_chan_make(sizeof(int), 1);
	int v = 0;

	while (!atomic_load(&released)) {
		CHECK_EQ(goru_mutex_try_lock(&m), 0);
		goru_mutex_unlock(&m);
		CHECK_EQ(goru_chan_try_send(c, &v), 0);
		CHECK_EQ(goru_chan_try_recv(c, &v), 1);
		v++;
	}
	goru_chan_unref(c);
}

static void release(void)
{
	atomic_store(&released, 1);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(flock(lock_mine, LOCK_UN), 0);
	CHECK_EQ(sem_post(&sem), 0);
	CHECK_EQ(kill(child, SIGKILL), 0);
}

static const struct {
	const char *name;
	void (*block)(void);
} blockers[] = {
	{ "usleep", in_usleep }, { "read", in_read },	    { "flock", in_flock },
	{ "sem_wait", in_sem },	 { "waitpid", in_waitpid }, { "loop", in_a_loop },
	{ "calls", in_calls },
};

/* Goes on by all ways there are: spawns, channels, sleeps, yields; only then is the blocker released. */
static void others(void)
{
	goru_chan *c = goru_chan_make(sizeof(int), 0);

	for (int i = 0; i < 20; i++) {
		int v = 0;

		CHECK_EQ(go(goru_chan_send, c, &i), 0);
		CHECK_EQ(goru_chan_recv(c, &v), 1);
		CHECK_EQ(v, i);
		CHECK_EQ(goru_sleep(50 * GORU_USEC), 0);
		goru_yield();
		atomic_fetch_add(&progress, 1);
	}
	goru_chan_unref(c);
	CHECK_EQ(atomic_load(&back), 0);
	release();
	goru_waitgroup_done(&wg);
}

static void blocker(int i, bool first)
{
	errno = 77;
	if (first)
		CHECK_EQ(go(others), 0); /* it waits before we block */
	atomic_store(&inside, 1);
	blockers[i].block();
	errno = 77;
	goru_yield(); /* without a P: waits for one */
	CHECK_EQ(errno, 77);
	CHECK_EQ(atomic_load(&progress), 20);
	atomic_store(&back, 1);
	CHECK_EQ(goru_sleep(10), 0);
	goru_waitgroup_done(&wg);
}

static void start(unsigned procs)
{
	goru_config cfg = GORU_CONFIG_INIT;

	cfg.procs = procs;
	CHECK_EQ(goru_init(&cfg), 0);
	atomic_store(&inside, 0);
	atomic_store(&progress, 0);
	atomic_store(&released, 0);
	atomic_store(&back, 0);
}

static void begin(void)
{
	static char name[] = "/tmp/goru-handoff-XXXXXX";

	start(1);
	memcpy(strrchr(name, '-'), "-XXXXXX", 7);
	CHECK_EQ(pipe(fd), 0);
	lock_mine = mkstemp(name);
	lock_theirs = open(name, O_RDWR);
	CHECK(lock_mine >= 0 && lock_theirs >= 0);
	CHECK_EQ(unlink(name), 0);
	CHECK_EQ(flock(lock_mine, LOCK_EX), 0);
	CHECK_EQ(sem_init(&sem, 0, 0), 0);
	child = fork();
	if (!child)
		for (;;)
			pause();
	CHECK(child > 0);
}

static void end(int i)
{
	int status;

	if (blockers[i].block != in_waitpid)
		CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(goru_shutdown(), 0);
	close(fd[0]);
	close(fd[1]);
	close(lock_mine);
	close(lock_theirs);
	sem_destroy(&sem);
}

static goru_stats get(void)
{
	goru_stats st;

	CHECK_EQ(goru_stats_get(&st), 0);
	return st;
}

static void go_on(bool first)
{
	for (int i = 0; i < (int)(sizeof(blockers) / sizeof(blockers[0])); i++) {
		begin();
		goru_waitgroup_add(&wg, 2);
		CHECK_EQ(go(blocker, i, first), 0);
		UNTIL(atomic_load(&inside));
		if (!first)
			CHECK_EQ(go(others), 0);
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		CHECK(get().handoffs >= 1);
		CHECK(get().retakes >= 1);
		end(i);
	}
}

static void those_who_wait_before(void)
{
	go_on(true);
}

static void those_who_come_after(void)
{
	go_on(false);
}

/* The same where each entering executes the fence. */
static void without_membarrier(void)
{
	setenv("GORU_DEBUG", "membarrier=0", 1);
	go_on(true);
	unsetenv("GORU_DEBUG");
}

/* Several Ps, all stuck at once; and one of the stuck ends, spawns, or shuts nothing down behind it. */
static void stuck(int how)
{
	atomic_fetch_add(&inside, 1);
	if (how % 2)
		in_usleep();
	else
		in_a_loop();
	/* a spawn is refused when the runtime stops meanwhile */
	if (how % 3 != 1 || go(goru_waitgroup_done, &wg) == -ESHUTDOWN)
		goru_waitgroup_done(&wg);
	if (how % 3 == 2)
		goru_exit();
}

static void frees(void)
{
	for (int i = 0; i < 10; i++)
		CHECK_EQ(goru_sleep(GORU_USEC), 0);
	atomic_store(&released, 1);
	goru_waitgroup_done(&wg);
}

/* One that ends without a P is counted as ended a moment before its thread has let go of it. */
static bool none_left(void)
{
	goru_stats st = get();

	return st.goroutines == 0 && st.blocked == 0 && st.running == 0;
}

static void all_of_several(void)
{
	enum { STUCK = 8 };

	start(3);
	goru_waitgroup_add(&wg, STUCK + 1);
	for (int i = 0; i < STUCK; i++)
		CHECK_EQ(go(stuck, i), 0);
	/* more of them than Ps: the last ones only begin once others' have been taken */
	UNTIL(atomic_load(&inside) == STUCK);
	CHECK_EQ(go(frees), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	UNTIL(none_left());
	CHECK_EQ(goru_shutdown(), 0);
}

/* In one call: who wakes now and then waits for a CPU then, on a busy machine, and does not block. */
static void blocked_once(void)
{
	in_read();
	goru_waitgroup_done(&wg);
}

/* Nobody waits: a P stays with the one who computes, and goes idle when its goroutine blocks for long. */
static void nobody_waits(void)
{
	start(1);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(stuck, 0), 0);
	UNTIL(atomic_load(&inside) == 1);
	usleep(30000);
	CHECK_EQ(get().handoffs, 0);
	CHECK_EQ(get().running, 1);
	atomic_store(&released, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);

	CHECK_EQ(pipe(fd), 0);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(blocked_once), 0);
	UNTIL(get().handoffs == 1);
	CHECK_EQ(get().blocked, 1);
	CHECK_EQ(get().running, 0);
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	close(fd[0]);
	close(fd[1]);
	UNTIL(none_left());
	CHECK_EQ(goru_shutdown(), 0);
}

/* One without a P is not asleep: no deadlock, whether it computes or is in the kernel. Its state is in the dump. */
static goru_chan *wakes_main;

static void wakes(int how)
{
	static const char *const state[] = { "[running without a processor]", "[blocked]" };
	char text[4096];
	int to[2];
	ssize_t n;

	if (how)
		in_usleep();
	else
		in_a_loop();
	CHECK_EQ(pipe(to), 0);
	goru_dump(to[1]); /* no P is needed for that, and none comes by it */
	n = read(to[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	CHECK(strstr(text, state[how]) != NULL);
	close(to[0]);
	close(to[1]);
	CHECK_EQ(goru_chan_send(wakes_main, &how), 0);
}

static void main_waits(void *arg)
{
	int how = *(int *)arg, v = -1;

	CHECK_EQ(go(wakes, how), 0);
	goru_yield(); /* back only when the other has lost its P */
	atomic_store(&released, 1);
	CHECK_EQ(goru_chan_recv(wakes_main, &v), 1);
	CHECK_EQ(v, how);
}

static void no_deadlock(void)
{
	for (int how = 0; how < 2; how++) {
		start(1);
		wakes_main = goru_chan_make(sizeof(int), 0);
		CHECK_EQ(goru_run(main_waits, &how), 0);
		goru_chan_unref(wakes_main);
		CHECK_EQ(goru_shutdown(), 0);
	}
}

/* procs falls and rises, and the runtime stops, while Ps are away from their goroutines. */
static void procs_and_shutdown(void)
{
	for (int i = 0; i < 4; i++) {
		start(3);
		goru_waitgroup_add(&wg, 6);
		for (int k = 0; k < 6; k++)
			CHECK_EQ(go(stuck, k), 0);
		UNTIL(atomic_load(&inside) >= 3);
		CHECK_EQ(goru_set_procs(1), 0);
		UNTIL(atomic_load(&inside) == 6);
		CHECK_EQ(goru_set_procs(4), 0);
		goru_waitgroup_add(&wg, 1);
		CHECK_EQ(go(frees), 0);
		if (i % 2)
			CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		else
			UNTIL(atomic_load(&released));
		CHECK_EQ(goru_shutdown(), 0);
		wg = (goru_waitgroup)GORU_WAITGROUP_INIT;
	}
}

/* Brackets keep the P as long as nobody can use it; then it is taken although the goroutine computes. One that gets a P
 * inside, for a call that waits, is in its brackets again after it. */
static void in_brackets(void)
{
	goru_block_enter();
	atomic_fetch_add(&inside, 1);
	in_a_loop();
	CHECK_EQ(goru_sleep(GORU_USEC), 0);
	atomic_store(&released, 0);
	atomic_fetch_add(&inside, 1);
	in_a_loop();
	goru_block_exit();
	goru_waitgroup_done(&wg);
}

static void brackets_again(void)
{
	start(1);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(in_brackets), 0);
	UNTIL(atomic_load(&inside) == 1);
	CHECK_EQ(get().blocked, 1);
	UNTIL(get().handoffs == 1); /* nobody wants it, for a while */
	CHECK_EQ(get().blocked, 1);
	atomic_store(&released, 1);
	UNTIL(atomic_load(&inside) == 2);
	UNTIL(get().blocked == 1);
	CHECK_EQ(get().running, 0);
	goru_waitgroup_add(&wg, 1);
	CHECK_EQ(go(frees), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	UNTIL(none_left());
	CHECK_EQ(goru_shutdown(), 0);
}

/* Asked not to, the monitor leaves a P where it is; but for brackets. */
static void counts(void)
{
	atomic_fetch_add(&progress, 1);
	goru_waitgroup_done(&wg);
}

static void switched_off(void)
{
	setenv("GORU_DEBUG", "handoff=0", 1);
	start(1);
	goru_waitgroup_add(&wg, 2);
	CHECK_EQ(go(stuck, 0), 0);
	UNTIL(atomic_load(&inside) == 1);
	CHECK_EQ(go(counts), 0);
	usleep(50000);
	CHECK_EQ(atomic_load(&progress), 0);
	CHECK_EQ(get().handoffs, 0);
	atomic_store(&released, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);

	atomic_store(&inside, 0);
	atomic_store(&released, 0);
	goru_waitgroup_add(&wg, 2);
	CHECK_EQ(go(in_brackets), 0);
	UNTIL(atomic_load(&inside) == 1);
	CHECK_EQ(go(counts), 0);
	UNTIL(atomic_load(&progress) == 2);
	atomic_store(&released, 1);
	UNTIL(atomic_load(&inside) == 2);
	atomic_store(&released, 1);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(goru_shutdown(), 0);
	unsetenv("GORU_DEBUG");
}

TEST_MAIN(TEST(those_who_wait_before), TEST(those_who_come_after), TEST(without_membarrier),
	  TEST(all_of_several), TEST(nobody_waits), TEST(no_deadlock), TEST(procs_and_shutdown),
	  TEST(brackets_again), TEST(switched_off))
