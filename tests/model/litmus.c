/* litmus.c - the explorer itself: the programs every memory model is measured by have the ends they must have. */
/* SPDX-License-Identifier: MIT */
#include "base/atomic.h"

void model_membarrier(void);

static _Atomic int x, y;
int r[4]; /* not static: nobody reads it but the explorer */
static int data;

#define LOAD(p, order)	   atomic_load_explicit((p), memory_order_##order)
#define STORE(p, v, order) atomic_store_explicit((p), (v), memory_order_##order)
#define FENCE(order)	   atomic_thread_fence(memory_order_##order)

/* Store buffering: both may miss the other's store, unless both fence, or one executes the other's fence for it. */
static void sb0(void)
{
	grt_store(&x, 1);
	r[0] = grt_load(&y);
}

static void sb1(void)
{
	grt_store(&y, 1);
	r[1] = grt_load(&x);
}

static void sb0_fence(void)
{
	grt_store(&x, 1);
	FENCE(seq_cst);
	r[0] = grt_load(&y);
}

static void sb1_fence(void)
{
	grt_store(&y, 1);
	FENCE(seq_cst);
	r[1] = grt_load(&x);
}

static void sb1_barrier(void)
{
	grt_store(&y, 1);
	model_membarrier();
	r[1] = grt_load(&x);
}

static void sb0_seq_cst(void)
{
	STORE(&x, 1, seq_cst);
	r[0] = LOAD(&y, seq_cst);
}

static void sb1_seq_cst(void)
{
	STORE(&y, 1, seq_cst);
	r[1] = LOAD(&x, seq_cst);
}

/* Message passing: the flag may be seen before the message, unless it is released and acquired. */
static void mp_send(void)
{
	grt_store(&x, 1);
	grt_store(&y, 1);
}

static void mp_receive(void)
{
	r[0] = grt_load(&y);
	r[1] = grt_load(&x);
}

static void mp_release(void)
{
	grt_store(&x, 1);
	STORE(&y, 1, release);
}

static void mp_acquire(void)
{
	r[0] = LOAD(&y, acquire);
	r[1] = grt_load(&x);
}

static void mp_release_fence(void)
{
	grt_store(&x, 1);
	FENCE(release);
	grt_store(&y, 1);
}

static void mp_acquire_fence(void)
{
	r[0] = grt_load(&y);
	FENCE(acquire);
	r[1] = grt_load(&x);
}

/* Plain data under a flag; a read-modify-write in between passes the release on. */
static void data_send(void)
{
	data = 1;
	STORE(&y, 1, release);
}

static void data_pass_on(void)
{
	int one = 1;

	atomic_compare_exchange_strong_explicit(&y, &one, 2, memory_order_relaxed,
						memory_order_relaxed);
}

static void data_receive(void)
{
	if (LOAD(&y, acquire) == 2)
		r[0] = data;
}

/* Two writers, two readers: they may disagree on the order, unless they fence. */
static void write_x(void)
{
	STORE(&x, 1, release);
}

static void write_y(void)
{
	STORE(&y, 1, release);
}

static void read_xy(void)
{
	r[0] = LOAD(&x, acquire);
	r[1] = LOAD(&y, acquire);
}

static void read_yx(void)
{
	r[2] = LOAD(&y, acquire);
	r[3] = LOAD(&x, acquire);
}

static void read_xy_fence(void)
{
	r[0] = LOAD(&x, acquire);
	FENCE(seq_cst);
	r[1] = LOAD(&y, acquire);
}

static void read_yx_fence(void)
{
	r[2] = LOAD(&y, acquire);
	FENCE(seq_cst);
	r[3] = LOAD(&x, acquire);
}

/* One word never goes back; no increment is lost. */
static void read_twice(void)
{
	r[0] = grt_load(&x);
	r[1] = grt_load(&x);
}

static void write_twice(void)
{
	grt_store(&x, 1);
	grt_store(&x, 2);
}

static void add(void)
{
	atomic_fetch_add_explicit(&x, 1, memory_order_relaxed);
}

static void both_added(void)
{
	CHECK(x == 2);
}

int main(int argc, char **argv)
{
	static const struct model models[] = {
		{ "litmus/sb", .thread = { sb0, sb1 }, .ends = 4 },
		{ "litmus/sb-fences", .thread = { sb0_fence, sb1_fence }, .ends = 3 },
		{ "litmus/sb-one-fence", .thread = { sb0_fence, sb1 }, .ends = 4 },
		{ "litmus/sb-membarrier", .thread = { sb0, sb1_barrier }, .ends = 3 },
		{ "litmus/sb-seq-cst", .thread = { sb0_seq_cst, sb1_seq_cst }, .ends = 3 },
		{ "litmus/mp", .thread = { mp_send, mp_receive }, .ends = 4 },
		{ "litmus/mp-release", .thread = { mp_release, mp_receive }, .ends = 4 },
		{ "litmus/mp-acquire", .thread = { mp_send, mp_acquire }, .ends = 4 },
		{ "litmus/mp-both", .thread = { mp_release, mp_acquire }, .ends = 3 },
		{ "litmus/mp-fences", .thread = { mp_release_fence, mp_acquire_fence }, .ends = 3 },
		{ "litmus/mp-mixed", .thread = { mp_release_fence, mp_acquire }, .ends = 3 },
		{ "litmus/passed-on", .thread = { data_send, data_pass_on, data_receive },
		  .ends = 3 },
		{ "litmus/iriw", .thread = { write_x, write_y, read_xy, read_yx }, .ends = 16 },
		{ "litmus/iriw-fences",
		  .thread = { write_x, write_y, read_xy_fence, read_yx_fence }, .ends = 15 },
		{ "litmus/coherence", .thread = { write_twice, read_twice }, .ends = 6 },
		{ "litmus/add", .thread = { add, add }, .check = both_added, .ends = 1 },
	};

	return model_main(models, (int)(sizeof(models) / sizeof(models[0])), argc, argv);
}
