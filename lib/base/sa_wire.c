/* SPDX-License-Identifier: ISC */
/*
 * Wire form of the structs of sa.h between our own processes. The one that reads trusts the one
 * that wrote as little as it can: every count, length and enumeration is checked before use.
 */
#include "base/sa.h"

#include <stdlib.h>

#include "base/err.h"

static void
wr_str(struct wr *w, const char *s, size_t cap)
{
	size_t n = strnlen(s, cap);

	if (n == cap || n > UINT8_MAX) {
		w->bad = true;
		return;
	}
	wr_u8(w, (uint8_t)n);
	wr_put(w, bytes_of(s, n));
}

/* Reads of values below mark the reader bad; what is well-formed but not allowed clears *ok. */
static void
rd_str(struct rd *r, char *s, size_t cap, bool *ok)
{
	struct bytes b = rd_take(r, rd_u8(r));

	memset(s, 0, cap);
	if (b.n >= cap || (b.n != 0 && memchr(b.p, 0, b.n) != NULL))
		*ok = false;
	else if (b.n != 0)
		memcpy(s, b.p, b.n);
}

static uint8_t
rd_enum(struct rd *r, uint8_t lo, uint8_t hi, bool *ok)
{
	uint8_t v = rd_u8(r);

	if (v < lo || v > hi)
		*ok = false;
	return v;
}

static bool
rd_bool(struct rd *r, bool *ok)
{
	return rd_enum(r, 0, 1, ok) != 0;
}

static int
verdict(const struct rd *r, bool ok)
{
	if (!rd_ok(r))
		return ERR_SYNTAX;
	return ok ? OK : ERR_VALUE;
}

static void
wr_transform(struct wr *w, const struct esp_transform *t)
{
	wr_u16(w, t->encr);
	wr_u16(w, t->key_bits);
	wr_u16(w, t->integ);
	wr_u8(w, t->esn);
}

/* All zero is "none", for a policy without protection. */
static struct esp_transform
rd_transform(struct rd *r, bool *ok)
{
	struct esp_transform t = { .encr = rd_u16(r) };
	size_t encr, integ;

	t.key_bits = rd_u16(r);
	t.integ = rd_u16(r);
	t.esn = rd_bool(r, ok);
	if ((t.encr != ESP_ENCR_NONE || t.key_bits != 0 || t.integ != ESP_INTEG_NONE) &&
	    esp_transform_lengths(&t, &encr, &integ) != OK)
		*ok = false;
	return t;
}

static void
wr_selectors(struct wr *w, const struct selector *s, uint8_t n)
{
	uint8_t i;

	if (n > SELECTORS_MAX)
		w->bad = true;
	wr_u8(w, n);
	for (i = 0; i < n && !w->bad; i++) {
		wr_u8(w, s[i].proto);
		wr_u16(w, s[i].port_lo);
		wr_u16(w, s[i].port_hi);
		wr_addr(w, &s[i].lo);
		wr_addr(w, &s[i].hi);
	}
}

static uint8_t
rd_selectors(struct rd *r, struct selector s[static SELECTORS_MAX], bool *ok)
{
	uint8_t i, n = rd_u8(r);

	if (n > SELECTORS_MAX) {
		rd_fail(r);
		return 0;
	}
	for (i = 0; i < n && rd_ok(r); i++) {
		s[i].proto = rd_u8(r);
		s[i].port_lo = rd_u16(r);
		s[i].port_hi = rd_u16(r);
		s[i].lo = rd_addr(r);
		s[i].hi = rd_addr(r);
		if (!selector_valid(&s[i]))
			*ok = false;
	}
	return n;
}

static void
wr_lifetime(struct wr *w, const struct sa_lifetime *l)
{
	wr_u32(w, l->soft_s);
	wr_u32(w, l->hard_s);
	wr_u64(w, l->soft_bytes);
	wr_u64(w, l->hard_bytes);
	wr_u64(w, l->soft_packets);
	wr_u64(w, l->hard_packets);
}

static struct sa_lifetime
rd_lifetime(struct rd *r)
{
	struct sa_lifetime l = { .soft_s = rd_u32(r) };

	l.hard_s = rd_u32(r);
	l.soft_bytes = rd_u64(r);
	l.hard_bytes = rd_u64(r);
	l.soft_packets = rd_u64(r);
	l.hard_packets = rd_u64(r);
	return l;
}

