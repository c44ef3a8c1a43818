/* trees.c - do two binary trees hold the same values? Two goroutines walk, a third compares. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

GORU_CHAN_OF(ints, int);

struct tree {
	struct tree *left, *right;
	int value;
};

static void insert(struct tree **at, int value)
{
	while (*at)
		at = value < (*at)->value ? &(*at)->left : &(*at)->right;
	*at = calloc(1, sizeof(**at));
	if (!*at)
		abort();
	(*at)->value = value;
}

/* A tree of k, 2k, ..., 10k; `first` and `step` make its shape. step has no divisor with 10. */
static struct tree *grow(int k, int first, int step)
{
	struct tree *t = NULL;

	for (int i = 0; i < 10; i++)
		insert(&t, k * (1 + (first + i * step) % 10));
	return t;
}

static void cut(struct tree *t)
{
	if (t) {
		cut(t->left);
		cut(t->right);
		free(t);
	}
}

/* Sends the values in order. False: the channel was closed, nobody wants more. */
static bool send_all(const struct tree *t, ints *out)
{
	if (!t)
		return true;
	return send_all(t->left, out) && ints_send(out, t->value) == 0 && send_all(t->right, out);
}

static void walk(const struct tree *t, ints *out, goru_waitgroup *walkers)
{
	send_all(t, out);
	ints_close(out);
	goru_waitgroup_done(walkers);
}

static bool same(const struct tree *a, const struct tree *b)
{
	goru_waitgroup walkers = GORU_WAITGROUP_INIT;
	ints *of_a = ints_make(0), *of_b = ints_make(0);
	int more_a, more_b, value_a, value_b;
	bool equal;

	goru_waitgroup_add(&walkers, 2);
	if (go(walk, a, of_a, &walkers) != 0 || go(walk, b, of_b, &walkers) != 0)
		exit(EXIT_FAILURE);
	do {
		more_a = ints_recv(of_a, &value_a);
		more_b = ints_recv(of_b, &value_b);
		equal = more_a == more_b && value_a == value_b; /* a receive at the end gives 0 */
	} while (equal && more_a > 0);

	/* At the first difference the walkers are still on their way. */
	ints_close(of_a);
	ints_close(of_b);
	if (goru_waitgroup_wait(&walkers) != 0)
		exit(EXIT_FAILURE);
	ints_unref(of_a);
	ints_unref(of_b);
	return equal;
}

int main(void)
{
	struct tree *a = grow(1, 4, 3), *b = grow(1, 7, 9), *c = grow(2, 4, 3);

	printf("1 to 10 in two shapes: %s\n", same(a, b) ? "the same" : "different");
	printf("1 to 10 and 2 to 20: %s\n", same(a, c) ? "the same" : "different");
	cut(a);
	cut(b);
	cut(c);
	return 0;
}

/* Output:
 * 1 to 10 in two shapes: the same
 * 1 to 10 and 2 to 20: different
 */
