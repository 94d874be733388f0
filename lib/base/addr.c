/* SPDX-License-Identifier: ISC */
#include "base/addr.h"

#include <stdio.h>

#include "base/err.h"
#include "base/hash.h"

size_t
addr_len(const struct addr *a)
{
	return a->family == ADDR_V4 ? 4 : a->family == ADDR_V6 ? 16 : 0;
}

struct bytes
addr_bytes(const struct addr *a)
{
	return bytes_of(a->a, addr_len(a));
}

int
addr_cmp(const struct addr *a, const struct addr *b)
{
	int d = (int)a->family - (int)b->family;

	return d != 0 ? d : memcmp(a->a, b->a, addr_len(a));
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

bool
addr_is_multicast(const struct addr *a)
{
	return a->family == ADDR_V4 ? (a->a[0] & 0xf0) == 0xe0 :
	    a->family == ADDR_V6 && a->a[0] == 0xff;
}

bool
addr_is_unspecified(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->a, zero, addr_len(a)) == 0;
}

int
addr_from_bytes(struct addr *a, struct bytes b)
{
	if (b.n != 4 && b.n != 16)
		return ERR_VALUE;
	memset(a, 0, sizeof *a);
	a->family = b.n == 4 ? ADDR_V4 : ADDR_V6;
	memcpy(a->a, b.p, b.n);
	return OK;
}

/* The first longest run of at least two zero groups: RFC 5952 sections 4.2.2 and 4.2.3. */
static void
longest_zeros(const uint16_t g[static 8], int n, int *at, int *len)
{
	int i, run = 0;

	*at = -1;
	*len = 1;
	for (i = 0; i < n; i++) {
		run = g[i] == 0 ? run + 1 : 0;
		if (run > *len) {
			*len = run;
			*at = i - run + 1;
		}
	}
}

static void
v6_str(const uint8_t a[static 16], char *buf, size_t cap)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	int dotted = memcmp(a, mapped, sizeof mapped) == 0;   /* RFC 5952 section 5 */
	int groups = dotted ? 6 : 8;
	uint16_t g[8];
	int i, zeros_at, zeros;
	size_t n = 0;

	for (i = 0; i < 8; i++)
		g[i] = (uint16_t)(a[2 * i] << 8 | a[2 * i + 1]);
	longest_zeros(g, groups, &zeros_at, &zeros);
	for (i = 0; i < groups; i++) {
		if (i == zeros_at) {
			n += (size_t)snprintf(buf + n, cap - n, "::");
			i += zeros - 1;
			continue;
		}
		n += (size_t)snprintf(buf + n, cap - n, "%s%x",
		    i == 0 || i == zeros_at + zeros ? "" : ":", g[i]);
	}
	if (dotted)
		(void)snprintf(buf + n, cap - n, ":%u.%u.%u.%u", a[12], a[13], a[14], a[15]);
}

const char *
addr_str(const struct addr *a, char buf[static ADDR_STRLEN])
{
	if (a->family == ADDR_V4)
		(void)snprintf(buf, ADDR_STRLEN, "%u.%u.%u.%u", a->a[0], a->a[1], a->a[2],
		    a->a[3]);
	else if (a->family == ADDR_V6)
		v6_str(a->a, buf, ADDR_STRLEN);
	else
		(void)snprintf(buf, ADDR_STRLEN, "none");
	return buf;
}

const char *
endpoint_str(const struct endpoint *e, char buf[static ENDPOINT_STRLEN])
{
	bool v6 = e->addr.family == ADDR_V6;
	char a[ADDR_STRLEN];

	(void)snprintf(buf, ENDPOINT_STRLEN, "%s%s%s:%u", v6 ? "[" : "", addr_str(&e->addr, a),
	    v6 ? "]" : "", e->port);
	return buf;
}

uint32_t
addr_hash(const struct addr *a, uint32_t seed)
{
	uint8_t key[16] = { 0 };
	uint64_t h;

	memcpy(key, &seed, sizeof seed);
	h = siphash(key, addr_bytes(a));
	return (uint32_t)(h ^ h >> 32);
}

void
wr_addr(struct wr *w, const struct addr *a)
{
	wr_u8(w, a->family);
	wr_put(w, addr_bytes(a));
}

struct addr
rd_addr(struct rd *r)
{
	struct addr a = { .family = rd_u8(r) };

	if (a.family != AF_NONE_ && addr_len(&a) == 0)
		rd_fail(r);
	rd_copy(r, a.a, addr_len(&a));
	if (!rd_ok(r))
		memset(&a, 0, sizeof a);
	return a;
}

void
wr_endpoint(struct wr *w, const struct endpoint *e)
{
	wr_addr(w, &e->addr);
	wr_u16(w, e->port);
}

struct endpoint
rd_endpoint(struct rd *r)
{
	struct endpoint e = { .addr = rd_addr(r) };

	e.port = rd_u16(r);
	if (!rd_ok(r))
		memset(&e, 0, sizeof e);
	return e;
}
