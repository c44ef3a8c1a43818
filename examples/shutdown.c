/* shutdown.c - SIGTERM and SIGINT end a server in good order: no new work, what was begun is finished. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS = 3, GIVES_UP_AFTER = 10 };

static void need(int err)
{
	if (err == 0)
		return;
	fprintf(stderr, "error %d\n", -err);
	exit(EXIT_FAILURE);
}

/* Requests come in for ever, until the channel stop is closed. */
static void listen(goru_chan *requests, goru_chan *stop)
{
	for (int n = 1;; n++) {
		goru_case k[] = { GORU_SEND(requests, &n), GORU_RECV(stop, NULL) };

		if (goru_select(k, 2) == 1)
			break;
		if (n == 1000) /* somebody stops the server: a service manager, or Ctrl-C */
			kill(getpid(), SIGTERM);
	}
	goru_chan_close(requests); /* the workers finish what is in it */
}

struct counts {
	goru_mutex mutex;
	long begun, finished;
};

static void work(goru_chan *requests, struct counts *c, goru_waitgroup *working)
{
	int n;

	while (goru_chan_recv(requests, &n) > 0) {
		need(goru_mutex_lock(&c->mutex));
		c->begun++;
		goru_mutex_unlock(&c->mutex);
		goru_sleep(GORU_MSEC / 10); /* the work itself */
		need(goru_mutex_lock(&c->mutex));
		c->finished++;
		goru_mutex_unlock(&c->mutex);
	}
	goru_waitgroup_done(working);
}

static void serve(void *arg)
{
	goru_chan *signals = goru_chan_make(sizeof(int), 2), *stop = goru_chan_make(0, 0),
		  *requests = goru_chan_make(sizeof(int), 16);
	goru_waitgroup working = GORU_WAITGROUP_INIT;
	struct counts c = { GORU_MUTEX_INIT, 0, 0 };
	int signo, err;

	(void)arg;
	if (!signals || !stop || !requests)
		need(-1);
	need(goru_signal_notify(signals, SIGTERM));
	need(goru_signal_notify(signals, SIGINT));

	goru_waitgroup_add(&working, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		need(go(work, requests, &c, &working));
	need(go(listen, requests, stop));

	goru_chan_recv(signals, &signo);
	printf("%s: no more requests\n", signo == SIGTERM ? "SIGTERM" : "SIGINT");
	goru_chan_close(stop);
	/* from here on a second signal kills at once, as ever */
	need(goru_signal_stop(signals));
	err = goru_waitgroup_wait_until(&working, goru_in(GIVES_UP_AFTER * GORU_SEC));
	if (err < 0) {
		printf("some requests take too long\n");
		exit(EXIT_FAILURE);
	}
	printf("%s\n",
	       c.begun == c.finished ? "all that were begun are finished" : "some are lost");

	goru_chan_unref(signals);
	goru_chan_unref(stop);
	goru_chan_unref(requests);
}

int main(void)
{
	need(goru_run(serve, NULL));
	return 0;
}

/* Output:
 * SIGTERM: no more requests
 * all that were begun are finished
 */
