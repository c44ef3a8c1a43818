/* once.c - once: everybody at once, over and over; all see what it did. */
/* SPDX-License-Identifier: MIT */
#include "lock.h"

static struct {
	goru_once o;
	uint64_t value;
} cells[64];
static _Atomic uint64_t cell;

static void fills(void *arg)
{
	uint64_t *value = arg;

	if (*value % 2 == 0)
		goru_yield();
	++*value;
}

static void does(uint64_t salt)
{
	(void)salt;
	for (;;) {
		uint64_t i = atomic_load(&cell);

		if (i >= 64)
			return;
		goru_once_do(&cells[i].o, fills, &cells[i].value);
		CHECK_EQ(cells[i].value, 1);
		atomic_compare_exchange_strong(&cell, &i, i + 1);
	}
}

static void test_once(void **state)
{
	(void)state;
	while (stress_more()) {
		memset(cells, 0, sizeof(cells));
		atomic_store(&cell, 0);
		together(does);
	}
}

STRESS_MAIN("stress/once", cmocka_unit_test(test_once))
