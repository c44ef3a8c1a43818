/* mutex.c - shared state, twice: guarded by a mutex, and owned by one goroutine that others ask through a channel. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLERKS = 8, TRANSFERS = 1000, ACCOUNTS = 4, EACH = 100 };

/* The accounts belong together: the sum must be right whenever the mutex is free. */
static goru_mutex mutex = GORU_MUTEX_INIT;
static int account[ACCOUNTS];

static void lock(goru_mutex *m)
{
	if (goru_mutex_lock(m) != 0)
		exit(EXIT_FAILURE);
}

static void transfer_locked(int from, int to)
{
	lock(&mutex);
	if (account[from] > 0) {
		account[from]--;
		goru_yield(); /* others run meanwhile, but none of them can see this */
		account[to]++;
	}
	goru_mutex_unlock(&mutex);
}

/* The same without a lock: one goroutine has the accounts, all others send it what is to be done. */
struct transfer {
	int from, to;
};

GORU_CHAN_OF(transfers, struct transfer);

static void bank(transfers *in, int *its_account)
{
	struct transfer t;

	while (transfers_recv(in, &t) > 0) {
		if (its_account[t.from] == 0)
			continue;
		its_account[t.from]--;
		its_account[t.to]++;
	}
}

static void clerk(int i, transfers *out, goru_waitgroup *working)
{
	for (int k = 0; k < TRANSFERS; k++) {
		struct transfer t = { (i + k) % ACCOUNTS, (i * k + 1) % ACCOUNTS };

		if (out)
			transfers_send(out, t);
		else
			transfer_locked(t.from, t.to);
	}
	goru_waitgroup_done(working);
}

static void let_clerks_work(transfers *out)
{
	goru_waitgroup working = GORU_WAITGROUP_INIT;

	for (int i = 0; i < CLERKS; i++) {
		goru_waitgroup_add(&working, 1);
		if (go(clerk, i, out, &working) != 0)
			exit(EXIT_FAILURE);
	}
	if (goru_waitgroup_wait(&working) != 0)
		exit(EXIT_FAILURE);
}

static int sum(const int *of)
{
	int n = 0;

	for (int i = 0; i < ACCOUNTS; i++)
		n += of[i];
	return n;
}

static void bank_goroutine(transfers *in, int *its_account, goru_waitgroup *open)
{
	bank(in, its_account);
	goru_waitgroup_done(open);
}

int main(void)
{
	int asked[ACCOUNTS];
	transfers *queue = transfers_make(64);
	goru_waitgroup open = GORU_WAITGROUP_INIT;

	for (int i = 0; i < ACCOUNTS; i++)
		account[i] = asked[i] = EACH;

	let_clerks_work(NULL);
	lock(&mutex);
	printf("guarded by a mutex: %d in all\n", sum(account));
	goru_mutex_unlock(&mutex);

	goru_waitgroup_add(&open, 1);
	if (go(bank_goroutine, queue, asked, &open) != 0)
		exit(EXIT_FAILURE);
	let_clerks_work(queue);
	transfers_close(queue);
	if (goru_waitgroup_wait(&open) != 0)
		exit(EXIT_FAILURE);
	printf("owned by a goroutine: %d in all\n", sum(asked));
	transfers_unref(queue);
	return 0;
}

/* Output:
 * guarded by a mutex: 400 in all
 * owned by a goroutine: 400 in all
 */
