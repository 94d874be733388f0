/* SPDX-License-Identifier: ISC */
#include "backend/guard.h"

#include <stdlib.h>

#include "backend/cover.h"
#include "backend/seen.h"
#include "base/hash.h"

#define SA_KEY_OCTETS (1 + 4 + 1 + 16)

struct guard {
	struct hash *grants;        /* number -> struct grant */
	struct hash *sas;           /* direction, SPI, destination -> struct held_sa */
	struct hash *pairs;         /* the present engine's number -> struct pair */
	struct hash *stands;        /* number of a grant -> struct stand */
	struct seen seen;
	uint32_t last_pair;
	uint64_t last_number;
	size_t orphans;
	int64_t next_expiry;
	bool expiry_known;
};

/* Lives as long as one of its halves. Numbers: see struct held_sa. */
struct pair {
	uint32_t number, engine;
	struct held_sa *half[2];    /* in, out */
};

/* The SAs on one grant; gone with the last of them, which may be after the grant. */
struct stand {
	uint32_t grant;
	struct entry *first;
};

struct entry {
	struct held_sa held;        /* first: the public part */
	struct pair *pair;
	struct stand *stand;
	struct entry *next, *prev;  /* on the same grant */
};

static struct bytes
number_key(const uint32_t *number)
{
	return bytes_of(number, sizeof *number);
}

static int
stand_on(struct guard *g, struct entry *e)
{
	struct stand *s = hash_get(g->stands, number_key(&e->held.sa.grant));

	if (s == NULL) {
		if ((s = calloc(1, sizeof *s)) == NULL)
			return ERR_NOMEM;
		s->grant = e->held.sa.grant;
		if (hash_add(g->stands, number_key(&s->grant), s) != OK) {
			free(s);
			return ERR_NOMEM;
		}
	}
	e->stand = s;
	if ((e->next = s->first) != NULL)
		e->next->prev = e;
	s->first = e;
	return OK;
}

static void
stand_off(struct guard *g, struct entry *e)
{
	struct stand *s = e->stand;

	if (s == NULL)
		return;
	if (e->next != NULL)
		e->next->prev = e->prev;
	if (e->prev != NULL)
		e->prev->next = e->next;
	else
		s->first = e->next;
	if (s->first == NULL) {
		(void)hash_del(g->stands, number_key(&s->grant));
		free(s);
	}
}

static void
entry_free(struct guard *g, struct entry *e)
{
	struct pair *p = e->pair;

	stand_off(g, e);
	p->half[e->held.sa.dir == SA_OUT] = NULL;
	if (p->half[0] == NULL && p->half[1] == NULL) {
		if (g->pairs != NULL && hash_get(g->pairs, number_key(&p->engine)) == p)
			(void)hash_del(g->pairs, number_key(&p->engine));
		free(p);
	}
	if (e->held.orphan)
		g->orphans--;
	free(e);
}

struct guard *
guard_new(const uint8_t seed[static 16])
{
	struct guard *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	seen_init(&g->seen, seed);
	g->grants = hash_new(seed);
	g->sas = hash_new(seed);
	g->pairs = hash_new(seed);
	g->stands = hash_new(seed);
	if (g->grants == NULL || g->sas == NULL || g->pairs == NULL || g->stands == NULL) {
		guard_free(g);
		return NULL;
	}
	return g;
}

void
guard_free(struct guard *g)
{
	struct grant *grant;
	struct entry *e;
	size_t pos;

	if (g == NULL)
		return;
	for (pos = 0; g->grants != NULL && (grant = hash_next(g->grants, &pos)) != NULL;) {
		grant_free(grant);
		free(grant);
	}
	for (pos = 0; g->sas != NULL && (e = hash_next(g->sas, &pos)) != NULL;)
		entry_free(g, e);
	hash_free(g->grants);
	hash_free(g->sas);
	hash_free(g->pairs);
	hash_free(g->stands);
	seen_free(&g->seen);
	free(g);
}

/* ---- grants ---- */

