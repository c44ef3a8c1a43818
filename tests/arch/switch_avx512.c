/* switch_avx512.c - switch.c for a CPU with 32 registers of 512 bits. */
/* SPDX-License-Identifier: MIT */
/* test: not=address,thread */
/* gcc only: for clang the target is a matter of the command line, which this file cannot make depend on the CPU. */
#include "test.h"

#if defined(__x86_64__) && !defined(__clang__)

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

#pragma GCC target("avx512f,avx512bw,prefer-vector-width=512")
int test_main(void);

#define main test_main
#include "switch.c"
#undef main
#pragma GCC reset_options

int main(void)
{
	return has_avx512() ? test_main() : 0;
}

#else

int main(void)
{
	return 0;
}

#endif
