/* SPDX-License-Identifier: ISC */
#include "pcap-backend/spd.h"

#include <stdlib.h>

int
spd_init(struct spd *s, const uint8_t seed[static 16])
{
	memset(s, 0, sizeof *s);
	s->version = 1;
	s->grants = hash_new(seed);
	s->peers = hash_new(seed);
	if (s->grants != NULL && s->peers != NULL)
		return OK;
	spd_free(s);
	return ERR_NOMEM;
}

void
spd_free(struct spd *s)
{
	struct grant *g;
	struct peer *p;
	size_t pos;

	for (pos = 0; s->grants != NULL && (g = hash_next(s->grants, &pos)) != NULL;) {
		grant_free(g);
		free(g);
	}
	for (pos = 0; s->peers != NULL && (p = hash_next(s->peers, &pos)) != NULL;) {
		policy_free(&p->policy);
		free(p);
	}
	hash_free(s->grants);
	hash_free(s->peers);
	memset(s, 0, sizeof *s);
}

/* ---- grants ---- */

static struct bytes
number_key(const uint32_t *number)
{
	return bytes_of(number, sizeof *number);
}

int
spd_grant_set(struct spd *s, const struct grant *from)
{
	struct grant *have = hash_get(s->grants, number_key(&from->number)), copy;
	int r;

	if ((r = grant_copy(&copy, from)) != OK)
		return r;
	if (have == NULL) {
		if ((have = calloc(1, sizeof *have)) == NULL)
			r = ERR_NOMEM;
		else if ((r = hash_add(s->grants, number_key(&from->number), have)) != OK)
			free(have);
		if (r != OK) {
			grant_free(&copy);
			return r;
		}
	}
	grant_free(have);
	*have = copy;
	s->version++;
	return OK;
}

int
spd_grant_drop(struct spd *s, uint32_t number)
{
	struct grant *g = hash_del(s->grants, number_key(&number));

	if (g == NULL)
		return ERR_NOTFOUND;
	grant_free(g);
	free(g);
	return OK;
}

const struct grant *
spd_grant(const struct spd *s, uint32_t number)
{
	return hash_get(s->grants, number_key(&number));
}

/* ---- peers ---- */

#define PEER_KEY_MAX (2 * ID_MAX)

static struct bytes
peer_key(uint8_t buf[static PEER_KEY_MAX], const char *node, const char *channel)
{
	struct wr w = wr_fixed(buf, PEER_KEY_MAX);

	wr_put(&w, bytes_of(node, strnlen(node, ID_MAX - 1)));
	wr_u8(&w, 0);
	wr_put(&w, bytes_of(channel, strnlen(channel, ID_MAX - 1)));
	return wr_view(&w);
}

static struct peer *
peer_find(const struct spd *s, const char *node, const char *channel)
{
	uint8_t buf[PEER_KEY_MAX];

	return hash_get(s->peers, peer_key(buf, node, channel));
}

static struct peer *
peer_get(struct spd *s, const char *node, const char *channel)
{
	struct peer *p = peer_find(s, node, channel);
	uint8_t buf[PEER_KEY_MAX];

	if (p != NULL)
		return p;
	if ((p = calloc(1, sizeof *p)) == NULL)
		return NULL;
	memcpy(p->node, node, strnlen(node, ID_MAX - 1));
	memcpy(p->channel, channel, strnlen(channel, ID_MAX - 1));
	if (hash_add(s->peers, peer_key(buf, p->node, p->channel), p) != OK) {
		free(p);
		return NULL;
	}
	return p;
}

/* Out of the table, if nothing keeps it there. */
static struct peer *
release(struct spd *s, struct peer *p)
{
	uint8_t buf[PEER_KEY_MAX];

	if (p->has_policy || p->n_sas != 0)
		return NULL;
	(void)hash_del(s->peers, peer_key(buf, p->node, p->channel));
	s->version++;
	return p;
}

void
spd_peer_free(struct spd *s, struct peer *p)
{
	(void)s;
	if (p == NULL)
		return;
	policy_free(&p->policy);
	free(p);
}

