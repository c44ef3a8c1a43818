/* zlib.c - zlib's streams in goroutines on stacks of the default size, each through a channel to another. */
/* SPDX-License-Identifier: MIT */
/* test: pkg=zlib procs=1,2,16 not=thread */
#include <zlib.h>

#include "test.h"

enum { STREAMS = 30, SIZE = 200000, PIECE = 1000 };

struct piece {
	unsigned n;
	unsigned char bytes[PIECE];
};

static goru_waitgroup wg;

static unsigned char byte(int stream, unsigned i)
{
	return (unsigned char)((i * i >> 7) + (unsigned)stream + i % 13);
}

/* Sends the compressed pieces as they come. */
static void compresses(goru_chan *c, int stream)
{
	unsigned char *in = malloc(SIZE);
	struct piece p;
	z_stream z = { 0 };
	int rc;

	CHECK(in != NULL);
	for (unsigned i = 0; i < SIZE; i++)
		in[i] = byte(stream, i);
	CHECK_EQ(deflateInit(&z, 1 + stream % 9), Z_OK);
	z.next_in = in;
	z.avail_in = SIZE;
	do {
		z.next_out = p.bytes;
		z.avail_out = PIECE;
		rc = deflate(&z, Z_FINISH);
		p.n = PIECE - z.avail_out;
		CHECK_EQ(goru_chan_send(c, &p), 0);
	} while (rc == Z_OK);
	CHECK_EQ(rc, Z_STREAM_END);
	CHECK_EQ(deflateEnd(&z), Z_OK);
	free(in);
	goru_chan_close(c);
}

static void stream(int n)
{
	goru_chan *c = goru_chan_make(sizeof(struct piece), n % 3);
	unsigned char out[1777];
	struct piece p;
	z_stream z = { 0 };
	unsigned at = 0;
	int rc = Z_OK;

	CHECK_EQ(inflateInit(&z), Z_OK);
	CHECK_EQ(go(compresses, c, n), 0);
	while (goru_chan_recv(c, &p) > 0) {
		z.next_in = p.bytes;
		z.avail_in = p.n;
		while (rc == Z_OK && z.avail_in) {
			z.next_out = out;
			z.avail_out = sizeof(out);
			rc = inflate(&z, Z_NO_FLUSH);
			for (unsigned i = 0; i < sizeof(out) - z.avail_out; i++, at++)
				if (out[i] != byte(n, at))
					CHECK_EQ(out[i], byte(n, at));
			goru_yield();
		}
	}
	CHECK_EQ(rc, Z_STREAM_END);
	CHECK_EQ(at, SIZE);
	CHECK_EQ(inflateEnd(&z), Z_OK);
	goru_chan_unref(c);
	goru_waitgroup_done(&wg);
}

static void streams(void)
{
	goru_waitgroup_add(&wg, STREAMS);
	for (int n = 0; n < STREAMS; n++)
		CHECK_EQ(go(stream, n), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
}

TEST_MAIN(TEST_BOTH(streams))