void
wr_sa(struct wr *w, const struct sa_params *sa)
{
	if (sa->key_len > SA_KEY_MAX) {
		w->bad = true;
		return;
	}
	wr_u32(w, sa->spi);
	wr_u8(w, sa->dir);
	wr_u8(w, sa->mode);
	wr_addr(w, &sa->src);
	wr_addr(w, &sa->dst);
	wr_u16(w, sa->encap_sport);
	wr_u16(w, sa->encap_dport);
	wr_transform(w, &sa->transform);
	wr_u16(w, sa->key_len);
	wr_put(w, bytes_of(sa->key, sa->key_len));
	wr_u16(w, sa->replay_window);
	wr_selectors(w, sa->src_sel, sa->n_src_sel);
	wr_selectors(w, sa->dst_sel, sa->n_dst_sel);
	wr_str(w, sa->channel, sizeof sa->channel);
	wr_u32(w, sa->vni);
	wr_u32(w, sa->grant);
	wr_u32(w, sa->pair);
	wr_lifetime(w, &sa->life);
	wr_u8(w, sa->inactive);
}

/* A key is there in full length or not at all (a listing shows none). */
static bool
key_fits(const struct sa_params *sa)
{
	size_t encr = 0, integ = 0;

	return sa->key_len == 0 || (esp_transform_lengths(&sa->transform, &encr, &integ) == OK &&
	    sa->key_len == encr + integ);
}

static void
rd_key(struct rd *r, struct sa_params *sa)
{
	sa->key_len = rd_u16(r);
	if (sa->key_len > SA_KEY_MAX)
		rd_fail(r);
	else
		rd_copy(r, sa->key, sa->key_len);
}

int
rd_sa(struct rd *r, struct sa_params *sa)
{
	bool ok = true;
	int err;

	memset(sa, 0, sizeof *sa);
	sa->spi = rd_u32(r);
	sa->dir = rd_enum(r, SA_IN, SA_OUT, &ok);
	sa->mode = rd_enum(r, SA_TRANSPORT, SA_TUNNEL, &ok);
	sa->src = rd_addr(r);
	sa->dst = rd_addr(r);
	sa->encap_sport = rd_u16(r);
	sa->encap_dport = rd_u16(r);
	sa->transform = rd_transform(r, &ok);
	rd_key(r, sa);
	sa->replay_window = rd_u16(r);
	sa->n_src_sel = rd_selectors(r, sa->src_sel, &ok);
	sa->n_dst_sel = rd_selectors(r, sa->dst_sel, &ok);
	rd_str(r, sa->channel, sizeof sa->channel, &ok);
	sa->vni = rd_u32(r);
	sa->grant = rd_u32(r);
	sa->pair = rd_u32(r);
	sa->life = rd_lifetime(r);
	sa->inactive = rd_bool(r, &ok);
	if (sa->src.family != sa->dst.family || sa->vni > VNI_MAX || !key_fits(sa) ||
	    (sa->encap_sport == 0) != (sa->encap_dport == 0) ||
	    (sa->replay_window != 0 && sa->replay_window < 64))
		ok = false;
	if ((err = verdict(r, ok)) != OK)
		wipe(sa, sizeof *sa);
	return err;
}

void
wr_sa_stats(struct wr *w, const struct sa_stats *s)
{
	wr_u32(w, s->spi);
	wr_u8(w, s->dir);
	wr_addr(w, &s->src);
	wr_addr(w, &s->dst);
	wr_u64(w, s->packets);
	wr_u64(w, s->bytes);
	wr_u64(w, s->replays);
	wr_u64(w, s->bad_icv);
	wr_u64(w, s->bad_selector);
	wr_u64(w, s->bad_vni);
	wr_u64(w, s->seq);
	wr_u64(w, (uint64_t)s->age_s);
}

int
rd_sa_stats(struct rd *r, struct sa_stats *s)
{
	bool ok = true;
	uint64_t age;
	int err;

	memset(s, 0, sizeof *s);
	s->spi = rd_u32(r);
	s->dir = rd_enum(r, SA_IN, SA_OUT, &ok);
	s->src = rd_addr(r);
	s->dst = rd_addr(r);
	s->packets = rd_u64(r);
	s->bytes = rd_u64(r);
	s->replays = rd_u64(r);
	s->bad_icv = rd_u64(r);
	s->bad_selector = rd_u64(r);
	s->bad_vni = rd_u64(r);
	s->seq = rd_u64(r);
	age = rd_u64(r);
	if (age > INT64_MAX || s->src.family != s->dst.family)
		ok = false;
	if ((err = verdict(r, ok)) != OK)
		memset(s, 0, sizeof *s);
	else
		s->age_s = (int64_t)age;
	return err;
}

static void
wr_channel(struct wr *w, const struct channel *c)
{
	wr_str(w, c->id, sizeof c->id);
	wr_u8(w, c->level);
	wr_u8(w, c->proto);
	wr_u16(w, c->port);
	wr_u8(w, c->mode);
	wr_transform(w, &c->esp);
	wr_u16(w, c->ke);
	wr_u32(w, c->lifetime_s);
}

static void
rd_channel(struct rd *r, struct channel *c, bool *ok)
{
	rd_str(r, c->id, sizeof c->id, ok);
	c->level = rd_enum(r, LEVEL_DATA, LEVEL_CONTROL, ok);
	c->proto = rd_u8(r);
	c->port = rd_u16(r);
	c->mode = rd_enum(r, SA_TRANSPORT, SA_TUNNEL, ok);
	c->esp = rd_transform(r, ok);
	c->ke = rd_u16(r);
	c->lifetime_s = rd_u32(r);
}