/* The first expiry is not known any more when the grant that had it goes. */
static void
expiry_forget(struct guard *g, const struct grant *gone)
{
	if (gone->expires <= g->next_expiry)
		g->expiry_known = false;
}

int
guard_grant_set(struct guard *g, struct grant *take)
{
	struct grant *have = hash_get(g->grants, number_key(&take->number));
	int r;

	if (take->number == 0 || (have != NULL && strcmp(have->node, take->node) != 0))
		return ERR_VALUE;
	if (have == NULL) {
		if (hash_count(g->grants) >= GUARD_GRANTS_MAX)
			return ERR_SPACE;
		if ((have = calloc(1, sizeof *have)) == NULL)
			return ERR_NOMEM;
		if ((r = hash_add(g->grants, number_key(&take->number), have)) != OK) {
			free(have);
			return r;
		}
	} else {
		if (take->expires > have->expires)
			expiry_forget(g, have);
		grant_free(have);
	}
	*have = *take;
	if (have->expires < g->next_expiry)
		g->next_expiry = have->expires;
	take->vnis = NULL;
	take->n_vnis = 0;
	return OK;
}

int
guard_grant_drop(struct guard *g, uint32_t number)
{
	struct grant *have = hash_del(g->grants, number_key(&number));

	if (have == NULL)
		return ERR_NOTFOUND;
	expiry_forget(g, have);
	grant_free(have);
	free(have);
	return OK;
}

const struct grant *
guard_grant(const struct guard *g, uint32_t number)
{
	return hash_get(g->grants, number_key(&number));
}

const struct grant *
guard_grant_next(const struct guard *g, size_t *pos)
{
	return hash_next(g->grants, pos);
}

const struct grant *
guard_grant_expired(const struct guard *g, int64_t now_s)
{
	const struct grant *grant;
	size_t pos = 0;

	while ((grant = hash_next(g->grants, &pos)) != NULL)
		if (grant->expires <= now_s)
			return grant;
	return NULL;
}

int64_t
guard_next_expiry(struct guard *g)
{
	const struct grant *grant;
	size_t pos = 0;

	if (g->expiry_known)
		return g->next_expiry;
	g->next_expiry = INT64_MAX;
	while ((grant = hash_next(g->grants, &pos)) != NULL)
		if (grant->expires < g->next_expiry)
			g->next_expiry = grant->expires;
	g->expiry_known = true;
	return g->next_expiry;
}

/* ---- SAs ---- */

static struct bytes
sa_key(uint8_t buf[static SA_KEY_OCTETS], uint8_t dir, uint32_t spi, const struct addr *dst)
{
	struct wr w = wr_fixed(buf, SA_KEY_OCTETS);

	wr_u8(&w, dir);
	wr_u32(&w, spi);
	wr_addr(&w, dst);
	return wr_view(&w);
}

static struct entry *
find(const struct guard *g, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	uint8_t buf[SA_KEY_OCTETS];

	return hash_get(g->sas, sa_key(buf, dir, spi, dst));
}

const struct held_sa *
guard_sa(const struct guard *g, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	const struct entry *e = find(g, dir, spi, dst);

	return e == NULL ? NULL : &e->held;
}

int
guard_sa_judge(const struct guard *g, const struct sa_params *sa, int64_t now_s, const char **why)
{
	const struct grant *grant = guard_grant(g, sa->grant);
	size_t encr = 0, integ = 0;
	int r;

	*why = "";
	if ((r = cover_sane(sa, why)) != OK)
		return r;
	if (esp_transform_lengths(&sa->transform, &encr, &integ) != OK ||
	    sa->key_len != encr + integ) {
		*why = "key length is not the transform's";
		return ERR_VALUE;
	}
	if (grant == NULL || grant->expires <= now_s) {
		*why = grant == NULL ? "no such grant" : "the grant has expired";
		return ERR_DENIED;
	}
	if ((r = cover_check(grant, sa, why)) != OK)
		return r;
	if (seen_has(&g->seen, bytes_of(sa->key, sa->key_len))) {
		*why = "this key was installed before";
		return ERR_REPLAY;
	}
	if (find(g, sa->dir, sa->spi, &sa->dst) != NULL) {
		*why = "the SPI is in use";
		return ERR_EXISTS;
	}
	if (hash_count(g->sas) >= GUARD_SAS_MAX) {
		*why = "too many SAs";
		return ERR_SPACE;
	}
	return OK;
}

