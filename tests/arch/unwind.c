/* unwind.c - an unwinder goes from inside a goroutine, and through a parked one, down to the first frame and ends. */
/* SPDX-License-Identifier: MIT */
/* test: not=nounwinder */
#if __has_include(<execinfo.h>) /* glibc's */
#include <execinfo.h>
#endif
#include <unistd.h>
#include <unwind.h>

#include "test.h"

#include "base/sanitizer.h"
#include "part/stack.h"

#define NOINLINE __attribute__((noinline))

enum { DEPTH = 40 };

struct trace {
	int n;

	uintptr_t pc[DEPTH];
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *arg)
{
	struct trace *t = arg;
	int before = 0;
	uintptr_t ip = _Unwind_GetIPInfo(context, &before);

	if (!ip) /* libgcc tells the end as a frame of its own */
		return _URC_NO_REASON;
	if (t->n == DEPTH)
		return _URC_END_OF_STACK;
	t->pc[t->n++] = before ? ip : ip - 1;
	return _URC_NO_REASON;
}

static bool within(uintptr_t pc, const void *fn)
{
	return _Unwind_FindEnclosingFunction((void *)pc) == fn;
}

static bool in_entry(uintptr_t pc)
{
	uintptr_t from = (uintptr_t)grt_arch_entry;

	return pc >= from && pc < from + 64;
}

static void bottom(void (*fn)(void));
static void level_1(void (*fn)(void));
static void level_2(void (*fn)(void));

/* fn is at the top, and then these; grt_arch_entry is the last, and there is nothing behind. */
static void check_trace(const struct trace *t)
{
	static void (*const want[])(void (*)(void)) = { level_2, level_1, bottom };
	int at = 0;

	for (int i = 0; i < t->n; i++)
		if (at < 3 && within(t->pc[i], (const void *)want[at]))
			at++;
	CHECK_EQ(at, 3);
	CHECK(t->n > 4 && t->n < 20);
	CHECK(t->n > 0 && in_entry(t->pc[t->n - 1]));
	for (int i = 0; i + 1 < t->n; i++)
		CHECK(!in_entry(t->pc[i]));
}

static volatile int sink;

static NOINLINE void level_2(void (*fn)(void))
{
	fn();
	sink++;
}

static NOINLINE void level_1(void (*fn)(void))
{
	level_2(fn);
	sink++;
}

static NOINLINE void bottom(void (*fn)(void))
{
	level_1(fn);
	sink++;
}

static NOINLINE void unwinds_itself(void)
{
	struct trace t = { .n = 0 };

	_Unwind_Backtrace(step, &t);
	check_trace(&t);
}

#ifdef _EXECINFO_H
static NOINLINE void backtraces_itself(void)
{
	void *pc[DEPTH];
	struct trace t = { .n = backtrace(pc, DEPTH) };

	for (int i = 0; i < t.n; i++)
		t.pc[i] = (uintptr_t)pc[i] - 1;
	check_trace(&t);
}
#endif

static void from_inside(void)
{
	bottom(unwinds_itself);
#ifdef _EXECINFO_H
	bottom(backtraces_itself);
#endif
	goru_yield();
	CHECK_EQ(goru_sleep(GORU_MSEC), 0); /* and again after it was switched out */
	bottom(unwinds_itself);
}

/*
 * walk(buf, fn, arg): _Unwind_Backtrace(fn, arg) whose caller, as far as the unwinder can see, is the place where buf
 * was switched out. This is what a debugger does with the four words: the unwind table of this function says that its
 * caller's pc, sp, bp and bx stand in *buf.
 */
_Unwind_Reason_Code walk(const struct gobuf *buf, _Unwind_Trace_Fn fn, void *arg);
#if defined(__x86_64__)
__asm__(".text\n\t.type walk, @function\n"
	"walk:\n\t.cfi_startproc\n\t"
	"pushq %r12\n\tmovq %rdi, %r12\n\t"
	".cfi_escape 0x0f, 3, 0x7c, 8, 6\n\t"  /* CFA = *(r12 + 8) */
	".cfi_escape 0x10, 16, 2, 0x7c, 0\n\t" /* pc at r12 + 0 */
	".cfi_escape 0x10, 6, 2, 0x7c, 16\n\t" /* rbp at r12 + 16 */
	".cfi_escape 0x10, 3, 2, 0x7c, 24\n\t" /* rbx at r12 + 24 */
	"movq %rsi, %rdi\n\tmovq %rdx, %rsi\n\tcall _Unwind_Backtrace@PLT\n\t"
	"popq %r12\n\tret\n\t.cfi_endproc\n\t.size walk, .-walk\n");
