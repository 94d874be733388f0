/* SPDX-License-Identifier: ISC */
/*
 * Where frames go: MAC learning and head-end replication. RFC 7348 sections 4.1 and 4.2; frames for
 * many go to each peer that shares the VN, one by one.
 */
#ifndef PCAP_VTEP_H
#define PCAP_VTEP_H

#include "pcap-backend/dp.h"

/*
 * A frame (of ETH_LEN octets or more) of this VN came on an SA: learn its source. False if it may not be delivered: bad
 * source address, or a VLAN tag that is not wanted; then it is counted.
 */
bool vtep_learn(struct dp *, struct vn *, struct esp_sa *, struct bytes frame);
/* Forget a peer that is about to be freed. */
void vtep_forget(struct dp *, const struct peer *);

#endif
