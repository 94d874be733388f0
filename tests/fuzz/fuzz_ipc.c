/* SPDX-License-Identifier: ISC */
/*
 * The readers of what our processes tell each other. The first octet chooses the message. What is
 * taken in is written again and must give what came in.
 */
/* reads: lib/shell/msg.c lib/shell/msg_status.c */
/* fuzz: -max_len=2048 */
#include <stdint.h>
#include <stdlib.h>

#include "shell/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Vouches that the writer puts out what the reader took in. */
static void
same(struct wr *w, struct bytes was)
{
	if (w->bad || !bytes_equal(wr_view(w), was))
		abort();
	wr_free(w);
}

#define TRY(type) \
	do { \
		static struct msg_##type m_; \
		if (rd_##type(in, &m_) == OK) { \
			struct wr w_ = wr_grow(65536); \
			wr_##type(&w_, &m_); \
			same(&w_, in); \
		} \
	} while (0)

static void
try_authorized(struct bytes in)
{
	struct msg_authorized m;

	if (rd_authorized(in, &m) == OK) {
		struct wr w = wr_grow(65536);

		/* The VNs are left out on the way, so only that it can be written counts. */
		wr_authorized(&w, &m);
		if (w.bad)
			abort();
		wr_free(&w);
		grant_free(&m.grant);
	}
}

static void
try_peer_set(struct bytes in)
{
	struct ike_peer p;

	if (rd_peer_set(in, &p) == OK) {
		struct wr w = wr_grow(65536);

		wr_peer_set(&w, &p);
		if (w.bad || p.n_addrs == 0 || p.n_addrs > ADDRS_MAX ||
		    p.n_channels > CHANNELS_MAX)
			abort();
		wr_free(&w);
	}
}

static void
try_plain(struct bytes in)
{
	char node[ID_MAX];
	uint32_t n;

	(void)rd_node(in, node);
	(void)rd_number(in, &n);
}

static void
try_handshake(uint8_t which, struct bytes in)
{
	switch (which) {
	case 0:
		TRY(sign);
		break;
	case 1:
		TRY(signed);
		break;
	case 2:
		TRY(verify);
		break;
	case 3:
		TRY(verified);
		break;
	case 4:
		TRY(identity);
		break;
	case 5:
		TRY(authorize);
		break;
	case 6:
		try_authorized(in);
		break;
	case 7:
		try_peer_set(in);
		break;
	case 8:
		try_plain(in);
		break;
	default:
		TRY(config);
		break;
	}
}

static void
try_status(uint8_t which, struct bytes in)
{
	switch (which) {
	case 0:
		TRY(process);
		break;
	case 1:
		TRY(document);
		break;
	case 2:
		TRY(alarm);
		break;
	case 3:
		TRY(peer);
		break;
	case 4:
		TRY(ike_sa);
		break;
	case 5:
		TRY(child_sa);
		break;
	case 6:
		TRY(counter);
		break;
	case 7:
		TRY(command);
		break;
	default:
		TRY(result);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes in;

	if (len < 1)
		return 0;
	in = bytes_of(data + 1, len - 1);
	if (data[0] % 20 < 10)
		try_handshake(data[0] % 20, in);
	else
		try_status(data[0] % 20 - 10, in);
	return 0;
}
