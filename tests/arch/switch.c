/* switch.c - what is live across a switch survives it, whatever the other side leaves in the registers. */
/* SPDX-License-Identifier: MIT */
/*
 * Two stacks and the bare switch of the port, no runtime. The other side fills every register it can reach with ones
 * before it switches back. switch_o0.c, switch_o3.c and others compile this file with other flags.
 */
/* test: not=address,thread */
#include "test.h"

#include "arch.h"

#define NOINLINE __attribute__((noinline))

static struct gobuf main_buf, other_buf;
static char stack[1 << 16] __attribute__((aligned(64)));
static uint64_t switches;

/* All ones wherever it may write. */
static void spoil(void)
{
#if defined(__x86_64__)
	__asm__ volatile(
		"movq $-1, %%rax\n\t"
		"movq %%rax, %%rcx\n\tmovq %%rax, %%rdx\n\tmovq %%rax, %%rsi\n\tmovq %%rax, %%rdi\n\t"
		"movq %%rax, %%r8\n\tmovq %%rax, %%r9\n\tmovq %%rax, %%r10\n\tmovq %%rax, %%r11\n\t"
		"movq %%rax, %%r12\n\tmovq %%rax, %%r13\n\tmovq %%rax, %%r14\n\tmovq %%rax, %%r15\n\t"
		"movq %%rax, %%rbx\n\t"
		"pcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm1, %%xmm1\n\tpcmpeqd %%xmm2, %%xmm2\n\t"
		"pcmpeqd %%xmm3, %%xmm3\n\tpcmpeqd %%xmm4, %%xmm4\n\tpcmpeqd %%xmm5, %%xmm5\n\t"
		"pcmpeqd %%xmm6, %%xmm6\n\tpcmpeqd %%xmm7, %%xmm7\n\tpcmpeqd %%xmm8, %%xmm8\n\t"
		"pcmpeqd %%xmm9, %%xmm9\n\tpcmpeqd %%xmm10, %%xmm10\n\tpcmpeqd %%xmm11, %%xmm11\n\t"
		"pcmpeqd %%xmm12, %%xmm12\n\tpcmpeqd %%xmm13, %%xmm13\n\tpcmpeqd %%xmm14, %%xmm14\n\t"
		"pcmpeqd %%xmm15, %%xmm15\n\t"
		:
		:
		: "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
		  "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
		  "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",
		  "memory");
#ifdef __AVX512F__
#define ONES(n) "vpternlogd $255, %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n\t"
	__asm__ volatile(ONES(0) ONES(1) ONES(2) ONES(3) ONES(4) ONES(5) ONES(6) ONES(7) ONES(8)
				 ONES(9) ONES(10) ONES(11) ONES(12) ONES(13) ONES(14) ONES(15)
					 ONES(16) ONES(17) ONES(18) ONES(19) ONES(20) ONES(21)
						 ONES(22) ONES(23) ONES(24) ONES(25) ONES(26)
							 ONES(27) ONES(28) ONES(29) ONES(30)
								 ONES(31)
			 :
			 :
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
			   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16",
			   "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",
			   "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");
#endif
#elif defined(__aarch64__)
#define ONES(n)	 "movn x" #n ", #0\n\t"
#define VONES(n) "movi v" #n ".16b, #255\n\t"
	__asm__ volatile(ONES(0) ONES(1) ONES(2) ONES(3) ONES(4) ONES(5) ONES(6) ONES(7) ONES(8)
				 ONES(9) ONES(10) ONES(11) ONES(12) ONES(13) ONES(14) ONES(15)
					 ONES(16) ONES(17) ONES(19) ONES(20) ONES(21) ONES(22)
						 ONES(23) ONES(24) ONES(25) ONES(26) ONES(27)
							 ONES(28)
			 :
			 :
			 : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
			   "x12", "x13", "x14", "x15", "x16", "x17", "x19", "x20", "x21", "x22",
			   "x23", "x24", "x25", "x26", "x27", "x28", "memory");
	__asm__ volatile(VONES(0) VONES(1) VONES(2) VONES(3) VONES(4) VONES(5) VONES(6) VONES(7)
				 VONES(8) VONES(9) VONES(10) VONES(11) VONES(12) VONES(13) VONES(14)
					 VONES(15) VONES(16) VONES(17) VONES(18) VONES(19) VONES(20)
						 VONES(21) VONES(22) VONES(23) VONES(24) VONES(25)
							 VONES(26) VONES(27) VONES(28) VONES(29)
								 VONES(30) VONES(31)
			 :
			 :
			 : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",
			   "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
			   "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
			   "memory");
#endif
}

/* The other side's one function; the word it got last is what it passes back, plus one. */
static void other(void *word)
{
	for (;;) {
		void *next = (char *)word + 1;

		switches++;
		spoil();
		word = grt_arch_switch(&other_buf, &main_buf, next);
	}
}

static void prepare(void)
{
	grt_arch_prepare(&other_buf, stack + sizeof(stack), other);
}

