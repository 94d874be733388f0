/* SPDX-License-Identifier: ISC */
#include "pcap-backend/iphdr.h"

#include <arpa/inet.h>

#define TTL           64
#define IPV6_FRAGMENT 44
#define V4_MF_OFFSET  0x3fffu     /* more fragments, and the offset */

/* ---- checksums ---- */

static uint16_t
fold(uint64_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t
csum_octets(struct bytes b)
{
	uint64_t sum = 0;
	uint32_t word;
	uint8_t tail[4] = { 0 };
	size_t i;

	/* The sum does not care about byte order until the end (RFC 1071 section 2). */
	for (i = 0; i + 4 <= b.n; i += 4) {
		memcpy(&word, b.p + i, 4);
		sum += word;
	}
	if (i < b.n) {
		memcpy(tail, b.p + i, b.n - i);
		memcpy(&word, tail, 4);
		sum += word;
	}
	return ntohs(fold(sum));
}

uint16_t
csum_plus(uint16_t a, uint16_t b)
{
	return fold((uint64_t)a + b);
}

uint16_t
csum_pseudo(const struct addr *src, const struct addr *dst, uint8_t proto, size_t len)
{
	return fold((uint64_t)csum_octets(addr_bytes(src)) + csum_octets(addr_bytes(dst)) + proto +
	    fold(len));
}

/* ---- reading ---- */

static int
read_v4(struct bytes b, struct ip_view *v)
{
	struct rd r = rd_open(b);
	size_t header = (size_t)(rd_u8(&r) & 0x0f) * 4, total;
	uint16_t fragment;

	rd_skip(&r, 1);
	total = rd_u16(&r);
	rd_skip(&r, 2);
	fragment = rd_u16(&r);
	rd_skip(&r, 1);
	v->proto = rd_u8(&r);
	rd_skip(&r, 2);
	v->src.family = v->dst.family = ADDR_V4;
	rd_copy(&r, v->src.a, 4);
	rd_copy(&r, v->dst.a, 4);
	if (!rd_ok(&r) || header < IPV4_LEN || total < header || total > b.n)
		return ERR_SYNTAX;
	rd_skip(&r, header - IPV4_LEN);
	v->payload = rd_take(&r, total - header);
	if (!rd_ok(&r) || csum_octets(bytes_of(b.p, header)) != 0xffff)
		return ERR_SYNTAX;
	return (fragment & V4_MF_OFFSET) != 0 ? ERR_UNSUPPORTED : OK;
}

static int
read_v6(struct bytes b, struct ip_view *v)
{
	struct rd r = rd_open(b);
	size_t length;

	rd_skip(&r, 4);
	length = rd_u16(&r);
	v->proto = rd_u8(&r);
	rd_skip(&r, 1);
	v->src.family = v->dst.family = ADDR_V6;
	rd_copy(&r, v->src.a, 16);
	rd_copy(&r, v->dst.a, 16);
	v->payload = rd_take(&r, length);
	if (!rd_ok(&r))
		return ERR_SYNTAX;
	return v->proto == IPV6_FRAGMENT ? ERR_UNSUPPORTED : OK;
}

int
ip_read(struct bytes b, struct ip_view *v)
{
	struct rd r = rd_open(b);
	unsigned version = rd_u8(&r) >> 4;

	memset(v, 0, sizeof *v);
	if (version == 4)
		return read_v4(b, v);
	if (version == 6)
		return read_v6(b, v);
	return ERR_SYNTAX;
}

int
udp_read(struct bytes b, struct udp_view *u)
{
	struct rd r = rd_open(b);
	size_t length;

	u->sport = rd_u16(&r);
	u->dport = rd_u16(&r);
	length = rd_u16(&r);
	rd_skip(&r, 2);
	if (!rd_ok(&r) || length < UDP_LEN)
		return ERR_SYNTAX;
	u->payload = rd_take(&r, length - UDP_LEN);
	return rd_ok(&r) ? OK : ERR_SYNTAX;
}

/* ---- writing ---- */

void
ip_tmpl_init(struct ip_tmpl *t, const struct addr *src, const struct addr *dst, uint8_t proto)
{
	struct wr w = wr_fixed(t->octets, sizeof t->octets);

	memset(t, 0, sizeof *t);
	t->v6 = src->family == ADDR_V6;
	t->len = t->v6 ? IPV6_LEN : IPV4_LEN;
	if (t->v6) {
		wr_u32(&w, 6u << 28);
		wr_u32(&w, (uint32_t)proto << 8 | TTL);
	} else {
		wr_u32(&w, 0x45u << 24);
		wr_u32(&w, 0);
		wr_u32(&w, (uint32_t)TTL << 24 | (uint32_t)proto << 16);
	}
	wr_put(&w, addr_bytes(src));
	wr_put(&w, addr_bytes(dst));
	t->sum = csum_octets(bytes_of(t->octets, t->len));
	t->pseudo_udp = csum_pseudo(src, dst, IP_PROTO_UDP, 0);
}

void
ip_put(const struct ip_tmpl *t, uint8_t *to, size_t payload_len, uint16_t id)
{
	size_t total = payload_len + IPV4_LEN;
	struct wr w;

	if (t->v6) {
		memcpy(to, t->octets, IPV6_LEN);
		w = wr_header(to + 4, 2);
		wr_u16(&w, (uint16_t)payload_len);
		return;
	}
	memcpy(to, t->octets, IPV4_LEN);
	w = wr_header(to + 2, 4);
	wr_u16(&w, (uint16_t)total);
	wr_u16(&w, id);
	w = wr_header(to + 10, 2);
	wr_u16(&w, (uint16_t)~fold((uint64_t)t->sum + total + id));
}

uint16_t
udp_checksum(const struct ip_tmpl *t, const uint8_t *udp, size_t len)
{
	uint16_t sum = fold((uint64_t)t->pseudo_udp + fold(len) + csum_octets(bytes_of(udp, len)));

	sum = (uint16_t)~sum;
	return sum == 0 ? 0xffff : sum;   /* 0 would mean "none" */
}
