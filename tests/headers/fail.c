/* fail.c - calls the headers have to refuse; check.sh compiles each CASE by itself. */
/* SPDX-License-Identifier: MIT */
/*
 * A case is a line "CASE(name, languages) statement; ERR phrase": it has to fail in each of the
 * languages (c, cpp, gcc: C with gcc only), and what the compiler says has to match the phrase (grep -E -i).
 */
#include <goru.h>

struct pair {
	int a, b;
};
struct big {
	long a, b, c;
};
struct odd {
	long double v;
};
union either {
	int a;
	float b;
};
enum color { RED, GREEN };

void none(void);
void plain(void *p);
void one(int a);
void two(int a, const char *s);
void seven(int a, int b, int c, int d, int e, int f, int g);
void colored(enum color c, int a);
void flag(float f);
void real(double d, int a);
void last(int a, char *b, enum color c, double d);
void long_real(long double d);
void complex_param(_Complex double z);
void record(struct pair p);
void either_param(union either e);
struct big returns_big(int a);
struct odd returns_odd(void);
long double returns_long_double(int a);
void never(void) __attribute__((noreturn));
int constant(int a) __attribute__((const));

#ifdef __cplusplus
struct not_trivial {
	not_trivial(const not_trivial &);
	~not_trivial();
	int a;
};
not_trivial returns_class();
void by_reference(int &a);
GORU_CHAN_OF(good, int);
#endif

int test(int i, double d, float f, struct pair p, union either e, char *s, int (*g)(void));
int test(int i, double d, float f, struct pair p, union either e, char *s, int (*g)(void))
{
	(void)i, (void)d, (void)f, (void)p, (void)e, (void)s, (void)g;
	/* clang-format off */
/*
CASE(arg_double, c cpp) go(one, d); ERR floating or struct argument
CASE(arg_float_literal, c cpp) go(two, 1.5f, "s"); ERR floating or struct argument
CASE(arg_float_pointer, c cpp) go(plain, f); ERR floating or struct argument
CASE(arg_complex, c) go(one, (_Complex double)d); ERR floating or struct argument
CASE(arg_struct, c cpp) go(one, p); ERR floating or struct argument
CASE(arg_struct_second, c cpp) go(two, 1, p); ERR floating or struct argument
CASE(arg_union, c cpp) go(one, e); ERR floating or struct argument
CASE(param_float, c cpp) go(flag, 1); ERR floating.or.struct.parameter
CASE(param_double, c cpp) go(real, i, 2); ERR floating.or.struct.parameter
CASE(param_last, c cpp) go(last, 1, s, RED, 0); ERR floating.or.struct.parameter
CASE(param_long_double, c cpp) go(long_real, i); ERR floating.or.struct.parameter
CASE(param_complex, c cpp) go(complex_param, i); ERR floating.or.struct.parameter
CASE(param_struct, c cpp) go(record, p); ERR floating.or.struct.parameter
CASE(param_struct_int, c cpp) go(record, 1); ERR floating.or.struct.parameter
CASE(param_union, c cpp) go(either_param, e); ERR floating.or.struct.parameter
CASE(both_double, c cpp) go(real, d, 1); ERR floating.or.struct.parameter
CASE(result_big, c cpp) go(returns_big, 1); ERR struct larger than 16 bytes
CASE(result_odd, c cpp) go(returns_odd); ERR aligned to more than 8
CASE(result_long_double, c cpp) go(returns_long_double, 1); ERR aligned to more than 8
CASE(too_few, c cpp) go(two, 1); ERR too few arguments|no matching function
CASE(too_many, c cpp) go(one, 1, 2); ERR too many arguments|no matching function
CASE(none_given, c cpp) go(one); ERR too few arguments|no matching function
CASE(none_taken, c cpp) go(none, 1); ERR too many arguments|no matching function
CASE(plain_none, c cpp) go(plain); ERR too few arguments|no matching function
CASE(more_than_six, c cpp) go(seven, 1, 2, 3, 4, 5, 6, 7); ERR at most 6 arguments
CASE(int_for_pointer, c cpp) go(two, 1, i); ERR makes pointer from integer|incompatible integer to pointer|no matching function|int-conversion
CASE(int_for_void_pointer, c cpp) go(plain, i); ERR makes pointer from integer|incompatible integer to pointer|no matching function|int-conversion
CASE(pointer_for_int, c cpp) go(one, s); ERR makes integer from pointer|incompatible pointer to integer|invalid conversion|cannot initialize
CASE(wrong_pointer, c cpp) go(two, 1, &i); ERR incompatible pointer type|no matching function
CASE(drops_const, c cpp) go(plain, (const char *)s); ERR discards.*qualifier|no matching function
CASE(not_a_function, c cpp) go(i, 1); ERR not a function|invalid type argument|requires pointer operand|no matching function
CASE(declared_nowhere, c cpp) go(nowhere, 1); ERR nowhere.*(undeclared|not declared)|undeclared identifier
CASE(case_const, c cpp) const int n = 1; goru_case k = GORU_RECV(NULL, &n); (void)k; ERR discards.*qualifier|invalid conversion|no matching function
CASE(wait_dropped, c cpp) goru_waitgroup w = GORU_WAITGROUP_INIT; goru_waitgroup_wait(&w); ERR unused.result|ignoring return value
CASE(lock_dropped, c cpp) goru_mutex m = GORU_MUTEX_INIT; goru_mutex_lock(&m); ERR unused.result|ignoring return value
CASE(rdlock_dropped, c cpp) goru_rwlock l = GORU_RWLOCK_INIT; goru_rwlock_rdlock(&l); ERR unused.result|ignoring return value
CASE(sem_wait_dropped, c cpp) goru_sem x = GORU_SEM_INIT(1); goru_sem_wait(&x); ERR unused.result|ignoring return value
CASE(noreturn_pointer, gcc) go(&never); ERR declared noreturn
CASE(const_pointer, gcc) go(&constant, 1); ERR declared noreturn or const
CASE(int_for_enum, cpp) go(colored, 1, 2); ERR invalid conversion|cannot initialize
CASE(reference, cpp) go(by_reference, i); ERR struct parameter
CASE(result_class, cpp) go(returns_class); ERR struct larger than 16 bytes
CASE(lambda_captures, cpp) go([i] { one(i); }); ERR no matching function|captures
CASE(chan_wrong_value, cpp) good_send(good_make(1), s); ERR invalid conversion|no matching function
*/
	/* clang-format on */
#ifdef STATEMENT
	STATEMENT
#endif
	return 0;
}