/* To the other side and back. */
#define SWITCH() ((void)grt_arch_switch(&main_buf, &other_buf, NULL))

static void word_is_passed(void)
{
	uintptr_t w = 100;

	prepare();
	for (int i = 0; i < 10; i++)
		w = (uintptr_t)grt_arch_switch(&main_buf, &other_buf, (void *)w);
	CHECK_EQ(w, 110);
}

/* The words belong to whoever runs: sp is 0 while the stack is in use. */
static void sp_tells_who_runs(void)
{
	prepare();
	CHECK(grt_load(&other_buf.sp));
	SWITCH();
	CHECK(grt_load(&other_buf.sp) >= (void *)stack);
	CHECK(grt_load(&other_buf.sp) < (void *)(stack + sizeof(stack)));
	CHECK(!grt_load(&main_buf.sp));
}

static NOINLINE uint64_t value(int i)
{
	return (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15) + switches;
}

static void integers_live(void)
{
	prepare();
	for (int r = 0; r < 20; r++) {
		uint64_t a = value(1), b = value(2), c = value(3), d = value(4), e = value(5),
			 f = value(6), g = value(7), h = value(8), i = value(9), j = value(10),
			 k = value(11), l = value(12), before = switches;

		SWITCH();
		SWITCH();
		CHECK_EQ(switches, before + 2);
		switches = before;
		CHECK(a == value(1) && b == value(2) && c == value(3) && d == value(4) &&
		      e == value(5) && f == value(6) && g == value(7) && h == value(8) &&
		      i == value(9) && j == value(10) && k == value(11) && l == value(12));
	}
}

static NOINLINE double number(int i)
{
	return i * 1.25 + 0.5;
}

static void doubles_live(void)
{
	prepare();
	for (int r = 0; r < 20; r++) {
		double a = number(1), b = number(2), c = number(3), d = number(4), e = number(5),
		       f = number(6), g = number(7), h = number(8), i = number(9), j = number(10),
		       k = number(11), l = number(12), m = number(13), n = number(14),
		       o = number(15), p = number(16), q = number(17);

		SWITCH();
		CHECK(a == 1.75 && b == 3.0 && c == 4.25 && d == 5.5 && e == 6.75 && f == 8.0 &&
		      g == 9.25 && h == 10.5 && i == 11.75 && j == 13.0 && k == 14.25 &&
		      l == 15.5 && m == 16.75 && n == 18.0 && o == 19.25 && p == 20.5 &&
		      q == 21.75);
	}
}

static NOINLINE long double wide(int i)
{
	return (long double)i / 3;
}

static void long_doubles_live(void)
{
	prepare();
	for (int r = 0; r < 20; r++) {
		long double a = wide(1), b = wide(2), c = wide(4);
		float d = (float)number(3);

		SWITCH();
		CHECK(a == wide(1) && b == wide(2) && c == wide(4) && d == 4.25f);
		CHECK(a + b == wide(1) + wide(2));
	}
}

typedef uint32_t vec __attribute__((vector_size(16)));
typedef uint32_t bigvec __attribute__((vector_size(64)));

static NOINLINE void fill(void *v, uint32_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint32_t *)v)[i] = from + (uint32_t)i;
}

static void vectors_live(void)
{
	prepare();
	for (uint32_t r = 0; r < 20; r++) {
		vec a, b, c;
		bigvec x, y, z;

		fill(&a, r, 4);
		fill(&b, r + 100, 4);
		fill(&x, r + 200, 16);
		fill(&y, r + 300, 16);
		c = a + b;
		z = x * y;
		SWITCH();
		c -= a;
		z -= x * y;
		for (int i = 0; i < 4; i++)
			CHECK_EQ(c[i], b[i]);
		for (int i = 0; i < 16; i++)
			CHECK_EQ(z[i], 0);
	}
}

/* The registers that only the widest units have: here the compiler would rather keep these. */
static void wide_registers_live(void)
{
#ifdef __AVX512F__
	prepare();
	for (uint32_t r = 0; r < 20; r++) {
		bigvec v[4];

		for (uint32_t i = 0; i < 4; i++)
			v[i] = (bigvec){ 0 } + (r + i);

		bigvec a = v[0], b = v[1], c = v[2], d = v[3];

		__asm__ volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d));
		SWITCH();
		__asm__ volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d));
		for (int i = 0; i < 16; i++)
			CHECK(a[i] == r && b[i] == r + 1 && c[i] == r + 2 && d[i] == r + 3);
	}
#endif
}

/* A frame of a size the compiler does not know, with a local aligned to more than the stack: clang keeps the base
 * pointer of such a frame in a register that it takes for its own whatever the asm says. */
static NOINLINE int odd_frame(size_t n)
{
	char aligned[64] __attribute__((aligned(128)));
	char var[n];
	volatile int a = 5;
	int sum = 0;

	memset(var, 1, n);
	memset(aligned, 2, sizeof(aligned));
	SWITCH();
	a++;
	CHECK_EQ((uintptr_t)aligned % 128, 0);
	for (size_t i = 0; i < n; i++)
		sum += var[i];
	for (size_t i = 0; i < sizeof(aligned); i++)
		sum += aligned[i];
	SWITCH();
	return sum + a;
}

