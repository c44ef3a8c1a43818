/* pass.c - calls the headers have to take, in C and C++, without a warning. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdbool.h>

#ifdef __cplusplus
#define ASSERT_SIZE(type, size) static_assert(sizeof(type) == (size), #type)
#else
#define ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#endif
ASSERT_SIZE(goru_config, 256);
ASSERT_SIZE(goru_attr, 128);
ASSERT_SIZE(goru_case, 32);
ASSERT_SIZE(goru_waitgroup, 16);
ASSERT_SIZE(goru_mutex, 16);
ASSERT_SIZE(goru_rwlock, 40);
ASSERT_SIZE(goru_cond, 16);
ASSERT_SIZE(goru_sem, 24);
ASSERT_SIZE(goru_once, 16);
ASSERT_SIZE(goru_timer, 96);
ASSERT_SIZE(goru_stats, 512);

enum color { RED, GREEN = 70000 };
struct small {
	int a, b, c, d;
};
struct flags {
	unsigned bit : 3;
};

int count_calls(void);
int f0(void);
void f1(void *p);
void f2(int a, const char *s);
short f3(short a, char b, signed char c);
double f4(bool a, enum color b, unsigned char c, long long d);
struct small f5(int *a, const int *b, int (*c)(void), void *d, void **e);
void f6(int a, long b, unsigned c, uint64_t d, size_t e, unsigned short f);
int takes_array(const int v[], char *w);
void takes_other(struct small *s);
void (*pick(int n))(int);
void f2_attr(int a, const char *s) __attribute__((nonnull));
int f1_checked(int a) __attribute__((warn_unused_result));
int f1_const(int a) __attribute__((const));

GORU_CHAN_OF(ints, int);
GORU_CHAN_OF(names, const char *);
GORU_CHAN_OF(smalls, struct small);

static goru_waitgroup static_group = GORU_WAITGROUP_INIT;
static goru_mutex static_mutex = GORU_MUTEX_INIT;
static goru_rwlock static_rwlock = GORU_RWLOCK_INIT;
static goru_cond static_cond = GORU_COND_INIT;
static goru_sem static_sem = GORU_SEM_INIT(3);
static goru_once static_once = GORU_ONCE_INIT;
static goru_timer static_timer = GORU_TIMER_INIT;
static const goru_config static_config = GORU_CONFIG_INIT;

int spawn_all(struct flags fl, short sh, char *text);
int spawn_all(struct flags fl, short sh, char *text)
{
	int array[3] = { 1, 2, 3 }, failed = 0;
	const char fixed[] = "x";
	struct small s = { 1, 2, 3, 4 };
	void (*pointer)(int, const char *) = f2;

	failed |= go(f0);
	failed |= go(&f0);
	failed |= go(f1, text);
	failed |= go(f1, NULL);
	failed |= go(f1, 0);
	failed |= go(f1, array);
	failed |= go(f2, 1, "text");
	failed |= go(pointer, sh, text);
	failed |= go(*pointer, 'c', fixed);
	failed |= go(f2, fl.bit, NULL);
	failed |= go(f2_attr, 1, "text");
	failed |= go(f1_checked, 1);
	failed |= go(f1_const, 1);
	failed |= go(f3, sh, text[0], (signed char)-1);
	failed |= go(f3, 1, 'x', -1);
	failed |= go(f4, true, GREEN, (unsigned char)200, -1);
	failed |= go(f4, text != NULL, RED, (unsigned char)1, 1LL << 40);
	failed |= go(f5, array, array, f0, text, (void **)NULL);
	failed |= go(f5, &array[1], NULL, &f0, &s, NULL);
	failed |= go(f6, -1, -1L, 1u, UINT64_MAX, sizeof(array), (unsigned short)1);
	failed |= go(takes_array, array, text);
	failed |= go(takes_other, &s);
	failed |= go(pick(go(f0)), go(pick(go(f0)), go(f2, go(f0), "nested")));
	failed |= GORU_GO(f2, count_calls(), text);
	go(f0);
	if (failed)
		go(f1, text);
	else
		(void)go(f0);
	return failed;
}

int use_channels(ints *in, goru_chan *out);
int use_channels(ints *in, goru_chan *out)
{
	int got = 0;
	const int next = 2;
	goru_case cases[] = { GORU_RECV(ints_chan(in), &got), GORU_SEND(out, &next),
			      GORU_RECV(NULL, NULL) };
	goru_case one = GORU_SEND(out, &got);

	one = GORU_RECV(out, &got);
	cases[0] = GORU_RECV(ints_chan(in), &got);
	if (goru_select(cases, 3) == 0)
		return cases[0].result;
	goru_try_select(&one, 1);
	names *n = names_make(1);
	names_send(n, "name");
	names_unref(n);
	smalls *s = smalls_make(0);
	struct small v = { 1, 2, 3, 4 };
	smalls_send_until(s, v, goru_in(GORU_SEC));
	while (ints_recv(in, &got) > 0)
		ints_try_send(in, got);
	return goru_waitgroup_wait(&static_group) + (int)static_config.flags;
}

int use_locks(int n, void (*fn)(void *));
int use_locks(int n, void (*fn)(void *))
{
	goru_sem some = GORU_SEM_INIT(n);
	int failed = goru_mutex_lock(&static_mutex);

	goru_mutex_try_lock(&static_mutex);
	failed |= goru_mutex_lock_until(&static_mutex, goru_in(GORU_SEC));
	failed |= goru_cond_wait(&static_cond, &static_mutex);
	failed |= goru_cond_wait_until(&static_cond, &static_mutex, GORU_FOREVER);
	goru_cond_signal(&static_cond);
	goru_cond_broadcast(&static_cond);
	goru_mutex_unlock(&static_mutex);
	failed |= goru_rwlock_rdlock(&static_rwlock);
	goru_rwlock_try_rdlock(&static_rwlock);
	failed |= goru_rwlock_rdlock_until(&static_rwlock, 0);
	goru_rwlock_rdunlock(&static_rwlock);
	failed |= goru_rwlock_wrlock(&static_rwlock);
	goru_rwlock_try_wrlock(&static_rwlock);
	failed |= goru_rwlock_wrlock_until(&static_rwlock, 0);
	goru_rwlock_wrunlock(&static_rwlock);
	failed |= goru_sem_wait(&some) | goru_sem_wait_until(&static_sem, 0);
	goru_sem_try_wait(&some);
	goru_sem_post(&some, 1);
	goru_once_do(&static_once, fn, NULL);
	return failed;
}

int use_timers(void (*fn)(void *));
int use_timers(void (*fn)(void *))
{
	goru_chan *once = goru_after(GORU_MSEC), *often = goru_tick(GORU_SEC);
	int failed = goru_timer_start(&static_timer, goru_in(GORU_SEC), 0, fn, NULL);

	goru_chan_unref(once);
	goru_chan_unref(often);
	return failed | goru_timer_stop(&static_timer);
}

int use_signals(goru_chan *c, int signo);
int use_signals(goru_chan *c, int signo)
{
	return goru_signal_notify(c, signo) | goru_signal_stop(c);
}

int sys_call(int fd);
long sys_read(int fd, void *buf, size_t n);
void nothing(int fd);
char *text_of(int fd);
struct small small_of(int fd);

int use_blocking(int fd);
int use_blocking(int fd)
{
	int a = goru_blocking(sys_call(fd));
	int b = goru_blocking(sys_call(goru_blocking(sys_call(fd))));
	int c = goru_blocking_sys(sys_call(fd));
	long d = goru_blocking_sys(sys_read(goru_blocking_sys(sys_call(fd)), &a, sizeof(a)));
	char *t = goru_blocking(text_of(fd));
	struct small s = goru_blocking(small_of(fd));
	struct flags fl = { 1 };

	goru_blocking(nothing(fd));
	(void)goru_blocking(sys_call(fd));
	goru_blocking_sys(sys_call(fd));
	a = (int)goru_blocking(fl.bit);
	if (goru_blocking(sys_call(fd)) > 0 && goru_blocking_sys(sys_call(fd)) < 0)
		return goru_blocking_sys(sys_call(goru_blocking(a = b)));
	return a + b + c + s.a + *t + (d < 0);
}

#ifdef __cplusplus
enum class mood : short { calm, wild };
void g1(mood m) noexcept;
void g2(char16_t c, wchar_t w, decltype(nullptr) n);
struct base {
};
struct derived : base {
};
void g3(const base *b);
struct with_static {
	static void run(int a);
};
template <class A, class B>
int two();

template <class T>
int from_template(T v);
template <class T>
int from_template(T v)
{
	int failed = go(f2, v, "text");
	return failed + goru_blocking(v);
}

int spawn_cpp(void);
int spawn_cpp(void)
{
	derived d;
	int failed = go(g1, mood::wild);

	failed |= go(g2, u'x', L'y', nullptr);
	failed |= go(g3, &d);
	failed |= go(with_static::run, 1);
	failed |= go([] {});
	failed |= go([](int a, const char *s) { f2(a, s); }, 1, "text");
	failed |= go([](void *p) noexcept { f1(p); }, nullptr);
	failed |= goru_blocking(two<int, char>());
	return failed | from_template(1);
}
#endif