/* The pair whose other half is installed already, else a fresh one. */
static struct pair *
pair_get(struct guard *g, const struct sa_params *sa)
{
	struct pair *p = hash_get(g->pairs, number_key(&sa->pair));

	if (p != NULL)
		return p->half[sa->dir == SA_OUT] == NULL ? p : NULL;
	if ((p = calloc(1, sizeof *p)) == NULL)
		return NULL;
	p->engine = sa->pair;
	p->number = ++g->last_pair;
	if (hash_add(g->pairs, number_key(&p->engine), p) != OK) {
		free(p);
		return NULL;
	}
	return p;
}

static bool
half_taken(const struct guard *g, const struct sa_params *sa)
{
	const struct pair *p = hash_get(g->pairs, number_key(&sa->pair));

	return p != NULL && p->half[sa->dir == SA_OUT] != NULL;
}

int
guard_sa_reserve(struct guard *g, const struct sa_params *sa, uint32_t *pair)
{
	struct entry *e;
	uint8_t buf[SA_KEY_OCTETS];
	int r;

	if (half_taken(g, sa))
		return ERR_EXISTS;
	if ((r = seen_reserve(&g->seen)) != OK)
		return r;
	if ((e = calloc(1, sizeof *e)) == NULL)
		return ERR_NOMEM;
	if ((e->pair = pair_get(g, sa)) == NULL) {
		free(e);
		return ERR_NOMEM;
	}
	e->held.sa = *sa;
	sa_wipe(&e->held.sa);
	e->held.engine_pair = sa->pair;
	e->held.number = ++g->last_number;
	*pair = e->held.sa.pair = e->pair->number;
	e->pair->half[sa->dir == SA_OUT] = &e->held;
	if ((r = stand_on(g, e)) != OK ||
	    (r = hash_add(g->sas, sa_key(buf, sa->dir, sa->spi, &sa->dst), e)) != OK)
		entry_free(g, e);
	return r;
}

void
guard_sa_keep(struct guard *g, const struct sa_params *sa)
{
	seen_add(&g->seen, bytes_of(sa->key, sa->key_len));
}

uint64_t
guard_sa_pending(struct guard *g, const struct sa_params *sa)
{
	struct entry *e = find(g, sa->dir, sa->spi, &sa->dst);

	if (e == NULL)
		return 0;
	e->held.pending = true;
	return e->held.number;
}

const struct held_sa *
guard_sa_installed(struct guard *g, uint64_t number, uint8_t dir, uint32_t spi,
    const struct addr *dst)
{
	struct entry *e = find(g, dir, spi, dst);

	if (e == NULL || e->held.number != number)
		return NULL;
	e->held.pending = false;
	return &e->held;
}

void
guard_sa_forget(struct guard *g, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	uint8_t buf[SA_KEY_OCTETS];
	struct entry *e = hash_del(g->sas, sa_key(buf, dir, spi, dst));

	if (e != NULL)
		entry_free(g, e);
}

const struct held_sa *
guard_uncovered(const struct guard *g, uint32_t grant)
{
	const struct grant *have = guard_grant(g, grant);
	const struct stand *s = hash_get(g->stands, number_key(&grant));
	const struct entry *e;
	const char *why;

	for (e = s == NULL ? NULL : s->first; e != NULL; e = e->next)
		if (have == NULL || cover_check(have, &e->held.sa, &why) != OK)
			return &e->held;
	return NULL;
}

/* ---- moves ---- */

