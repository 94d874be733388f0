/* SPDX-License-Identifier: ISC */
/* NAT detection, RFC 7296 section 2.23: hashes of addresses as the sender knows them. */
#ifndef IKE_NATD_H
#define IKE_NATD_H

#include "crypto/crypto.h"
#include "ike/msg.h"
#include "ike/out.h"

struct ike_sa;

/*
 * Append NAT_DETECTION_SOURCE_IP and _DESTINATION_IP for a message from `local` to `peer`. With
 * `fake` the source hash is one that never matches, so that the other side sees a NAT and
 * encapsulates.
 */
int natd_write(struct ike_out *, uint64_t spi_i, uint64_t spi_r, const struct endpoint *local,
    const struct endpoint *peer, bool fake);

struct natd {
	bool supported;          /* both notifies were there */
	bool here, there;        /* we / the peer sit behind a NAT */
};
/* Compare the notifies of a received message with where it came from and arrived. */
int natd_read(const struct ike_msg *, const struct endpoint *local, const struct endpoint *peer,
    struct natd *);

#endif