struct peer *
spd_peer_next(const struct spd *s, size_t *pos)
{
	return hash_next(s->peers, pos);
}

int
spd_policy_add(struct spd *s, const struct policy *from)
{
	struct policy copy;
	struct peer *p;

	if (from->action == POLICY_BYPASS)
		return ERR_UNSUPPORTED;
	if (policy_copy(&copy, from) != OK)
		return ERR_NOMEM;
	if ((p = peer_get(s, from->node, from->channel.id)) == NULL) {
		policy_free(&copy);
		return ERR_NOMEM;
	}
	policy_free(&p->policy);
	p->policy = copy;
	p->has_policy = true;
	s->version++;
	return OK;
}

int
spd_policy_del(struct spd *s, const struct policy *like, struct peer **gone)
{
	struct peer *p = peer_find(s, like->node, like->channel.id);

	*gone = NULL;
	if (p == NULL || !p->has_policy)
		return ERR_NOTFOUND;
	policy_free(&p->policy);
	memset(&p->policy, 0, sizeof p->policy);
	p->has_policy = false;
	s->version++;
	*gone = release(s, p);
	return OK;
}

static int
vni_cmp(const void *key, const void *member)
{
	uint32_t a = *(const uint32_t *)key, b = *(const uint32_t *)member;

	return a < b ? -1 : a > b;
}

bool
spd_peer_has_vni(const struct peer *p, uint32_t vni)
{
	const struct policy *pol = &p->policy;

	/* Control channels and channels of other protocols carry no frames. */
	if (!p->has_policy || pol->channel.level != LEVEL_DATA ||
	    (pol->channel.proto != 0 && pol->channel.proto != IP_PROTO_UDP) ||
	    addr_len(&pol->peer) == 0)
		return false;
	return pol->n_vnis != 0 &&
	    bsearch(&vni, pol->vnis, pol->n_vnis, sizeof vni, vni_cmp) != NULL;
}

/* ---- SAs ---- */

int
spd_bind(struct spd *s, struct esp_sa *sa)
{
	const struct grant *g = spd_grant(s, sa->p.grant);
	struct peer *p;

	if (g == NULL)
		return ERR_DENIED;
	if ((p = peer_get(s, g->node, sa->p.channel)) == NULL)
		return ERR_NOMEM;
	sa->grant = g;
	sa->peer = p;
	p->n_sas++;
	if (sa->p.dir == SA_OUT) {
		sa->next_of_peer = p->out;
		p->out = sa;
	}
	return OK;
}

void
spd_unbind(struct spd *s, struct esp_sa *sa, struct peer **gone)
{
	struct peer *p = sa->peer;
	struct esp_sa **at;

	*gone = NULL;
	if (p == NULL)
		return;
	for (at = &p->out; *at != NULL; at = &(*at)->next_of_peer)
		if (*at == sa) {
			*at = sa->next_of_peer;
			break;
		}
	sa->peer = NULL;
	sa->grant = NULL;
	p->n_sas--;
	*gone = release(s, p);
}

struct esp_sa *
spd_out(const struct peer *p, uint32_t vni)
{
	struct esp_sa *sa, *any = NULL;

	for (sa = p->out; sa != NULL; sa = sa->next_of_peer) {
		if (sa->dead || sa->p.inactive)
			continue;
		if (sa->p.vni == vni)
			return sa;
		if (sa->p.vni == 0 && any == NULL)
			any = sa;
	}
	return any;
}

bool
spd_sa_granted(const struct spd *s, struct esp_sa *sa, uint32_t vni)
{
	if (sa->granted.version == s->version && sa->granted.vni == vni)
		return true;
	if (!grant_has_vni(sa->grant, vni))
		return false;
	sa->granted.version = s->version;
	sa->granted.vni = vni;
	return true;
}

bool
spd_sa_shares(const struct spd *s, struct esp_sa *sa, uint32_t vni)
{
	if (sa->shared.version == s->version && sa->shared.vni == vni)
		return true;
	if (!spd_peer_has_vni(sa->peer, vni))
		return false;
	sa->shared.version = s->version;
	sa->shared.vni = vni;
	return true;
}
