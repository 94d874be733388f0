/* SPDX-License-Identifier: ISC */
#include "pcap-backend/vxlan.h"

#define MACS_LEN      12
#define TAG_LEN       4
#define IP_PROTO_SCTP 132
#define V4_FRAGMENT   0x3fffu     /* more fragments, and the offset */

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
halves(uint32_t v)
{
	return (v >> 16) + (v & 0xffff);
}

/*
 * The real checksum, where what is there is no more than the sum over the pseudo header, of which
 * `pseudo` is the addresses' part.
 */
static void
complete_checksum(struct frame *f, uint8_t proto, struct bytes l4, uint32_t pseudo)
{
	struct rd r = rd_open(l4);
	uint16_t have, sum;

	rd_skip(&r, checksum_offset(proto));
	have = rd_u16(&r);
	pseudo = halves(halves(pseudo + proto + (uint32_t)l4.n));
	if (!rd_ok(&r) || have != pseudo)
		return;
	sum = (uint16_t)~csum_octets(l4);
	f->fix = sum == 0 && proto == IP_PROTO_UDP ? 0xffff : sum;
	f->fix_at = (size_t)(l4.p - f->rest.p) + f->macs.n + checksum_offset(proto);
}

/* From the transport header on; h: of the addresses. */
static uint32_t
read_l4(struct frame *f, uint8_t proto, struct bytes l4, uint32_t pseudo, uint32_t h)
{
	struct rd r = rd_open(l4);

	h = mix(h, proto);
	if (proto != IP_PROTO_TCP && proto != IP_PROTO_UDP && proto != IP_PROTO_SCTP)
		return h;
	h = mix(h, rd_u32(&r));
	if (proto != IP_PROTO_SCTP)
		complete_checksum(f, proto, l4, pseudo);
	return h;
}

static uint32_t
read_v4(struct frame *f, struct rd r, uint32_t h)
{
	uint32_t first = rd_u32(&r), second = rd_u32(&r), third = rd_u32(&r);
	uint32_t src = rd_u32(&r), dst = rd_u32(&r);
	size_t header = (first >> 24 & 0x0f) * 4, total = first & 0xffff;
	struct bytes l4;

	h = mix(mix(h, src), dst);
	if (first >> 28 != 4 || header < IPV4_LEN || total < header)
		return h;
	rd_skip(&r, header - IPV4_LEN);
	l4 = rd_take(&r, total - header);
	if (!rd_ok(&r) || (second & V4_FRAGMENT) != 0)
		return h;
	return read_l4(f, (uint8_t)(third >> 16), l4, halves(src) + halves(dst), h);
}

static uint32_t
read_v6(struct frame *f, struct rd r, uint32_t h)
{
	uint32_t first = rd_u32(&r), second = rd_u32(&r), word, pseudo = 0;
	struct bytes l4;
	int i;

	for (i = 0; i < 8; i++) {
		word = rd_u32(&r);
		h = mix(h, word);
		pseudo += halves(word);
	}
	l4 = rd_take(&r, second >> 16);
	if (!rd_ok(&r) || first >> 28 != 6)
		return h;
	return read_l4(f, (uint8_t)(second >> 8), l4, pseudo, h);
}

int
frame_read(struct bytes b, bool strip_tag, struct frame *f)
{
	struct rd r = rd_open(b), l3;
	uint32_t d_hi = rd_u16(&r), d_lo = rd_u32(&r), s_hi = rd_u16(&r), s_lo = rd_u32(&r);
	uint16_t type;
	uint32_t h;

	f->fix_at = 0;
	f->fix = 0;
	f->dst = (uint64_t)d_hi << 32 | d_lo;
	f->src = (uint64_t)s_hi << 32 | s_lo;
	f->rest = rd_rest(&r);
	f->macs = bytes_of(b.p, rd_ok(&r) ? MACS_LEN : 0);
	r = rd_open(f->rest);
	type = rd_u16(&r);
	if (!rd_ok(&r))
		return ERR_SYNTAX;
	f->tagged = type == ETHERTYPE_CTAG || type == ETHERTYPE_STAG;
	if (f->tagged) {
		rd_skip(&r, TAG_LEN - 2);
		l3 = r;
		type = rd_u16(&l3);
		if (!rd_ok(&l3))
			return ERR_SYNTAX;
		if (strip_tag)
			f->rest = rd_rest(&r);
		r = l3;
	}
	h = mix(mix(mix(d_hi << 16 | s_hi, d_lo), s_lo), type);
	if (type == ETHERTYPE_V4)
		h = read_v4(f, r, h);
	else if (type == ETHERTYPE_V6)
		h = read_v6(f, r, h);
	f->entropy = (uint16_t)(ENTROPY_FIRST | (h >> 16 & 0x3fff));
	return OK;
}

void
frame_copy(const struct frame *f, uint8_t *to)
{
	memcpy(to, f->macs.p, MACS_LEN);
	memcpy(to + MACS_LEN, f->rest.p, f->rest.n);
	if (f->fix_at != 0) {
		struct wr w = wr_fixed(to + f->fix_at, 2);

		wr_u16(&w, f->fix);
	}
}
