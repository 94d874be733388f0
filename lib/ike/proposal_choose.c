/* SPDX-License-Identifier: ISC */
#include "base/rd.h"
#include "ike/proposal_list.h"

#define TYPE_BIT(type) (1u << (type))

/* What one proposal of the peer has of one list of ours. */
struct hits {
	uint64_t set;            /* bit i: the list's transform i is there */
	unsigned types;          /* TYPE_BIT of those that a hit was found for */
	unsigned none;           /* TYPE_BIT of those where NONE is among the transforms */
	unsigned other;          /* TYPE_BIT of those with a transform that is not NONE */
	bool foreign;            /* a transform type that we do not know, or not for this protocol */
};

/* NONE exists for these two types only. */
static bool
is_none(const struct ike_transform *t)
{
	return t->id == 0 && !t->has_key_bits && !t->unknown_attribute &&
	    (t->type == TT_INTEG || t->type == TT_KE);
}

static bool
is_foreign(uint8_t protocol, uint8_t type)
{
	switch (type) {
	case TT_ENCR:
	case TT_INTEG:
	case TT_KE:
		return false;
	case TT_PRF:
		return protocol != SP_IKE;
	case TT_SN:
		return protocol != SP_ESP;
	default:
		return true;
	}
}

/* LIST_MAX when the list does not have it. A key length must be there exactly when ours has one. */
static size_t
find(const struct transform_list *l, const struct ike_transform *t)
{
	size_t i;

	if (t->unknown_attribute)
		return LIST_MAX;
	for (i = 0; i < l->n; i++)
		if (l->t[i].type == t->type && l->t[i].id == t->id &&
		    t->has_key_bits == (l->t[i].key_bits != 0) && l->t[i].key_bits == t->key_bits)
			return i;
	return LIST_MAX;
}

static void
match(struct hits *h, const struct transform_list *l, const struct ike_proposal *p)
{
	struct rd r = rd_open(p->transforms);
	struct ike_transform t;
	size_t i;

	memset(h, 0, sizeof *h);
	while (transform_next(&r, &t)) {
		if (is_foreign(p->protocol, t.type)) {
			h->foreign = true;
			return;
		}
		if (is_none(&t))
			h->none |= TYPE_BIT(t.type);
		else
			h->other |= TYPE_BIT(t.type);
		if ((i = find(l, &t)) < LIST_MAX) {
			h->set |= UINT64_C(1) << i;
			h->types |= TYPE_BIT(t.type);
		}
	}
}

static bool
spi_read(const struct ike_proposal *p, size_t spi_len, uint64_t *spi)
{
	struct rd r = rd_open(p->spi);

	*spi = 0;
	if (p->spi.n != spi_len)
		return false;
	if (spi_len == 8)
		*spi = rd_u64(&r);
	else if (spi_len == 4)
		*spi = rd_u32(&r);
	return rd_end(&r) && (spi_len == 0 || *spi != 0);
}

/*
 * Every type of our list was hit. A type that our list lacks must be absent or allow NONE: a key
 * exchange is left out then, but integrity beside an AEAD is a mistake that RFC 5282 section 8
 * forbids, so there NONE must be all there is.
 */
static bool
acceptable(const struct transform_list *l, const struct hits *h)
{
	static const uint8_t optional[] = { TT_INTEG, TT_KE };
	size_t i;

	if (h->foreign)
		return false;
	for (i = 0; i < l->n; i++)
		if ((h->types & TYPE_BIT(l->t[i].type)) == 0)
			return false;
	for (i = 0; i < sizeof optional; i++) {
		unsigned bit = TYPE_BIT(optional[i]);

		if (list_has_type(l, optional[i]) || (h->other & bit) == 0)
			continue;
		if (optional[i] == TT_INTEG || (h->none & bit) == 0)
			return false;
	}
	return true;
}

static void
set_transform(struct ike_chosen *c, uint8_t type, uint16_t id, uint16_t key_bits)
{
	switch (type) {
	case TT_ENCR:
		c->encr = id;
		c->key_bits = key_bits;
		break;
	case TT_PRF:
		c->prf = id;
		break;
	case TT_INTEG:
		c->integ = id;
		break;
	case TT_KE:
		c->ke = id;
		break;
	case TT_SN:
		c->esn = id == TR_SN_ESN;
		break;
	default:
		break;
	}
}