static void
wr_vnis(struct wr *w, const uint32_t *vnis, uint32_t n)
{
	uint32_t i;

	if (n > SA_VNIS_MAX) {
		w->bad = true;
		return;
	}
	wr_u16(w, (uint16_t)n);
	for (i = 0; i < n; i++)
		wr_u24(w, vnis[i]);
}

/* Strictly ascending, so that a binary search finds what is there. */
static int
rd_vnis(struct rd *r, uint32_t **vnis, uint32_t *count, bool *ok)
{
	uint32_t i, n = rd_u16(r);
	struct rd list = rd_sub(r, (size_t)n * 3);

	if (n > SA_VNIS_MAX)
		rd_fail(r);
	if (!rd_ok(r) || n == 0)
		return OK;
	if ((*vnis = calloc(n, sizeof **vnis)) == NULL)
		return ERR_NOMEM;
	*count = n;
	for (i = 0; i < n; i++) {
		(*vnis)[i] = rd_u24(&list);
		if (i > 0 && (*vnis)[i] <= (*vnis)[i - 1])
			*ok = false;
	}
	return OK;
}

static void
wr_addrs(struct wr *w, const struct addr *a, uint8_t n)
{
	uint8_t i;

	if (n > ADDRS_MAX)
		w->bad = true;
	wr_u8(w, n);
	for (i = 0; i < n && !w->bad; i++)
		wr_addr(w, &a[i]);
}

static uint8_t
rd_addrs(struct rd *r, struct addr a[static ADDRS_MAX], bool *ok)
{
	uint8_t i, n = rd_u8(r);

	if (n > ADDRS_MAX) {
		rd_fail(r);
		return 0;
	}
	for (i = 0; i < n && rd_ok(r); i++) {
		a[i] = rd_addr(r);
		if (a[i].family == AF_NONE_)
			*ok = false;
	}
	return n;
}

void
wr_grant(struct wr *w, const struct grant *g)
{
	uint8_t i;

	wr_u32(w, g->number);
	wr_str(w, g->node, sizeof g->node);
	wr_addrs(w, g->peer, g->n_peer);
	wr_addrs(w, g->local, g->n_local);
	if (g->n_channels > CHANNELS_MAX)
		w->bad = true;
	wr_u8(w, g->n_channels);
	for (i = 0; i < g->n_channels && !w->bad; i++)
		wr_channel(w, &g->channels[i]);
	wr_vnis(w, g->vnis, g->n_vnis);
	wr_u64(w, (uint64_t)g->expires);
}

static void
rd_channels(struct rd *r, struct grant *g, bool *ok)
{
	uint8_t i, n = rd_u8(r);

	if (n > CHANNELS_MAX) {
		rd_fail(r);
		return;
	}
	for (i = 0; i < n && rd_ok(r); i++)
		rd_channel(r, &g->channels[i], ok);
	g->n_channels = n;
}

int
rd_grant(struct rd *r, struct grant *g)
{
	bool ok = true;
	int err;

	memset(g, 0, sizeof *g);
	g->number = rd_u32(r);
	rd_str(r, g->node, sizeof g->node, &ok);
	g->n_peer = rd_addrs(r, g->peer, &ok);
	g->n_local = rd_addrs(r, g->local, &ok);
	rd_channels(r, g, &ok);
	err = rd_vnis(r, &g->vnis, &g->n_vnis, &ok);
	g->expires = (int64_t)rd_u64(r);
	if (g->expires < 0)
		ok = false;
	if (err != OK || (err = verdict(r, ok)) != OK) {
		grant_free(g);
		memset(g, 0, sizeof *g);
	}
	return err;
}

void
wr_policy(struct wr *w, const struct policy *p)
{
	wr_u8(w, p->action);
	wr_str(w, p->node, sizeof p->node);
	wr_addr(w, &p->local);
	wr_addr(w, &p->peer);
	wr_channel(w, &p->channel);
	wr_vnis(w, p->vnis, p->n_vnis);
}

int
rd_policy(struct rd *r, struct policy *p)
{
	bool ok = true;
	int err;

	memset(p, 0, sizeof *p);
	p->action = rd_enum(r, POLICY_PROTECT, POLICY_BYPASS, &ok);
	rd_str(r, p->node, sizeof p->node, &ok);
	p->local = rd_addr(r);
	p->peer = rd_addr(r);
	rd_channel(r, &p->channel, &ok);
	err = rd_vnis(r, &p->vnis, &p->n_vnis, &ok);
	if (err != OK || (err = verdict(r, ok)) != OK) {
		policy_free(p);
		memset(p, 0, sizeof *p);
	}
	return err;
}
