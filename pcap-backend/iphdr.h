/* SPDX-License-Identifier: ISC */
/*
 * IP and UDP headers: read once into host integers, written from a template that an SA prepares.
 * RFC 791, RFC 8200, RFC 768. No options are written, none are acted upon.
 */
#ifndef PCAP_IPHDR_H
#define PCAP_IPHDR_H

#include "base/addr.h"
#include "base/err.h"

#define IP_PROTO_IPV4 4
#define IP_PROTO_TCP  6
#define IP_PROTO_UDP  17
#define IP_PROTO_IPV6 41
#define IP_PROTO_ESP  50
#define IP_PROTO_NONE 59      /* RFC 4303 section 2.6: dummy packet */

#define IPV4_LEN   20
#define IPV6_LEN   40
#define IP_LEN_MAX 40
#define UDP_LEN    8

/* Octets that an address does not use are zero, so that one comparison does. */
static inline bool
addr_same(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

struct ip_view {
	struct addr src, dst;
	uint8_t proto;
	struct bytes payload;         /* as long as the header says, never more than was given */
};

/*
 * Read an IPv4 or IPv6 header. Octets after the packet (link padding) are left out. 0; ERR_SYNTAX:
 * truncated, bad length, bad checksum, unknown version; ERR_UNSUPPORTED: a fragment.
 */
int ip_read(struct bytes, struct ip_view *);

struct udp_view {
	uint16_t sport, dport;
	struct bytes payload;
};

/* 0 or ERR_SYNTAX. Octets after the datagram's own length are left out (RFC 4303 section 2.7). The
 * checksum is not verified: an ICV is, around it or in it. */
int udp_read(struct bytes, struct udp_view *);

/* ---- checksums, RFC 1071: sums are folded to 16 bits, in host order ---- */
/* An odd octet at the end counts as the high half of a word. */
uint16_t csum_octets(struct bytes);
uint16_t csum_plus(uint16_t, uint16_t);
/* The pseudo header of UDP and TCP over IPv4 and IPv6. */
uint16_t csum_pseudo(const struct addr *src, const struct addr *dst, uint8_t proto, size_t len);

/* ---- writing ---- */
struct ip_tmpl {
	uint8_t octets[IP_LEN_MAX];
	uint8_t len;
	bool v6;
	uint16_t sum;                 /* v4: of the octets as they stand */
	uint16_t pseudo_udp;          /* pseudo header for UDP, but for the length */
};

/* TTL 64, DSCP and ECN 0, may be fragmented. Both addresses of one family. */
void ip_tmpl_init(struct ip_tmpl *, const struct addr *src, const struct addr *dst, uint8_t proto);
/* Write t->len octets in front of payload_len octets to come. id: IPv4 identification. */
void ip_put(const struct ip_tmpl *, uint8_t *to, size_t payload_len, uint16_t id);
/* As wr_fixed(), where a call would cost as much as what is written. */
static inline struct wr
wr_header(uint8_t *to, size_t n)
{
	struct wr w = { .p = to, .cap = n, .max = n };

	return w;
}

/* Write UDP_LEN octets for a datagram of len octets, header included. checksum as given. */
static inline void
udp_put(uint8_t *to, uint16_t sport, uint16_t dport, size_t len, uint16_t checksum)
{
	struct wr w = wr_header(to, UDP_LEN);

	wr_u16(&w, sport);
	wr_u16(&w, dport);
	wr_u16(&w, (uint16_t)len);
	wr_u16(&w, checksum);
}

/* The UDP checksum of the datagram of len octets that starts at udp, its checksum field being 0. */
uint16_t udp_checksum(const struct ip_tmpl *, const uint8_t *udp, size_t len);

#endif
