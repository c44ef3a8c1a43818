/* list.h - a doubly linked ring through its elements, for lists that are left in the middle. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_BASE_LIST_H
#define GRT_BASE_LIST_H

#include "base/cc.h"

struct list {
	struct list *next, *prev;
};

static inline void grt_list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool grt_list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void grt_list_push(struct list *head, struct list *e)
{
	e->next = head;
	e->prev = head->prev;
	head->prev->next = e;
	head->prev = e;
}

static inline void grt_list_del(struct list *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
}

#define grt_list_first(head, type, member) grt_container_of((head)->next, type, member)

#endif
