/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/xfrm_obj.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"

#define WINDOW_MIN 64u
#define WINDOW_MAX 4096u       /* XFRMA_REPLAY_ESN_MAX, in bits here */
#define ICMP_V4    1
#define ICMP_V6    58

/* ---- selectors ---- */

bool
xsel_equal(const struct xsel *a, const struct xsel *b)
{
	return a->family == b->family && addr_equal(&a->src, &b->src) &&
	    addr_equal(&a->dst, &b->dst) && a->src_len == b->src_len && a->dst_len == b->dst_len &&
	    a->proto == b->proto && a->sport == b->sport && a->sport_mask == b->sport_mask &&
	    a->dport == b->dport && a->dport_mask == b->dport_mask;
}

/* Do the first n bits agree? */
static bool
bits_equal(const struct addr *a, const struct addr *b, unsigned n)
{
	unsigned i;

	for (i = 0; i < n && i / 8 < sizeof a->a; i++)
		if (((a->a[i / 8] ^ b->a[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static uint8_t
lesser(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

bool
xsel_overlap(const struct xsel *a, const struct xsel *b)
{
	return a->family == b->family &&
	    bits_equal(&a->src, &b->src, lesser(a->src_len, b->src_len)) &&
	    bits_equal(&a->dst, &b->dst, lesser(a->dst_len, b->dst_len)) &&
	    (a->proto == 0 || b->proto == 0 || a->proto == b->proto) &&
	    ((a->sport ^ b->sport) & a->sport_mask & b->sport_mask) == 0 &&
	    ((a->dport ^ b->dport) & a->dport_mask & b->dport_mask) == 0;
}

static void
set_ports(struct xsel *s, uint16_t sport, uint16_t dport)
{
	s->sport = sport;
	s->sport_mask = sport == 0 ? 0 : UINT16_MAX;
	s->dport = dport;
	s->dport_mask = dport == 0 ? 0 : UINT16_MAX;
}

struct xsel
xsel_hosts(const struct addr *src, const struct addr *dst, uint8_t proto, uint16_t sport,
    uint16_t dport)
{
	struct xsel s = { .family = src->family, .src = *src, .dst = *dst, .proto = proto };

	s.src_len = (uint8_t)(addr_len(src) * 8);
	s.dst_len = (uint8_t)(addr_len(dst) * 8);
	set_ports(&s, sport, dport);
	return s;
}

struct xsel
xsel_any(uint8_t family, uint8_t proto, uint16_t sport, uint16_t dport)
{
	struct xsel s = { .family = family, .src.family = family, .dst.family = family,
	    .proto = proto };

	set_ports(&s, sport, dport);
	return s;
}

/* One host; one port or all. */
static bool
fits_kernel(const struct selector *s)
{
	bool any = s->port_lo == 0 && s->port_hi == UINT16_MAX;

	if (addr_len(&s->lo) == 0 || !addr_equal(&s->lo, &s->hi))
		return false;
	/* ICMP's type and code are one number in a traffic selector, two in the kernel. */
	if ((s->proto == ICMP_V4 || s->proto == ICMP_V6) && !any)
		return false;
	return any || s->port_lo == s->port_hi;
}

/* Makes one port of the SA's selector as wide as the next pair needs it. */
static void
widen(uint16_t *port, uint16_t *mask, const struct selector *s)
{
	if (*mask != 0 && (s->port_lo != s->port_hi || s->port_lo != *port))
		*port = *mask = 0;
}

static void
first_port(uint16_t *port, uint16_t *mask, const struct selector *s)
{
	*mask = s->port_lo == s->port_hi ? UINT16_MAX : 0;
	*port = *mask == 0 ? 0 : s->port_lo;
}

int
xsel_of_sa(struct xsel *out, const struct sa_params *sa)
{
	size_t pairs = sa->n_src_sel > sa->n_dst_sel ? sa->n_src_sel : sa->n_dst_sel, i;
	const struct selector *s, *d, *s0 = &sa->src_sel[0], *d0 = &sa->dst_sel[0];
	struct xsel sel;

	if (sa->n_src_sel == 0 || sa->n_dst_sel == 0 || pairs > SELECTORS_MAX ||
	    s0->lo.family != d0->lo.family)
		return ERR_UNSUPPORTED;
	sel = xsel_hosts(&s0->lo, &d0->lo, s0->proto, 0, 0);
	first_port(&sel.sport, &sel.sport_mask, s0);
	first_port(&sel.dport, &sel.dport_mask, d0);
	for (i = 0; i < pairs; i++) {
		s = &sa->src_sel[i < sa->n_src_sel ? i : (size_t)sa->n_src_sel - 1];
		d = &sa->dst_sel[i < sa->n_dst_sel ? i : (size_t)sa->n_dst_sel - 1];
		if (!fits_kernel(s) || !fits_kernel(d) || !addr_equal(&s->lo, &sel.src) ||
		    !addr_equal(&d->lo, &sel.dst) || s->proto != sel.proto || d->proto != sel.proto)
			return ERR_UNSUPPORTED;
		widen(&sel.sport, &sel.sport_mask, s);
		widen(&sel.dport, &sel.dport_mask, d);
	}
	*out = sel;
	return OK;
}

/* ---- policies and SAs ---- */

bool
xpol_equal(const struct xpol *a, const struct xpol *b)
{
	if (a->dir != b->dir || a->block != b->block || !xsel_equal(&a->sel, &b->sel) ||
	    a->priority != b->priority || a->tmpl != b->tmpl || a->foreign_shape != b->foreign_shape)
		return false;
	return !a->tmpl || (a->reqid == b->reqid && a->mode == b->mode &&
	    addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst));
}

uint32_t
xsa_window(const struct xsa *sa)
{
	if (sa->dir == SA_OUT)
		return 0;
	if (sa->replay_window < WINDOW_MIN)
		return WINDOW_MIN;
	return sa->replay_window < WINDOW_MAX ? sa->replay_window : WINDOW_MAX;
}

static bool
life_equal(const struct sa_lifetime *a, const struct sa_lifetime *b)
{
	return a->soft_s == b->soft_s && a->hard_s == b->hard_s &&
	    a->soft_bytes == b->soft_bytes && a->hard_bytes == b->hard_bytes &&
	    a->soft_packets == b->soft_packets && a->hard_packets == b->hard_packets;
}

static bool
transform_equal(const struct esp_transform *a, const struct esp_transform *b)
{
	return a->encr == b->encr && a->key_bits == b->key_bits && a->integ == b->integ &&
	    a->esn == b->esn;
}

bool
xsa_equal(const struct xsa *have, const struct xsa *want)
{
	if (have->dir != 0 && have->dir != want->dir)
		return false;
	if (want->dir != SA_OUT && have->replay_window != xsa_window(want))
		return false;
	return have->spi == want->spi && addr_equal(&have->src, &want->src) &&
	    addr_equal(&have->dst, &want->dst) && have->reqid == want->reqid &&
	    have->mode == want->mode && xsel_equal(&have->sel, &want->sel) &&
	    have->encap_sport == want->encap_sport && have->encap_dport == want->encap_dport &&
	    transform_equal(&have->transform, &want->transform) &&
	    life_equal(&have->life, &want->life) && have->foreign_shape == want->foreign_shape;
}

/* ---- texts ---- */

struct text {
	char *p;
	size_t n, cap;
};

__attribute__((format(printf, 2, 3)))
static void
add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->p + t->n, t->cap - t->n, format, args);
	va_end(args);
	if (n > 0)
		t->n += (size_t)n < t->cap - t->n ? (size_t)n : t->cap - t->n - 1;
}

static void
add_port(struct text *t, const char *name, uint16_t port, uint16_t mask)
{
	if (mask == UINT16_MAX)
		add(t, " %s %u", name, port);
	else if (mask != 0)
		add(t, " %s 0x%04x/0x%04x", name, port, mask);
}

static void
add_proto(struct text *t, uint8_t proto)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {
		{ 1, "icmp" }, { 6, "tcp" }, { 17, "udp" }, { 50, "esp" }, { 58, "icmpv6" },
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].number == proto) {
			add(t, " %s", names[i].name);
			return;
		}
	if (proto != 0)
		add(t, " proto %u", proto);
}

static void
add_sel(struct text *t, const struct xsel *s)
{
	char src[ADDR_STRLEN], dst[ADDR_STRLEN];

	add(t, "%s/%u -> %s/%u", addr_str(&s->src, src), s->src_len, addr_str(&s->dst, dst),
	    s->dst_len);
	add_proto(t, s->proto);
	add_port(t, "sport", s->sport, s->sport_mask);
	add_port(t, "dport", s->dport, s->dport_mask);
}

const char *
xsel_str(const struct xsel *s, char buf[static XSEL_STRLEN])
{
	struct text t = { buf, 0, XSEL_STRLEN };

	add_sel(&t, s);
	return buf;
}

static const char *
mode_str(uint8_t mode)
{
	return mode == SA_TRANSPORT ? "transport" : mode == SA_TUNNEL ? "tunnel" : "other";
}

const char *
xpol_str(const struct xpol *p, char buf[static XPOL_STRLEN])
{
	static const char *const dirs[] = { "in", "out", "fwd" };
	struct text t = { buf, 0, XPOL_STRLEN };
	char src[ADDR_STRLEN], dst[ADDR_STRLEN];

	add(&t, "%s ", p->dir <= XDIR_FWD ? dirs[p->dir] : "?");
	add_sel(&t, &p->sel);
	add(&t, " priority %u", p->priority);
	if (p->block)
		add(&t, " block");
	else if (!p->tmpl)
		add(&t, " allow");
	if (p->tmpl) {
		add(&t, " esp %s", mode_str(p->mode));
		if (p->mode == SA_TUNNEL)
			add(&t, " %s -> %s", addr_str(&p->src, src), addr_str(&p->dst, dst));
		add(&t, " reqid %u", p->reqid);
	}
	return buf;
}

const char *
xsa_str(const struct xsa *sa, char buf[static XSA_STRLEN])
{
	struct text t = { buf, 0, XSA_STRLEN };
	char src[ADDR_STRLEN], dst[ADDR_STRLEN];

	add(&t, "0x%08x %s -> %s %s", sa->spi, addr_str(&sa->src, src), addr_str(&sa->dst, dst),
	    mode_str(sa->mode));
	if (sa->encap_sport != 0 || sa->encap_dport != 0)
		add(&t, " udp %u-%u", sa->encap_sport, sa->encap_dport);
	add(&t, " reqid %u", sa->reqid);
	return buf;
}
