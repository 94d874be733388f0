/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/spd_int.h"

#include <stdlib.h>

#define ENTRY_KEY_MAX 64
#define ICMPV6        58
#define ND_SOLICIT    135            /* RFC 4861; the kernel's selectors have the type as source port */
#define ND_ADVERTISE  136

int
spd_init(struct spd *s, const struct options *o, const uint8_t seed[static 16])
{
	memset(s, 0, sizeof *s);
	s->dirty_last = &s->dirty;
	s->reqid_base = o->reqid_base;
	s->priority = o->priority;
	s->block_priority = o->block_priority;
	s->ike_port = o->ike_port;
	s->natt_port = o->natt_port;
	s->pols = hash_new(seed);
	s->targets = hash_new(seed);
	s->reqids = hash_new(seed);
	s->former = hash_new(seed);
	if (s->pols != NULL && s->targets != NULL && s->reqids != NULL && s->former != NULL)
		return OK;
	spd_free(s);
	return ERR_NOMEM;
}

void
spd_free(struct spd *s)
{
	void *p;
	size_t pos;

	for (pos = 0; s->pols != NULL && (p = hash_next(s->pols, &pos)) != NULL;)
		free(p);
	for (pos = 0; s->targets != NULL && (p = hash_next(s->targets, &pos)) != NULL;)
		free(p);
	for (pos = 0; s->former != NULL && (p = hash_next(s->former, &pos)) != NULL;)
		free(p);
	hash_free(s->pols);
	hash_free(s->targets);
	hash_free(s->reqids);
	hash_free(s->former);
	memset(s, 0, sizeof *s);
}

/* ---- by their looks ---- */

bool
spd_is_own_reqid(const struct spd *s, uint32_t reqid)
{
	return reqid >= s->reqid_base && reqid - s->reqid_base < REQIDS;
}

bool
spd_is_ike_port(const struct spd *s, uint16_t port)
{
	return port == s->ike_port || port == s->natt_port;
}

/* For all addresses, of our making. */
static bool
is_general(const struct xpol *p, bool block, uint32_t priority, uint8_t proto)
{
	return p->block == block && !p->tmpl && !p->foreign_shape && p->dir <= XDIR_OUT &&
	    p->priority == priority && p->sel.src_len == 0 && p->sel.dst_len == 0 &&
	    p->sel.proto == proto;
}

/* One port of each side, 0 for all of them. */
static bool
has_ports(const struct xsel *x, uint16_t *sport, uint16_t *dport)
{
	*sport = x->sport;
	*dport = x->dport;
	return x->sport_mask == (x->sport == 0 ? 0 : UINT16_MAX) &&
	    x->dport_mask == (x->dport == 0 ? 0 : UINT16_MAX);
}

static bool
looks_block(const struct spd *s, const struct xpol *p, uint16_t *port)
{
	uint16_t sport;

	return is_general(p, true, s->block_priority, SPD_UDP) && has_ports(&p->sel, &sport, port) &&
	    sport == 0 && *port != 0;
}

static bool
looks_fence(const struct spd *s, const struct xpol *p)
{
	uint16_t sport, dport;

	return is_general(p, true, s->priority + PLACE_FENCE, SPD_UDP) && p->dir == XDIR_OUT &&
	    has_ports(&p->sel, &sport, &dport) && spd_is_ike_port(s, sport) && dport != 0;
}

static bool
looks_bypass(const struct spd *s, const struct xpol *p)
{
	uint32_t priority = s->priority + PLACE_BYPASS;
	uint16_t sport, dport;

	if (!has_ports(&p->sel, &sport, &dport))
		return false;
	if (is_general(p, false, priority, SPD_UDP))
		return p->dir == XDIR_IN ? sport == 0 && spd_is_ike_port(s, dport) :
		    dport == 0 && spd_is_ike_port(s, sport);
	return is_general(p, false, priority, ICMPV6) && dport == 0 &&
	    (sport == ND_SOLICIT || sport == ND_ADVERTISE);
}

bool
spd_is_block(const struct spd *s, const struct xpol *p, uint16_t *port)
{
	/* One on a port that is IKE's now was made under other options. */
	return looks_block(s, p, port) && !spd_is_ike_port(s, *port);
}