static void odd_frames_live(void)
{
	prepare();
	for (size_t n = 1; n < 200; n += 13)
		CHECK_EQ(odd_frame(n), (long long)n + 128 + 6);
}

/* A leaf with its locals in the red zone below the stack pointer. */
static NOINLINE uint64_t leaf(uint64_t a, uint64_t b)
{
	volatile uint64_t x = a, y = b, z = a ^ b;

	SWITCH();
	return x + y + z;
}

static void red_zone_lives(void)
{
	prepare();
	for (uint64_t i = 0; i < 50; i++)
		CHECK_EQ(leaf(i, i * 7), i + i * 7 + (i ^ (i * 7)));
}

/* A few conversions of each kind, which go through registers of both files and the stack. */
static NOINLINE __attribute__((format(printf, 3, 4))) void varargs(int i, double d, const char *fmt,
								   ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	SWITCH();
	CHECK(i == 1 && d == 2.5);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	CHECK(!strcmp(text,
		      "3 4.5 five 6.5 7 8.5 9 10.5 11 12.5 13 14.5 15 16.5 17.5 18.5 19.5 20.5"));
}

static void varargs_live(void)
{
	prepare();
	varargs(1, 2.5, "%d %g %s %g %ld %g %d %g %d %g %d %g %d %g %g %g %g %g", 3, 4.5, "five",
		6.5, 7L, 8.5, 9, 10.5, 11, 12.5, 13, 14.5, 15, 16.5, 17.5, 18.5, 19.5, 20.5);
}

/* The control words of the floating-point units belong to the thread: a switch neither sets nor keeps them. */
#if defined(__x86_64__)
static uint32_t control(void)
{
	uint32_t mxcsr;
	uint16_t x87;

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
	return (mxcsr & 0xffc0) << 16 | x87;
}

static void set_control(uint32_t v)
{
	uint32_t mxcsr = v >> 16;
	uint16_t x87 = (uint16_t)v;

	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
}

#define CHANGED(v) (((v) ^ 0x20000000u) ^ 0x0400u) /* SSE: round down; x87: round down */
#else
static uint32_t control(void)
{
	uint64_t v;

	__asm__ volatile("mrs %0, fpcr" : "=r"(v));
	return (uint32_t)v;
}

static void set_control(uint32_t v)
{
	__asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)v));
}
#define CHANGED(v) ((v) ^ 0x00800000u) /* round down */
#endif

static uint32_t seen_there;

static void looks_at_control(void *word)
{
	for (;;) {
		seen_there = control();
		set_control(CHANGED(seen_there));
		word = grt_arch_switch(&other_buf, &main_buf, word);
	}
}

static void control_words_are_the_threads(void)
{
	uint32_t first = control();

	grt_arch_prepare(&other_buf, stack + sizeof(stack), looks_at_control);
	set_control(CHANGED(first));
	CHECK_EQ(control(), CHANGED(first));
	SWITCH();
	CHECK_EQ(seen_there, CHANGED(first)); /* the first frame does not reset them */
	CHECK_EQ(control(), first);	      /* what was changed there is changed here */
	SWITCH();
	CHECK_EQ(seen_there, first);
	set_control(first);
}

/* The first frame: aligned as after a call, for any top. */
static uintptr_t entry_frame, entry_local;
static void *entry_word;

static void entered(void *word)
{
	struct {
		char c[16] __attribute__((aligned(16)));
	} local;

	memset(&local, 1, sizeof(local));
	entry_word = word;
	entry_frame = (uintptr_t)__builtin_frame_address(0);
	entry_local = (uintptr_t)&local;
	grt_arch_switch(&other_buf, &main_buf, NULL);
}

static void aligned_at_entry(void)
{
	for (size_t off = 0; off < 64; off++) {
		entry_frame = 1;
		grt_arch_prepare(&other_buf, stack + sizeof(stack) - off, entered);
		grt_arch_switch(&main_buf, &other_buf, &entry_word);
		CHECK_EQ(entry_frame % 16, 0);
		CHECK_EQ(entry_local % 16, 0);
		CHECK(entry_word == &entry_word);
		CHECK(entry_frame < (uintptr_t)stack + sizeof(stack) - off);
		CHECK(entry_frame > (uintptr_t)stack + sizeof(stack) - off - 256);
	}
}

TEST_MAIN(TEST(word_is_passed), TEST(sp_tells_who_runs), TEST(integers_live), TEST(doubles_live),
	  TEST(long_doubles_live), TEST(vectors_live), TEST(wide_registers_live),
	  TEST(odd_frames_live), TEST(red_zone_lives), TEST(varargs_live),
	  TEST(control_words_are_the_threads), TEST(aligned_at_entry))
