/* SPDX-License-Identifier: ISC */
#include "pcap-backend/vxlan.h"

#include "pcap-backend/iphdr.h"
#include "pcap-backend/mactab.h"

#define ETHERTYPE_V4    0x0800
#define ETHERTYPE_V6    0x86dd
#define ETHERTYPE_CTAG  0x8100
#define ETHERTYPE_STAG  0x88a8

#define MACS_LEN    12
#define TAG_LEN     4
#define FLAG_I      0x08
#define IP_PROTO_SCTP 132

bool
mac_is_group(uint64_t mac)
{
	return (mac >> 40 & 1) != 0;
}

/* Where the checksum is, from the start of the TCP or UDP header. */
static size_t
checksum_offset(uint8_t proto)
{
	return proto == IP_PROTO_TCP ? 16 : 6;
}

static uint32_t
mix(uint32_t h, uint32_t v)
{
	h = (h ^ v) * UINT32_C(0x9e3779b1);
	return h ^ h >> 15;
}

static uint32_t
mix_octets(uint32_t h, struct bytes b)
{
	struct rd r = rd_open(b);

	while (rd_left(&r) >= 4)
		h = mix(h, rd_u32(&r));
	return h;
}

/* The real checksum, where what is there is no more than the sum over the pseudo header. */
static void
complete_checksum(struct frame *f, const struct ip_view *ip)
{
	struct rd r = rd_open(ip->payload);
	uint16_t have, sum;

	rd_skip(&r, checksum_offset(ip->proto));
	have = rd_u16(&r);
	if (!rd_ok(&r) || have != csum_pseudo(&ip->src, &ip->dst, ip->proto, ip->payload.n))
		return;
	sum = (uint16_t)~csum_octets(ip->payload);
	f->fix = sum == 0 && ip->proto == IP_PROTO_UDP ? 0xffff : sum;
	f->fix_at = (size_t)(ip->payload.p - f->rest.p) + f->macs.n + checksum_offset(ip->proto);
}

/* What a flow has in common, for the entropy; a packet that is no good IP has its addresses only. */
static uint32_t
read_ip(struct frame *f, struct bytes packet, uint32_t h)
{
	struct ip_view ip;
	struct rd r;

	if (ip_read(packet, &ip) != OK)
		return h;
	h = mix_octets(h, addr_bytes(&ip.src));
	h = mix_octets(h, addr_bytes(&ip.dst));
	h = mix(h, ip.proto);
	if (ip.proto != IP_PROTO_TCP && ip.proto != IP_PROTO_UDP && ip.proto != IP_PROTO_SCTP)
		return h;
	r = rd_open(ip.payload);
	h = mix(h, rd_u32(&r));
	if (ip.proto != IP_PROTO_SCTP)
		complete_checksum(f, &ip);
	return h;
}

int
frame_read(struct bytes b, bool strip_tag, struct frame *f)
{
	struct rd r = rd_open(b), l3;
	uint16_t type;
	uint32_t h;

	memset(f, 0, sizeof *f);
	f->macs = rd_take(&r, MACS_LEN);
	f->rest = rd_rest(&r);
	r = rd_open(f->rest);
	type = rd_u16(&r);
	if (!rd_ok(&r))
		return ERR_SYNTAX;
	f->dst = mac_number(f->macs.p);
	f->src = mac_number(f->macs.p + MAC_LEN);
	if (type == ETHERTYPE_CTAG || type == ETHERTYPE_STAG) {
		f->tagged = true;
		rd_skip(&r, TAG_LEN - 2);
		l3 = r;
		type = rd_u16(&l3);
		if (!rd_ok(&l3))
			return ERR_SYNTAX;
		if (strip_tag)
			f->rest = rd_rest(&r);
		r = l3;
	}
	h = mix(mix_octets(0, f->macs), type);
	if (type == ETHERTYPE_V4 || type == ETHERTYPE_V6)
		h = read_ip(f, rd_rest(&r), h);
	f->entropy = (uint16_t)(ENTROPY_FIRST | (h >> 16 & 0x3fff));
	return OK;
}

void
frame_copy(const struct frame *f, uint8_t *to)
{
	memcpy(to, f->macs.p, f->macs.n);
	memcpy(to + f->macs.n, f->rest.p, f->rest.n);
	if (f->fix_at != 0) {
		struct wr w = wr_fixed(to + f->fix_at, 2);

		wr_u16(&w, f->fix);
	}
}

void
vxlan_put(uint8_t *to, uint32_t vni)
{
	struct wr w = wr_fixed(to, VXLAN_LEN);

	wr_u32(&w, (uint32_t)FLAG_I << 24);
	wr_u32(&w, vni << 8);
}

int
vxlan_read(struct bytes b, uint32_t *vni, struct bytes *frame)
{
	struct rd r = rd_open(b);
	uint8_t flags = rd_u8(&r);

	rd_skip(&r, 3);
	*vni = rd_u24(&r);
	rd_skip(&r, 1);
	*frame = rd_rest(&r);
	return rd_ok(&r) && (flags & FLAG_I) != 0 && frame->n >= ETH_LEN ? OK : ERR_SYNTAX;
}
