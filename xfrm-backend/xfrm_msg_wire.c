/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/xfrm_msg_wire.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/err.h"

#define ALIGN4(n) (((n) + 3u) & ~(size_t)3)

/* ---- writing ---- */

struct wr
xmsg_begin(void *buf, uint16_t type, uint16_t flags)
{
	struct wr w = wr_fixed(buf, XMSG_MAX);
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags };

	wr_put(&w, bytes_of(&h, sizeof h));
	return w;
}

void
xmsg_pad(struct wr *w)
{
	wr_zero(w, ALIGN4(w->n) - w->n);
}

void
xattr_head(struct wr *w, uint16_t type, size_t n)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof a + n), .nla_type = type };

	if (n > UINT16_MAX - sizeof a)
		w->bad = true;
	wr_put(w, bytes_of(&a, sizeof a));
}

void
xattr_put(struct wr *w, uint16_t type, const void *p, size_t n)
{
	xattr_head(w, type, n);
	wr_put(w, bytes_of(p, n));
	xmsg_pad(w);
}

struct nlmsghdr *
xmsg_end(struct wr *w)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)w->p;

	if (w->bad)
		return NULL;
	h->nlmsg_len = (uint32_t)w->n;
	return h;
}

uint16_t
xfamily(uint8_t family)
{
	return family == ADDR_V4 ? AF_INET : family == ADDR_V6 ? AF_INET6 : 0;
}

void
xaddr_write(xfrm_address_t *to, const struct addr *a)
{
	memset(to, 0, sizeof *to);
	memcpy(to, a->a, addr_len(a));
}

void
xsel_write(struct xfrm_selector *to, const struct xsel *s)
{
	/* The kernel compares selectors octet by octet, so the gaps must be zero too. */
	memset(to, 0, sizeof *to);
	xaddr_write(&to->saddr, &s->src);
	xaddr_write(&to->daddr, &s->dst);
	to->family = xfamily(s->family);
	to->prefixlen_s = s->src_len;
	to->prefixlen_d = s->dst_len;
	to->proto = s->proto;
	to->sport = htons(s->sport);
	to->sport_mask = htons(s->sport_mask);
	to->dport = htons(s->dport);
	to->dport_mask = htons(s->dport_mask);
}

bool
xsel_sound(const struct xsel *s)
{
	return addr_len(&s->src) != 0 && s->src.family == s->family && s->dst.family == s->family &&
	    s->src_len <= addr_len(&s->src) * 8 && s->dst_len <= addr_len(&s->dst) * 8;
}

uint8_t
xmode_write(uint8_t mode)
{
	return mode == SA_TUNNEL ? XFRM_MODE_TUNNEL : XFRM_MODE_TRANSPORT;
}

/* ---- reading ---- */

static void
skip_pad(struct rd *r, size_t n)
{
	size_t pad = ALIGN4(n) - n;

	/* The last one need not be filled up. */
	rd_skip(r, pad < rd_left(r) ? pad : rd_left(r));
}

static int
read_attrs(struct rd *r, struct xattrs *out)
{
	memset(out, 0, sizeof *out);
	while (rd_left(r) > 0) {
		struct nlattr h;
		struct bytes b;
		unsigned type;

		rd_copy(r, &h, sizeof h);
		if (h.nla_len < sizeof h)
			rd_fail(r);
		b = rd_take(r, h.nla_len - sizeof h);
		if (!rd_ok(r))
			return ERR_SYNTAX;
		skip_pad(r, b.n);
		type = h.nla_type & (unsigned)NLA_TYPE_MASK;
		if (type < XATTRS)
			out->a[type] = b;
	}
	return rd_end(r) ? OK : ERR_SYNTAX;
}

int
xmsg_read(const struct nlmsghdr *h, void *fixed, size_t n, struct xattrs *attrs)
{
	struct rd r;

	if (h->nlmsg_len < sizeof *h)
		return ERR_SYNTAX;
	r = rd_open(bytes_of(h, h->nlmsg_len));
	rd_skip(&r, sizeof *h);
	rd_copy(&r, fixed, n);
	if (!rd_ok(&r))
		return ERR_SYNTAX;
	skip_pad(&r, n);
	return read_attrs(&r, attrs);
}

int
xattr_copy(const struct xattrs *attrs, unsigned type, void *to, size_t n)
{
	struct rd r = rd_open(attrs->a[type]);

	memset(to, 0, n);
	if (attrs->a[type].p == NULL)
		return OK;
	rd_copy(&r, to, n);
	return rd_ok(&r) ? OK : ERR_SYNTAX;
}

bool
xattr_set(const struct xattrs *attrs, unsigned type)
{
	struct rd r = rd_open(attrs->a[type]);
	uint8_t any = 0;

	while (rd_left(&r) > 0)
		any |= rd_u8(&r);
	return any != 0;
}

uint8_t
xfamily_read(uint16_t af)
{
	return af == AF_INET ? ADDR_V4 : af == AF_INET6 ? ADDR_V6 : AF_NONE_;
}

struct addr
xaddr_read(uint8_t family, const xfrm_address_t *from)
{
	struct addr a = { .family = family };

	memcpy(a.a, from, addr_len(&a));
	return a;
}

int
xsel_read(const struct xfrm_selector *from, struct xsel *s, bool *foreign)
{
	uint8_t family = xfamily_read(from->family);

	memset(s, 0, sizeof *s);
	s->family = family;
	s->src = xaddr_read(family, &from->saddr);
	s->dst = xaddr_read(family, &from->daddr);
	s->src_len = from->prefixlen_s;
	s->dst_len = from->prefixlen_d;
	s->proto = from->proto;
	s->sport = ntohs(from->sport);
	s->sport_mask = ntohs(from->sport_mask);
	s->dport = ntohs(from->dport);
	s->dport_mask = ntohs(from->dport_mask);
	if (from->ifindex != 0 || from->user != 0)
		*foreign = true;
	return xsel_sound(s) ? OK : ERR_SYNTAX;
}

uint8_t
xmode_read(uint8_t mode)
{
	return mode == XFRM_MODE_TRANSPORT ? SA_TRANSPORT : mode == XFRM_MODE_TUNNEL ? SA_TUNNEL : 0;
}