bool
spd_is_own(const struct spd *s, const struct xpol *p)
{
	uint16_t port;

	if (p->tmpl)
		return !p->foreign_shape && p->dir <= XDIR_FWD && spd_is_own_reqid(s, p->reqid) &&
		    (p->priority == s->priority + PLACE_TARGET ||
		    p->priority == s->priority + PLACE_WIDE);
	return looks_block(s, p, &port) || looks_fence(s, p) || looks_bypass(s, p);
}

/* ---- entries ---- */

static struct bytes
entry_key(uint8_t buf[static ENTRY_KEY_MAX], uint8_t dir, const struct xsel *x)
{
	struct wr w = wr_fixed(buf, ENTRY_KEY_MAX);

	wr_u8(&w, dir);
	wr_u8(&w, x->family);
	wr_addr(&w, &x->src);
	wr_addr(&w, &x->dst);
	wr_u8(&w, x->src_len);
	wr_u8(&w, x->dst_len);
	wr_u8(&w, x->proto);
	wr_u16(&w, x->sport);
	wr_u16(&w, x->sport_mask);
	wr_u16(&w, x->dport);
	wr_u16(&w, x->dport_mask);
	return wr_view(&w);
}

struct pol_entry *
spd_find(const struct spd *s, uint8_t dir, const struct xsel *x)
{
	uint8_t buf[ENTRY_KEY_MAX];

	return hash_get(s->pols, entry_key(buf, dir, x));
}

struct pol_entry *
spd_entry_next(const struct spd *s, size_t *pos)
{
	return hash_next(s->pols, pos);
}

void
spd_touch(struct spd *s, struct pol_entry *e)
{
	if (e->listed)
		return;
	e->listed = true;
	e->next = NULL;
	*s->dirty_last = e;
	s->dirty_last = &e->next;
}

struct pol_entry *
spd_dirty(struct spd *s)
{
	struct pol_entry *e;

	while ((e = s->dirty) != NULL) {
		if ((s->dirty = e->next) == NULL)
			s->dirty_last = &s->dirty;
		e->listed = false;
		if (e->want ? !e->have || e->differs : e->have && !e->inherited)
			return e;
		spd_release(s, e);
	}
	return NULL;
}

void
spd_release(struct spd *s, struct pol_entry *e)
{
	uint8_t buf[ENTRY_KEY_MAX];

	if (e->want || e->have || e->listed)
		return;
	(void)hash_del(s->pols, entry_key(buf, e->pol.dir, &e->pol.sel));
	free(e);
}

static struct pol_entry *
entry_get(struct spd *s, const struct xpol *p)
{
	struct pol_entry *e = spd_find(s, p->dir, &p->sel);
	uint8_t buf[ENTRY_KEY_MAX];

	if (e != NULL)
		return e;
	if ((e = calloc(1, sizeof *e)) == NULL)
		return NULL;
	e->pol = *p;
	if (hash_add(s->pols, entry_key(buf, p->dir, &p->sel), e) != OK) {
		free(e);
		return NULL;
	}
	return e;
}

int
spd_want(struct spd *s, const struct xpol *p, struct target *t)
{
	struct pol_entry *e = entry_get(s, p);

	if (e == NULL)
		return ERR_NOMEM;
	if (e->want && e->target != t)
		return ERR_EXISTS;
	if (e->have && !xpol_equal(&e->pol, p))
		e->differs = true;
	if (!e->want)
		s->n_own++;
	e->pol = *p;
	e->target = t;
	e->round = t == NULL ? 0 : t->round;
	e->want = true;
	e->inherited = false;
	if (!e->have || e->differs)
		spd_touch(s, e);
	return OK;
}

void
spd_unwant(struct spd *s, struct pol_entry *e)
{
	if (!e->want)
		return;
	e->want = false;
	e->target = NULL;
	s->n_own--;
	spd_touch(s, e);
}

static struct bytes
reqid_key(const uint32_t *reqid)
{
	return bytes_of(reqid, sizeof *reqid);
}

