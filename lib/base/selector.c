/* SPDX-License-Identifier: ISC */
/*
 * Traffic selector arithmetic. A port range with lo > hi selects nothing, with one exception: 65535
 * to 0 is OPAQUE (RFC 7296 section 3.13.1), packets whose ports are hidden, which ANY includes and
 * no other range does (RFC 4301 section 4.4.1.1).
 */
#include "base/sa.h"

#include <stdio.h>

static bool
ports_any(const struct selector *s)
{
	return s->port_lo == 0 && s->port_hi == UINT16_MAX;
}

static bool
ports_opaque(const struct selector *s)
{
	return s->port_lo == UINT16_MAX && s->port_hi == 0;
}

bool
selector_equal(const struct selector *a, const struct selector *b)
{
	return a->proto == b->proto && a->port_lo == b->port_lo && a->port_hi == b->port_hi &&
	    addr_equal(&a->lo, &b->lo) && addr_equal(&a->hi, &b->hi);
}

bool
selector_valid(const struct selector *s)
{
	return addr_len(&s->lo) != 0 && s->lo.family == s->hi.family &&
	    addr_cmp(&s->lo, &s->hi) <= 0 && (s->port_lo <= s->port_hi || ports_opaque(s));
}

bool
selector_contains(const struct selector *outer, const struct selector *inner)
{
	if (!selector_valid(outer) || !selector_valid(inner))
		return false;
	if (outer->proto != 0 && outer->proto != inner->proto)
		return false;
	if (outer->lo.family != inner->lo.family || addr_cmp(&outer->lo, &inner->lo) > 0 ||
	    addr_cmp(&inner->hi, &outer->hi) > 0)
		return false;
	if (ports_any(outer))
		return true;
	if (ports_opaque(outer) || ports_opaque(inner))
		return ports_opaque(outer) && ports_opaque(inner);
	return outer->port_lo <= inner->port_lo && inner->port_hi <= outer->port_hi;
}

static bool
narrow_ports(struct selector *out, const struct selector *a, const struct selector *b)
{
	const struct selector *pick = NULL;

	if (ports_any(a))
		pick = b;
	else if (ports_any(b))
		pick = a;
	else if (ports_opaque(a) && ports_opaque(b))
		pick = a;
	else if (ports_opaque(a) || ports_opaque(b))
		return false;
	if (pick != NULL) {
		out->port_lo = pick->port_lo;
		out->port_hi = pick->port_hi;
		return true;
	}
	out->port_lo = a->port_lo > b->port_lo ? a->port_lo : b->port_lo;
	out->port_hi = a->port_hi < b->port_hi ? a->port_hi : b->port_hi;
	return out->port_lo <= out->port_hi;
}

bool
selector_narrow(struct selector *out, const struct selector *a, const struct selector *b)
{
	struct selector s = { .proto = a->proto != 0 ? a->proto : b->proto };

	if (!selector_valid(a) || !selector_valid(b) || a->lo.family != b->lo.family)
		return false;
	if (a->proto != 0 && b->proto != 0 && a->proto != b->proto)
		return false;
	s.lo = addr_cmp(&a->lo, &b->lo) >= 0 ? a->lo : b->lo;
	s.hi = addr_cmp(&a->hi, &b->hi) <= 0 ? a->hi : b->hi;
	if (addr_cmp(&s.lo, &s.hi) > 0 || !narrow_ports(&s, a, b))
		return false;
	*out = s;
	return true;
}

struct selector
selector_host(const struct addr *a, uint8_t proto, uint16_t lo, uint16_t hi)
{
	struct selector s = { .proto = proto, .port_lo = lo, .port_hi = hi, .lo = *a, .hi = *a };

	return s;
}

/* The prefix length of lo..hi, or -1 when the range is not one prefix. */
static int
prefix_len(const struct selector *s)
{
	size_t bits = addr_len(&s->lo) * 8, i;
	size_t n = bits;

	for (i = 0; i < bits; i++) {
		unsigned lo = s->lo.a[i / 8] >> (7 - i % 8) & 1;
		unsigned hi = s->hi.a[i / 8] >> (7 - i % 8) & 1;

		if (n == bits && lo != hi)
			n = i;
		if (n != bits && (lo != 0 || hi != 1))
			return -1;
	}
	return (int)n;
}

static const char *
proto_str(uint8_t proto, char buf[static 8])
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
		{ 0, "any" }, { 1, "icmp" }, { 6, "tcp" }, { 17, "udp" }, { 50, "esp" },
		{ 58, "icmpv6" }, { 132, "sctp" },
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].number == proto)
			return names[i].name;
	(void)snprintf(buf, 8, "%u", proto);
	return buf;
}

const char *
selector_str(const struct selector *s, char buf[static SELECTOR_STRLEN])
{
	char lo[ADDR_STRLEN], hi[ADDR_STRLEN], number[8], ports[16] = "";
	const char *proto = proto_str(s->proto, number);
	int prefix = prefix_len(s);
	size_t n;

	if (prefix >= 0)
		n = (size_t)snprintf(buf, SELECTOR_STRLEN, "%s/%d", addr_str(&s->lo, lo), prefix);
	else
		n = (size_t)snprintf(buf, SELECTOR_STRLEN, "%s-%s", addr_str(&s->lo, lo),
		    addr_str(&s->hi, hi));
	if (ports_opaque(s))
		(void)snprintf(ports, sizeof ports, "/opaque");
	else if (s->port_lo == s->port_hi)
		(void)snprintf(ports, sizeof ports, "/%u", s->port_lo);
	else if (!ports_any(s))
		(void)snprintf(ports, sizeof ports, "/%u-%u", s->port_lo, s->port_hi);
	if (s->proto != 0 || ports[0] != '\0')
		(void)snprintf(buf + n, SELECTOR_STRLEN - n, "[%s%s]", proto, ports);
	return buf;
}