/* The first hit of each type, but the group that the peer has sent a value of, if that is one. */
static void
pick(struct ike_chosen *c, const struct transform_list *l, const struct hits *h, uint16_t prefer_ke)
{
	unsigned done = 0;
	size_t i;

	for (i = 0; i < l->n; i++) {
		bool hit = (h->set >> i & 1) != 0;
		bool preferred = l->t[i].type == TT_KE && l->t[i].id == prefer_ke;

		if (!hit || ((done & TYPE_BIT(l->t[i].type)) != 0 && !preferred))
			continue;
		set_transform(c, l->t[i].type, l->t[i].id, l->t[i].key_bits);
		done |= TYPE_BIT(l->t[i].type);
	}
	c->integ_none = c->integ == 0 && (h->none & TYPE_BIT(TT_INTEG)) != 0;
	c->ke_none = c->ke == 0 && (h->none & TYPE_BIT(TT_KE)) != 0;
}

/* The first of the peer's proposals that fits the list. */
static bool
choose(struct ike_chosen *c, const struct ike_sa_payload *sa, const struct transform_list *l,
    size_t spi_len, uint16_t prefer_ke)
{
	struct rd r = rd_open(sa->body);
	struct ike_proposal p;
	struct hits h;
	uint64_t spi;

	while (proposal_next(&r, &p)) {
		if (p.protocol != l->protocol || !spi_read(&p, spi_len, &spi))
			continue;
		match(&h, l, &p);
		if (!acceptable(l, &h))
			continue;
		memset(c, 0, sizeof *c);
		c->number = p.number;
		c->spi = spi;
		pick(c, l, &h, prefer_ke);
		return true;
	}
	return false;
}

int
proposal_choose_ike(struct ike_chosen *c, const struct ike_sa_payload *sa,
    const struct ike_offer *offer, uint16_t prefer_ke)
{
	struct transform_list l;
	size_t i;

	for (i = 0; i < offer->n_suites; i++) {
		list_of_suite(&l, &offer->suites[i]);
		if (choose(c, sa, &l, offer->spi_len, prefer_ke))
			return OK;
	}
	return ERR_NOTFOUND;
}

int
proposal_choose_esp(struct ike_chosen *c, const struct ike_sa_payload *sa,
    const struct esp_offer *offer, uint16_t prefer_ke)
{
	struct transform_list l;
	size_t i = 0;

	while (list_of_esp(&l, offer, &i))
		if (choose(c, sa, &l, 4, prefer_ke))
			return OK;
	return ERR_NOTFOUND;
}

/* One transform of each of the list's types, all from the list, and nothing else. */
static int
check(struct ike_chosen *c, const struct ike_proposal *p, const struct transform_list *l,
    size_t spi_len)
{
	struct rd r = rd_open(p->transforms);
	struct ike_transform t;
	unsigned types = 0;
	size_t i;

	memset(c, 0, sizeof *c);
	c->number = p->number;
	if (p->protocol != l->protocol || !spi_read(p, spi_len, &c->spi))
		return ERR_PROTO;
	while (transform_next(&r, &t)) {
		if ((i = find(l, &t)) == LIST_MAX || (types & TYPE_BIT(t.type)) != 0)
			return ERR_PROTO;
		set_transform(c, t.type, t.id, t.key_bits);
		types |= TYPE_BIT(t.type);
	}
	for (i = 0; i < l->n; i++)
		if ((types & TYPE_BIT(l->t[i].type)) == 0)
			return ERR_PROTO;
	return OK;
}

/* The one proposal of a response. */
static bool
only_proposal(const struct ike_sa_payload *sa, struct ike_proposal *p)
{
	struct rd r = rd_open(sa->body);

	return sa->n_proposals == 1 && proposal_next(&r, p) && rd_end(&r);
}

int
proposal_check_ike(struct ike_chosen *c, const struct ike_sa_payload *sa,
    const struct ike_offer *offer)
{
	struct transform_list l;
	struct ike_proposal p;

	if (!only_proposal(sa, &p) || p.number > offer->n_suites)
		return ERR_PROTO;
	list_of_suite(&l, &offer->suites[p.number - 1]);
	return check(c, &p, &l, offer->spi_len);
}

int
proposal_check_esp(struct ike_chosen *c, const struct ike_sa_payload *sa,
    const struct esp_offer *offer)
{
	struct transform_list l;
	struct ike_proposal p;
	size_t i = 0, number = 0;

	if (!only_proposal(sa, &p))
		return ERR_PROTO;
	while (list_of_esp(&l, offer, &i))
		if (++number == p.number)
			return check(c, &p, &l, 4);
	return ERR_PROTO;
}
