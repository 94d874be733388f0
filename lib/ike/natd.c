/* SPDX-License-Identifier: ISC */
#include "ike/natd.h"

static int
natd_hash(uint64_t spi_i, uint64_t spi_r, const struct endpoint *at, uint8_t out[static SHA1_LEN])
{
	uint8_t buf[8 + 8 + 16 + 2];
	struct wr w = wr_fixed(buf, sizeof buf);
	struct bytes all;

	wr_u64(&w, spi_i);
	wr_u64(&w, spi_r);
	wr_put(&w, addr_bytes(&at->addr));
	wr_u16(&w, at->port);
	all = wr_view(&w);
	return crypto_sha1(&all, 1, out);
}

int
natd_write(struct ike_out *o, uint64_t spi_i, uint64_t spi_r, const struct endpoint *local,
    const struct endpoint *peer, bool fake)
{
	static const struct endpoint nowhere = { .addr = { .family = ADDR_V4 }, .port = 0 };
	uint8_t hash[SHA1_LEN];
	int r;

	if ((r = natd_hash(spi_i, spi_r, fake ? &nowhere : local, hash)) != OK)
		return r;
	notify_payload_write(o, N_NAT_DETECTION_SOURCE_IP, bytes_of(hash, sizeof hash));
	if ((r = natd_hash(spi_i, spi_r, peer, hash)) != OK)
		return r;
	notify_payload_write(o, N_NAT_DETECTION_DESTINATION_IP, bytes_of(hash, sizeof hash));
	return OK;
}

int
natd_read(const struct ike_msg *m, const struct endpoint *local, const struct endpoint *peer,
    struct natd *found)
{
	uint8_t source[SHA1_LEN], destination[SHA1_LEN];
	bool has_source = false, has_destination = false;
	bool source_fits = false, destination_fits = false;
	size_t i;
	int r;

	if ((r = natd_hash(m->hdr.spi_i, m->hdr.spi_r, peer, source)) != OK ||
	    (r = natd_hash(m->hdr.spi_i, m->hdr.spi_r, local, destination)) != OK)
		return r;
	/* There may be several source hashes, from a sender with several addresses. */
	for (i = 0; i < m->n_notifies; i++) {
		const struct ike_notify *n = &m->notifies[i];

		if (n->type == N_NAT_DETECTION_SOURCE_IP) {
			has_source = true;
			source_fits |= bytes_equal(n->data, bytes_of(source, sizeof source));
		} else if (n->type == N_NAT_DETECTION_DESTINATION_IP) {
			has_destination = true;
			destination_fits |= bytes_equal(n->data,
			    bytes_of(destination, sizeof destination));
		}
	}
	found->supported = has_source && has_destination;
	found->there = found->supported && !source_fits;
	found->here = found->supported && !destination_fits;
	return OK;
}
