/* local.c - numbers of keys: 0 is never one, also where the key's room for them ends; old values stay hidden. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "sched/local.c"

static void numbers_wrap_in_the_key(void)
{
	/* the key of place 0 around the end of its 22 bits, and where a number of 32 bits would end */
	const uint64_t from[] = { ((uint64_t)1 << (SEQ_BITS + 1)) - 6, ((uint64_t)1 << 32) - 6 };
	goru_local_key key, before = 0;
	int values[8];

	for (size_t f = 0; f < grt_countof(from); f++) {
		grt_store(&K.key[0].seq, from[f]);
		for (int i = 0; i < 8; i++) {
			CHECK_EQ(goru_local_create(&key, NULL), 0);
			CHECK_EQ(key % KEYS, 0);
			CHECK(key != 0 && key != before);
			CHECK(!goru_local_get(key));
			CHECK_EQ(goru_local_set(key, &values[i]), 0);
			CHECK(goru_local_get(key) == &values[i]);
			CHECK(!goru_local_get(before));
			CHECK_EQ(goru_local_set(before, &values[i]), -EINVAL);
			CHECK_EQ(goru_local_delete(before), -EINVAL);
			CHECK_EQ(goru_local_delete(key), 0);
			before = key;
		}
	}
}

/* The same key comes back after 4 million others: its old value does not. */
static void values_do_not_come_back(void)
{
	goru_local_key first, second;
	int v;

	CHECK_EQ(goru_local_create(&first, NULL), 0);
	CHECK_EQ(goru_local_set(first, &v), 0);
	CHECK_EQ(goru_local_delete(first), 0);
	grt_store(&K.key[first % KEYS].seq,
		  grt_load(&K.key[first % KEYS].seq) + ((uint64_t)2 << SEQ_BITS) - 2);
	CHECK_EQ(goru_local_create(&second, NULL), 0);
	CHECK_EQ(second, first);
	CHECK(!goru_local_get(second));
	CHECK_EQ(goru_local_delete(second), 0);
}

TEST_MAIN(TEST_BOTH(numbers_wrap_in_the_key), TEST_BOTH(values_do_not_come_back))