static bool
listed(const struct addr *list, uint8_t n, const struct addr *a)
{
	uint8_t i;

	for (i = 0; i < n; i++)
		if (addr_equal(&list[i], a))
			return true;
	return false;
}

int
guard_move_judge(const struct guard *g, uint32_t engine_pair, const struct endpoint *local,
    const struct endpoint *peer, uint32_t *pair)
{
	const struct pair *p = hash_get(g->pairs, number_key(&engine_pair));
	const struct held_sa *h;
	const struct grant *grant;

	if (p == NULL)
		return ERR_NOTFOUND;
	h = p->half[0] != NULL ? p->half[0] : p->half[1];
	if ((grant = guard_grant(g, h->sa.grant)) == NULL)
		return ERR_DENIED;
	if (!listed(grant->local, grant->n_local, &local->addr) ||
	    !listed(grant->peer, grant->n_peer, &peer->addr) ||
	    (local->port == 0) != (peer->port == 0) || local->addr.family != peer->addr.family)
		return ERR_DENIED;
	*pair = p->number;
	return OK;
}

static int
move_half(struct guard *g, struct held_sa *h, const struct endpoint *src, const struct endpoint *dst)
{
	struct entry *e = (struct entry *)h;
	uint8_t buf[SA_KEY_OCTETS];
	int r;

	(void)hash_del(g->sas, sa_key(buf, h->sa.dir, h->sa.spi, &h->sa.dst));
	h->sa.src = src->addr;
	h->sa.dst = dst->addr;
	h->sa.encap_sport = src->port;
	h->sa.encap_dport = dst->port;
	if ((r = hash_add(g->sas, sa_key(buf, h->sa.dir, h->sa.spi, &h->sa.dst), e)) != OK)
		entry_free(g, e);
	return r;
}

int
guard_moved(struct guard *g, uint32_t engine_pair, const struct endpoint *local,
    const struct endpoint *peer)
{
	struct pair *p = hash_get(g->pairs, number_key(&engine_pair));
	struct held_sa *in, *out;
	int r = OK;

	if (p == NULL)
		return ERR_NOTFOUND;
	in = p->half[0];
	out = p->half[1];
	if (in != NULL)
		r = move_half(g, in, peer, local);
	if (out != NULL && r == OK)
		r = move_half(g, out, local, peer);
	return r;
}

/* ---- an engine that is gone ---- */

void
guard_orphan_all(struct guard *g)
{
	struct entry *e;
	struct pair *p;
	size_t pos = 0;

	while ((p = hash_next(g->pairs, &pos)) != NULL)
		(void)hash_del(g->pairs, number_key(&p->engine));
	for (pos = 0; (e = hash_next(g->sas, &pos)) != NULL;) {
		e->held.orphan = true;
		e->held.engine_pair = 0;
	}
	g->orphans = hash_count(g->sas);
}

bool
guard_has_orphans(const struct guard *g)
{
	return g->orphans != 0;
}

static bool
same_traffic(const struct guard *g, const struct sa_params *a, const struct sa_params *b)
{
	const struct grant *ga = guard_grant(g, a->grant), *gb = guard_grant(g, b->grant);

	return ga != NULL && gb != NULL && strcmp(ga->node, gb->node) == 0 &&
	    strcmp(a->channel, b->channel) == 0 && a->vni == b->vni;
}

static bool
both_there(const struct pair *p)
{
	return p != NULL && p->half[0] != NULL && p->half[1] != NULL && !p->half[0]->pending &&
	    !p->half[1]->pending;
}

const struct held_sa *
guard_orphan(const struct guard *g, const struct sa_params *sa)
{
	const struct entry *e;
	size_t pos = 0;

	if (g->orphans == 0 ||
	    (sa != NULL && !both_there(hash_get(g->pairs, number_key(&sa->pair)))))
		return NULL;
	while ((e = hash_next(g->sas, &pos)) != NULL)
		if (e->held.orphan && (sa == NULL || same_traffic(g, sa, &e->held.sa)))
			return &e->held;
	return NULL;
}
