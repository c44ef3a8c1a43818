/* list.c - the doubly linked ring, and the goroutines' own list. */
/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/list.h"
#include "part/g.h"

struct item {
	int id;
	struct list link;
};

/* The ids in order, as a number: 1, 2, 3 is 123. Looks at both directions. */
static int order(const struct list *head)
{
	int n = 0, back = 0, scale = 1;

	for (const struct list *l = head->next; l != head; l = l->next)
		n = n * 10 + grt_container_of(l, struct item, link)->id;
	for (const struct list *l = head->prev; l != head; l = l->prev, scale *= 10)
		back += grt_container_of(l, struct item, link)->id * scale;
	CHECK_EQ(n, back);
	return n;
}

static void list_keeps_order(void)
{
	struct item a = { .id = 1 }, b = { .id = 2 }, c = { .id = 3 };
	struct list head;

	grt_list_init(&head);
	CHECK(grt_list_empty(&head));
	grt_list_push(&head, &a.link);
	CHECK(!grt_list_empty(&head));
	grt_list_push(&head, &b.link);
	grt_list_push(&head, &c.link);
	CHECK_EQ(order(&head), 123);
	CHECK(grt_list_first(&head, struct item, link) == &a);
}

static void list_is_left_anywhere(void)
{
	struct item a = { .id = 1 }, b = { .id = 2 }, c = { .id = 3 };
	struct list head;

	grt_list_init(&head);
	grt_list_push(&head, &a.link);
	grt_list_push(&head, &b.link);
	grt_list_push(&head, &c.link);
	grt_list_del(&b.link);
	CHECK_EQ(order(&head), 13);
	grt_list_del(&c.link);
	grt_list_push(&head, &b.link);
	CHECK_EQ(order(&head), 12);
	grt_list_del(&a.link);
	grt_list_del(&b.link);
	CHECK(grt_list_empty(&head));
	CHECK_EQ(order(&head), 0);
}

static struct g gs[4];

static void glist_is_first_in_first_out(void)
{
	struct glist l = { 0 };

	CHECK(!grt_glist_pop(&l));
	for (int i = 0; i < 3; i++)
		grt_glist_push(&l, &gs[i]);
	CHECK_EQ(l.n, 3);
	for (int i = 0; i < 3; i++)
		CHECK(grt_glist_pop(&l) == &gs[i]);
	CHECK(!l.head && !l.tail && l.n == 0);
	CHECK(!grt_glist_pop(&l));
	/* empty once more: the tail must not be the old one */
	grt_glist_push(&l, &gs[3]);
	CHECK(l.head == &gs[3] && l.tail == &gs[3]);
}

static void glist_takes_a_front(void)
{
	struct glist l = { 0 };

	grt_glist_push_front(&l, &gs[1]);
	CHECK(l.tail == &gs[1]);
	grt_glist_push_front(&l, &gs[0]);
	grt_glist_push(&l, &gs[2]);
	CHECK_EQ(l.n, 3);
	for (int i = 0; i < 3; i++)
		CHECK(grt_glist_pop(&l) == &gs[i]);
}

static void glist_append_moves_all(void)
{
	struct glist a = { 0 }, b = { 0 };

	grt_glist_append(&a, &b);
	CHECK(!a.head && a.n == 0);
	grt_glist_push(&b, &gs[0]);
	grt_glist_push(&b, &gs[1]);
	grt_glist_append(&a, &b);
	CHECK(!b.head && !b.tail && b.n == 0);
	CHECK(a.head == &gs[0] && a.tail == &gs[1] && a.n == 2);
	grt_glist_push(&b, &gs[2]);
	grt_glist_append(&a, &b);
	grt_glist_push(&a, &gs[3]);
	CHECK_EQ(a.n, 4);
	for (int i = 0; i < 4; i++)
		CHECK(grt_glist_pop(&a) == &gs[i]);
}

TEST_MAIN(TEST(list_keeps_order), TEST(list_is_left_anywhere), TEST(glist_is_first_in_first_out),
	  TEST(glist_takes_a_front), TEST(glist_append_moves_all))
