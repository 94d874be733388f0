/* SPDX-License-Identifier: ISC */
/* Tenant frames and the VXLAN header around them, RFC 7348 section 5. */
#ifndef PCAP_VXLAN_H
#define PCAP_VXLAN_H

#include "base/rd.h"
#include "base/err.h"

#define ETH_LEN       14
#define VXLAN_LEN     8
#define VXLAN_PORT    4789
#define ENTROPY_FIRST 49152    /* RFC 7348 section 5: source ports 49152 to 65535 */

/* A tenant frame, read once. Views into what was read. */
struct frame {
	struct bytes macs;        /* destination and source address */
	struct bytes rest;        /* from the EtherType on, VLAN tag left out where told so */
	uint64_t dst, src;        /* as mac_number() */
	uint16_t entropy;         /* UDP source port: the same for all frames of a flow */
	bool tagged;              /* a VLAN tag was there */
	size_t fix_at;            /* in macs | rest: where `fix` belongs; 0: nowhere */
	uint16_t fix;             /* TCP or UDP checksum that the sender's system left to hardware */
};

/*
 * Read a frame of a tenant. strip_tag: an 802.1Q or 802.1ad tag is left out (RFC 7348 section 6.1).
 * A frame that comes from a local system by way of a virtual link may hold only the pseudo header's
 * sum where its TCP or UDP checksum belongs; `fix` is then the real one. 0 or ERR_SYNTAX.
 */
int frame_read(struct bytes, bool strip_tag, struct frame *);
static inline size_t
frame_len(const struct frame *f)
{
	return f->macs.n + f->rest.n;
}
/* Copy it to where frame_len() octets have room, with its checksum fixed. */
void frame_copy(const struct frame *, uint8_t *to);

bool mac_is_group(uint64_t mac);

/* Write the 8 octets of the header. */
void vxlan_put(uint8_t *to, uint32_t vni);
/* Read header and frame: 0; ERR_SYNTAX: too short, or without the I flag; reserved bits don't matter. */
int vxlan_read(struct bytes, uint32_t *vni, struct bytes *frame);

#endif