#elif defined(__aarch64__)
__asm__(".text\n\t.type walk, %function\n"
	"walk:\n\t.cfi_startproc\n\t"
	"stp x29, x30, [sp, #-32]!\n\tstr x20, [sp, #16]\n\tmov x20, x0\n\t"
	".cfi_escape 0x0f, 3, 0x84, 8, 6\n\t"	/* CFA = *(x20 + 8) */
	".cfi_escape 0x10, 30, 2, 0x84, 0\n\t"	/* pc at x20 + 0 */
	".cfi_escape 0x10, 29, 2, 0x84, 16\n\t" /* x29 at x20 + 16 */
	".cfi_escape 0x10, 19, 2, 0x84, 24\n\t" /* x19 at x20 + 24 */
	"mov x0, x1\n\tmov x1, x2\n\tbl _Unwind_Backtrace\n\t"
	"ldr x20, [sp, #16]\n\tldp x29, x30, [sp], #32\n\tret\n\t.cfi_endproc\n\t.size walk, .-walk\n");
#endif

static goru_chan *chan;
static _Atomic uintptr_t on_its_stack;
static goru_waitgroup wg;

static NOINLINE void parks_recv(void)
{
	goru_chan_recv(chan, NULL);
}

static NOINLINE void parks_send(void)
{
	goru_chan_send(chan, NULL);
}

static NOINLINE void parks_select(void)
{
	goru_case k[] = { GORU_RECV(chan, NULL), GORU_RECV(NULL, NULL) };

	goru_select(k, 2);
}

static NOINLINE void parks_sleep(void)
{
	goru_sleep(3600 * GORU_SEC); /* the shutdown ends it */
}

static void body(void *fn)
{
	atomic_store(&on_its_stack, (uintptr_t)__builtin_frame_address(0));
	bottom((void (*)(void))fn);
	goru_waitgroup_done(&wg);
}

static void through_a_parked_one(void)
{
	void (*const fns[])(void) = { parks_recv, parks_send, parks_select, parks_sleep };

	for (size_t i = 0; i < grt_countof(fns); i++) {
		struct trace t = { .n = 0 };
		struct g *g;

		chan = goru_chan_make(0, 0);
		atomic_store(&on_its_stack, 0);
		goru_waitgroup_add(&wg, 1);
		CHECK_EQ(goru_go(body, (void *)fns[i]), 0);
		UNTIL(atomic_load(&on_its_stack));
		g = grt_stack_find(atomic_load(&on_its_stack));
		UNTIL(grt_load(&g->state) == G_WAITING &&
		      atomic_load_explicit(&g->sched.sp, memory_order_acquire));
		walk(&g->sched, step, &t);
		check_trace(&t);
		goru_chan_close(chan);
		if (fns[i] == parks_sleep) {
			CHECK_EQ(goru_shutdown(), 0);
			goru_waitgroup_done(&wg);
		}
		CHECK_EQ(goru_waitgroup_wait(&wg), 0);
		goru_chan_unref(chan);
	}
}

/* The bare switch, in functions compiled as this file is: with frame pointers, all depends on the word for it. */
static struct gobuf here, there;

static NOINLINE void switches_back(void)
{
	grt_arch_switch(&there, &here, NULL);
	sink++;
}

static void first(void *word)
{
	(void)word;
	for (;;)
		bottom(switches_back);
}

static void through_a_bare_switch(void)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	struct trace t = { .n = 0 };

	if (GRT_ASAN_ON || GRT_TSAN_ON)
		return; /* nobody tells them */
	grt_arch_prepare(&there, stack + sizeof(stack), first);
	for (int i = 0; i < 3; i++) {
		grt_arch_switch(&here, &there, NULL);
		t.n = 0;
		walk(&there, step, &t);
		check_trace(&t);
	}
}

/* One that has not run yet stands at its first frame: nothing behind it either. */
static void of_a_new_one(void)
{
	static char stack[4096] __attribute__((aligned(16)));
	struct trace t = { .n = 0 };
	struct gobuf b;

	grt_arch_prepare(&b, stack + sizeof(stack), NULL);
	b.pc = (char *)b.pc + 1; /* as if it were a return address */
	walk(&b, step, &t);
	CHECK(t.n >= 1 && in_entry(t.pc[t.n - 1]));
	CHECK(t.n <= 2);
}

TEST_MAIN(TEST_GO(from_inside), TEST(through_a_parked_one), TEST(through_a_bare_switch),
	  TEST(of_a_new_one))