int
spd_reserve(struct spd *s, uint32_t reqid)
{
	uint32_t *copy;
	int r;

	if (!spd_is_own_reqid(s, reqid) || hash_get(s->former, reqid_key(&reqid)) != NULL)
		return OK;
	if ((copy = malloc(sizeof *copy)) == NULL)
		return ERR_NOMEM;
	*copy = reqid;
	if ((r = hash_add(s->former, reqid_key(copy), copy)) != OK)
		free(copy);
	return r;
}

int
spd_inherit(struct spd *s, const struct xpol *p)
{
	struct pol_entry *e;

	if ((p->tmpl && spd_reserve(s, p->reqid) != OK) || (e = entry_get(s, p)) == NULL)
		return ERR_NOMEM;
	e->have = true;
	if (!e->want) {
		e->pol = *p;
		e->differs = false;
		e->inherited = true;
	} else if (!xpol_equal(&e->pol, p)) {
		e->differs = true;
		spd_touch(s, e);
	}
	return OK;
}

void
spd_disinherit(struct spd *s)
{
	struct pol_entry *e;
	size_t pos = 0;
	uint16_t port;

	while ((e = hash_next(s->pols, &pos)) != NULL)
		if (e->inherited && !spd_is_block(s, &e->pol, &port)) {
			e->inherited = false;
			spd_touch(s, e);
		}
}

/* ---- for all addresses ---- */

struct general {
	enum spd_place place;
	uint8_t dir, proto;
	uint16_t sport, dport;
};

static int
want_family(struct spd *s, const struct general *g, uint8_t family)
{
	struct xpol p = { .dir = g->dir, .block = g->place != PLACE_BYPASS,
	    .priority = g->place == PLACE_BLOCK ? s->block_priority : s->priority + g->place,
	    .sel = xsel_any(family, g->proto, g->sport, g->dport) };

	return spd_want(s, &p, NULL);
}

static int
want_general(struct spd *s, const struct general *rows, size_t n)
{
	size_t i;
	int r = OK;

	for (i = 0; i < n && r == OK; i++) {
		if (rows[i].proto != ICMPV6)
			r = want_family(s, &rows[i], ADDR_V4);
		if (r == OK)
			r = want_family(s, &rows[i], ADDR_V6);
	}
	return r;
}

int
spd_block(struct spd *s, uint16_t port)
{
	const struct general rows[] = {
		{ PLACE_BLOCK, XDIR_IN, SPD_UDP, 0, port },
		{ PLACE_BLOCK, XDIR_OUT, SPD_UDP, 0, port },
		/* VXLAN's source port may be any, IKE's as well. */
		{ PLACE_FENCE, XDIR_OUT, SPD_UDP, s->ike_port, port },
		{ PLACE_FENCE, XDIR_OUT, SPD_UDP, s->natt_port, port },
	};

	if (port == 0 || spd_is_ike_port(s, port))
		return ERR_VALUE;
	return want_general(s, rows, sizeof rows / sizeof rows[0]);
}

int
spd_bypass_ike(struct spd *s)
{
	/* Behind a NAT the peer's port may be any: ours alone says that it is IKE. */
	const struct general rows[] = {
		{ PLACE_BYPASS, XDIR_IN, SPD_UDP, 0, s->ike_port },
		{ PLACE_BYPASS, XDIR_IN, SPD_UDP, 0, s->natt_port },
		{ PLACE_BYPASS, XDIR_OUT, SPD_UDP, s->ike_port, 0 },
		{ PLACE_BYPASS, XDIR_OUT, SPD_UDP, s->natt_port, 0 },
		{ PLACE_BYPASS, XDIR_IN, ICMPV6, ND_SOLICIT, 0 },
		{ PLACE_BYPASS, XDIR_IN, ICMPV6, ND_ADVERTISE, 0 },
		{ PLACE_BYPASS, XDIR_OUT, ICMPV6, ND_SOLICIT, 0 },
		{ PLACE_BYPASS, XDIR_OUT, ICMPV6, ND_ADVERTISE, 0 },
	};

	return want_general(s, rows, sizeof rows / sizeof rows[0]);
}
