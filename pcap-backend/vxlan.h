/* SPDX-License-Identifier: ISC */
/* Tenant frames and the VXLAN header around them, RFC 7348 section 5. */
#ifndef PCAP_VXLAN_H
#define PCAP_VXLAN_H

#include "pcap-backend/iphdr.h"

#define ETH_LEN       14
#define VXLAN_LEN     8
#define VXLAN_FLAGS   0x08000000u   /* the I flag: VNI is valid */
#define VXLAN_PORT    4789
#define ETHERTYPE_V4   0x0800
#define ETHERTYPE_V6   0x86dd
#define ETHERTYPE_CTAG 0x8100
#define ETHERTYPE_STAG 0x88a8
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

static inline bool
mac_is_group(uint64_t mac)
{
	return (mac >> 40 & 1) != 0;
}

/* Write the 8 octets of the header. */
static inline void
vxlan_put(uint8_t *to, uint32_t vni)
{
	struct wr w = wr_header(to, VXLAN_LEN);

	wr_u32(&w, VXLAN_FLAGS);
	wr_u32(&w, vni << 8);
}

/* Read header and frame: 0; ERR_SYNTAX: too short, or without the I flag; reserved bits don't matter. */
static inline int
vxlan_read(struct bytes b, uint32_t *vni, struct bytes *frame)
{
	struct rd r = rd_open(b);
	uint32_t flags = rd_u32(&r);

	*vni = rd_u32(&r) >> 8;
	*frame = rd_rest(&r);
	return rd_ok(&r) && (flags & VXLAN_FLAGS) != 0 && frame->n >= ETH_LEN ? OK : ERR_SYNTAX;
}

/* What a receiving end looks at: the source address as mac_number(), and whether there is a VLAN tag.
 * The frame has at least ETH_LEN octets. */
static inline void
frame_peek(struct bytes frame, uint64_t *src, bool *tagged)
{
	struct rd r = rd_open(frame);
	uint64_t hi;
	uint16_t type;

	rd_skip(&r, 6);
	hi = rd_u16(&r);
	*src = hi << 32 | rd_u32(&r);
	type = rd_u16(&r);
	*tagged = type == ETHERTYPE_CTAG || type == ETHERTYPE_STAG;
}

#endif
