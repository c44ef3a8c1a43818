/* tsan.c - what the compiler calls: the functions of -fsanitize=thread. */
/* SPDX-License-Identifier: MIT */
#include "explorer.h"

/* clang-format off */
#define FRAME __builtin_frame_address(0)
#define PC __builtin_return_address(0)
#define AT (uintptr_t)p

#define PLAIN(n)                                                                                   \
	void __tsan_read##n(void *p) { x_plain(AT, n, false, PC); }                               \
	void __tsan_write##n(void *p) { x_plain(AT, n, true, PC); }                               \
	void __tsan_unaligned_read##n(void *p) { x_plain(AT, n, false, PC); }                     \
	void __tsan_unaligned_write##n(void *p) { x_plain(AT, n, true, PC); }

PLAIN(1) PLAIN(2) PLAIN(4) PLAIN(8) PLAIN(16)

void __tsan_read_range(void *p, size_t n) { x_plain(AT, n, false, PC); }
void __tsan_write_range(void *p, size_t n) { x_plain(AT, n, true, PC); }
void __tsan_atomic_thread_fence(int mo) { x_fence(mo, FRAME, PC); }
void __tsan_atomic_signal_fence(int mo) { (void)mo; }
void __tsan_init(void) {}
void __tsan_func_entry(void *pc) { (void)pc; }
void __tsan_func_exit(void) {}

#define RMW(T, bits, name, op)                                                                     \
	T __tsan_atomic##bits##_##name(void *p, T v, int mo)                                       \
	{                                                                                          \
		return (T)x_rmw(AT, bits / 8, op, v, mo, FRAME, PC);                              \
	}
#define CAS(T, bits, name)                                                                         \
	int __tsan_atomic##bits##_compare_exchange_##name(void *p, T *e, T v, int mo, int fmo)     \
	{                                                                                          \
		uint64_t expect = *e;                                                              \
		bool won = x_cas(AT, bits / 8, &expect, v, mo, fmo, FRAME, PC);                   \
		*e = (T)expect;                                                                    \
		return won;                                                                        \
	}
#define ATOMIC(T, bits)                                                                            \
	T __tsan_atomic##bits##_load(void *p, int mo)                                              \
	{                                                                                          \
		return (T)x_load(AT, bits / 8, mo, FRAME, PC);                                    \
	}                                                                                          \
	void __tsan_atomic##bits##_store(void *p, T v, int mo)                                     \
	{                                                                                          \
		x_store(AT, bits / 8, v, mo, FRAME, PC);                                          \
	}                                                                                          \
	T __tsan_atomic##bits##_compare_exchange_val(void *p, T e, T v, int mo, int fmo)           \
	{                                                                                          \
		uint64_t expect = e;                                                               \
		x_cas(AT, bits / 8, &expect, v, mo, fmo, FRAME, PC);                              \
		return (T)expect;                                                                  \
	}                                                                                          \
	CAS(T, bits, weak)                                                                         \
	CAS(T, bits, strong)                                                                       \
	RMW(T, bits, exchange, XCHG)                                                               \
	RMW(T, bits, fetch_add, ADD)                                                               \
	RMW(T, bits, fetch_sub, SUB)                                                               \
	RMW(T, bits, fetch_and, AND)                                                               \
	RMW(T, bits, fetch_or, OR)                                                                 \
	RMW(T, bits, fetch_xor, XOR)                                                               \
	RMW(T, bits, fetch_nand, NAND)

ATOMIC(uint8_t, 8) ATOMIC(uint16_t, 16) ATOMIC(uint32_t, 32) ATOMIC(uint64_t, 64)
