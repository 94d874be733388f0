/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/vn.h"

#include <stdlib.h>

#define PROTO_UDP 17
#define ELEM_KEY_MAX 32

/* Whose elements: a node's, or those that a former process left for a reqid. */
struct vn_node {
	char name[ID_MAX];
	bool former;                     /* then the reqid counts, else the name */
	uint32_t reqid;
	uint32_t round;
	struct vn_entry *first;
};

int
vn_init(struct vn *v, const uint8_t seed[static 16])
{
	memset(v, 0, sizeof *v);
	v->dirty_last = &v->dirty;
	v->later_last = &v->later;
	v->elems = hash_new(seed);
	v->grants = hash_new(seed);
	v->nodes = hash_new(seed);
	v->former = hash_new(seed);
	if (v->elems != NULL && v->grants != NULL && v->nodes != NULL && v->former != NULL)
		return OK;
	vn_free(v);
	return ERR_NOMEM;
}

void
vn_free(struct vn *v)
{
	struct grant *g;
	void *p;
	size_t pos;

	for (pos = 0; v->grants != NULL && (g = hash_next(v->grants, &pos)) != NULL;) {
		grant_free(g);
		free(g);
	}
	for (pos = 0; v->elems != NULL && (p = hash_next(v->elems, &pos)) != NULL;)
		free(p);
	for (pos = 0; v->nodes != NULL && (p = hash_next(v->nodes, &pos)) != NULL;)
		free(p);
	for (pos = 0; v->former != NULL && (p = hash_next(v->former, &pos)) != NULL;)
		free(p);
	hash_free(v->grants);
	hash_free(v->elems);
	hash_free(v->nodes);
	hash_free(v->former);
	memset(v, 0, sizeof *v);
}

/* ---- entries ---- */

static struct bytes
elem_key(uint8_t buf[static ELEM_KEY_MAX], const struct nft_elem *e)
{
	struct wr w = wr_fixed(buf, ELEM_KEY_MAX);

	wr_u8(&w, e->set);
	switch (e->set) {
	case NFT_SET_VXLAN:
		wr_u16(&w, e->port);
		break;
	case NFT_SET_VNI4:
	case NFT_SET_VNI6:
		wr_u32(&w, e->reqid);
		wr_addr(&w, &e->addr);
		wr_u32(&w, e->vni);
		break;
	default:
		wr_addr(&w, &e->addr);
		wr_u8(&w, e->proto);
		wr_u16(&w, e->port);
		break;
	}
	return wr_view(&w);
}

bool
vn_stays(const struct vn_entry *e)
{
	return e->want || (e->have && e->inherited);
}

/* ---- whose they are ---- */

static struct bytes
number_key(const uint32_t *number)
{
	return bytes_of(number, sizeof *number);
}

static void
node_free_if_empty(struct vn *v, struct vn_node *n)
{
	if (n->first != NULL)
		return;
	if (n->former)
		(void)hash_del(v->former, number_key(&n->reqid));
	else
		(void)hash_del(v->nodes, bytes_str(n->name));
	free(n);
}

static void
node_link(struct vn_node *n, struct vn_entry *e)
{
	e->node = n;
	e->round = n->round;
	if ((e->next_of_node = n->first) != NULL)
		e->next_of_node->at_of_node = &e->next_of_node;
	e->at_of_node = &n->first;
	n->first = e;
}

static void
node_unlink(struct vn_entry *e)
{
	if ((*e->at_of_node = e->next_of_node) != NULL)
		e->next_of_node->at_of_node = e->at_of_node;
	e->next_of_node = NULL;
	e->at_of_node = NULL;
	e->node = NULL;
}

/* No former process's any more. */
static void
end_inherited(struct vn *v, struct vn_entry *e)
{
	struct vn_node *n = e->node;

	if (!e->inherited)
		return;
	e->inherited = false;
	if (n != NULL) {
		node_unlink(e);
		node_free_if_empty(v, n);
	}
}

static struct vn_node *
node_new(struct hash *h, struct bytes key)
{
	struct vn_node *n = calloc(1, sizeof *n);

	if (n != NULL && hash_add(h, key, n) != OK) {
		free(n);
		return NULL;
	}
	return n;
}

static struct vn_node *
node_get(struct vn *v, const char *name)
{
	struct bytes key = bytes_of(name, strnlen(name, ID_MAX - 1));
	struct vn_node *n = hash_get(v->nodes, key);

	if (n == NULL && (n = node_new(v->nodes, key)) != NULL)
		memcpy(n->name, key.p, key.n);
	return n;
}

static struct vn_node *
former_get(struct vn *v, uint32_t reqid)
{
	struct vn_node *n = hash_get(v->former, number_key(&reqid));

	if (n == NULL && (n = node_new(v->former, number_key(&reqid))) != NULL) {
		n->former = true;
		n->reqid = reqid;
	}
	return n;
}

/* ---- what is to be done ---- */

static void
again_from_start(struct vn *v)
{
	if (v->later == NULL)
		return;
	*v->dirty_last = v->later;
	v->dirty_last = v->later_last;
	v->later = NULL;
	v->later_last = &v->later;
}

static void
append(struct vn_entry ***last, struct vn_entry *e)
{
	e->next = NULL;
	**last = e;
	*last = &e->next;
}

void
vn_touch(struct vn *v, struct vn_entry *e)
{
	if (e->listed) {
		again_from_start(v);
		return;
	}
	e->listed = true;
	append(&v->dirty_last, e);
}

struct vn_entry *
vn_dirty(struct vn *v, bool add)
{
	struct vn_entry *e;

	if (v->later_add != add)
		again_from_start(v);
	v->later_add = add;
	while ((e = v->dirty) != NULL) {
		bool missing = e->want && !e->have, surplus = e->have && !vn_stays(e);

		if ((v->dirty = e->next) == NULL)
			v->dirty_last = &v->dirty;
		if ((missing && !add) || (surplus && add)) {
			append(&v->later_last, e);
			continue;
		}
		e->listed = false;
		if (missing || surplus)
			return e;
		vn_release(v, e);
	}
	again_from_start(v);
	return NULL;
}

void
vn_release(struct vn *v, struct vn_entry *e)
{
	uint8_t buf[ELEM_KEY_MAX];

	if (e->want || e->have || e->listed)
		return;
	end_inherited(v, e);
	(void)hash_del(v->elems, elem_key(buf, &e->e));
	free(e);
}

struct vn_entry *
vn_next(const struct vn *v, size_t *pos)
{
	return hash_next(v->elems, pos);
}

static struct vn_entry *
entry_get(struct vn *v, const struct nft_elem *like)
{
	uint8_t buf[ELEM_KEY_MAX];
	struct vn_entry *e = hash_get(v->elems, elem_key(buf, like));

	if (e != NULL)
		return e;
	if ((e = calloc(1, sizeof *e)) == NULL)
		return NULL;
	e->e = *like;
	if (hash_add(v->elems, elem_key(buf, like), e) != OK) {
		free(e);
		return NULL;
	}
	return e;
}

static struct vn_entry *
want(struct vn *v, const struct nft_elem *like)
{
	struct vn_entry *e = entry_get(v, like);

	if (e == NULL)
		return NULL;
	end_inherited(v, e);
	e->want = true;
	if (!e->have)
		vn_touch(v, e);
	return e;
}

int
vn_inherit(struct vn *v, const struct nft_elem *like)
{
	struct vn_entry *e = entry_get(v, like);
	struct vn_node *n;

	if (e == NULL)
		return ERR_NOMEM;
	if (!e->want && !e->inherited && (like->set == NFT_SET_VNI4 || like->set == NFT_SET_VNI6)) {
		if ((n = former_get(v, like->reqid)) == NULL) {
			vn_release(v, e);
			return ERR_NOMEM;
		}
		node_link(n, e);
	}
	e->have = true;
	e->inherited = !e->want;
	return OK;
}

void
vn_disinherit(struct vn *v)
{
	struct vn_entry *e;
	size_t pos = 0;

	while ((e = hash_next(v->elems, &pos)) != NULL)
		if (e->inherited && e->e.set != NFT_SET_VXLAN) {
			end_inherited(v, e);
			vn_touch(v, e);
		}
}

void
vn_revoke(struct vn *v)
{
	struct vn_entry *e;
	size_t pos = 0;

	while ((e = hash_next(v->elems, &pos)) != NULL)
		if (e->want && (e->e.set == NFT_SET_VNI4 || e->e.set == NFT_SET_VNI6)) {
			node_unlink(e);
			e->want = false;
			vn_touch(v, e);
		}
}

static void
former_end(struct vn *v, uint32_t reqid)
{
	struct vn_node *n = hash_get(v->former, number_key(&reqid));
	struct vn_entry *e, *next;

	/* With the last entry n is gone, too. */
	for (e = n == NULL ? NULL : n->first; e != NULL; e = next) {
		next = e->next_of_node;
		end_inherited(v, e);
		vn_touch(v, e);
	}
}

int
vn_port(struct vn *v, uint16_t port)
{
	struct nft_elem e = { .set = NFT_SET_VXLAN, .port = port };

	return want(v, &e) == NULL ? ERR_NOMEM : OK;
}

/* ---- what a node may send ---- */

static int
node_wants(struct vn *v, struct vn_node *n, const struct nft_elem *like)
{
	struct vn_entry *e = want(v, like);

	if (e == NULL)
		return ERR_NOMEM;
	if (e->node == NULL)
		node_link(n, e);
	if (e->node == n)
		e->round = n->round;
	return OK;
}

static bool
has_channel(const struct grant *g, const char *id)
{
	uint8_t i;

	for (i = 0; i < g->n_channels; i++)
		if (strcmp(g->channels[i].id, id) == 0)
			return true;
	return false;
}

static int
wants_of_grant(struct vn *v, struct vn_node *n, const struct target *t, const struct grant *g)
{
	uint32_t k;
	uint8_t i;
	int r;

	for (i = 0; i < g->n_peer; i++)
		for (k = 0; k < g->n_vnis; k++) {
			struct nft_elem e = {
				.set = g->peer[i].family == ADDR_V4 ? NFT_SET_VNI4 : NFT_SET_VNI6,
				.reqid = t->reqid, .addr = g->peer[i], .vni = g->vnis[k],
			};

			if ((r = node_wants(v, n, &e)) != OK)
				return r;
		}
	return OK;
}

static int
wants_of_data(struct vn *v, struct vn_node *n, const struct target *t)
{
	const struct grant *g;
	size_t pos = 0;
	int r;

	while ((g = hash_next(v->grants, &pos)) != NULL)
		if (strcmp(g->node, n->name) == 0 && has_channel(g, t->channel.id) &&
		    (r = wants_of_grant(v, n, t, g)) != OK)
			return r;
	return OK;
}

static int
wants_of_control(struct vn *v, struct vn_node *n, const struct target *t)
{
	uint8_t i;
	int r;

	for (i = 0; i < t->n_pairs; i++) {
		const struct addr *peer = &t->pairs[i].sel_peer;
		struct nft_elem e = {
			.set = peer->family == ADDR_V4 ? NFT_SET_CONTROL4 : NFT_SET_CONTROL6,
			.addr = *peer, .proto = t->channel.proto, .port = t->channel.port,
		};

		if ((r = node_wants(v, n, &e)) != OK)
			return r;
	}
	return OK;
}

/* Do its frames carry VNIs? Without a port of its own a channel has those of all protected ports. */
static bool
has_vnis(const struct channel *c)
{
	return c->level == LEVEL_DATA && (c->proto == 0 || c->proto == PROTO_UDP);
}

/* Without a port there is nothing that tells a channel from the rest: policies alone do. */
static bool
has_ends(const struct channel *c)
{
	return c->proto != 0 && c->port != 0 && !has_vnis(c);
}

static int
wants_of_target(struct vn *v, struct vn_node *n, const struct target *t)
{
	const struct channel *c = &t->channel;
	int r;

	if (has_ends(c))
		return wants_of_control(v, n, t);
	if (!has_vnis(c))
		return OK;
	if (c->proto != 0 && c->port != 0 && (r = vn_port(v, c->port)) != OK)
		return r;
	return t->blocked ? OK : wants_of_data(v, n, t);
}

/* Another node's target that needs the end of a control channel, too. */
static const struct target *
shared_with(const struct spd *s, const struct vn_node *n, const struct nft_elem *e)
{
	const struct target *t;
	size_t pos = 0;
	uint8_t i;

	if (e->set != NFT_SET_CONTROL4 && e->set != NFT_SET_CONTROL6)
		return NULL;
	while ((t = spd_next(s, &pos)) != NULL) {
		if (strcmp(t->node, n->name) == 0 || !has_ends(&t->channel) ||
		    t->channel.proto != e->proto || t->channel.port != e->port)
			continue;
		for (i = 0; i < t->n_pairs; i++)
			if (addr_equal(&t->pairs[i].sel_peer, &e->addr))
				return t;
	}
	return NULL;
}

static void
drop_others(struct vn *v, const struct spd *s, struct vn_node *n)
{
	const struct target *other;
	struct vn_entry *e, *next;
	struct vn_node *heir;

	for (e = n->first; e != NULL; e = next) {
		next = e->next_of_node;
		if (e->round == n->round)
			continue;
		node_unlink(e);
		if ((other = shared_with(s, n, &e->e)) == NULL) {
			e->want = false;
			vn_touch(v, e);
		} else if ((heir = node_get(v, other->node)) != NULL) {
			node_link(heir, e);
		}
	}
}

static bool
has_grant(const struct vn *v, const char *node)
{
	const struct grant *g;
	size_t pos = 0;

	while ((g = hash_next(v->grants, &pos)) != NULL)
		if (strcmp(g->node, node) == 0)
			return true;
	return false;
}

int
vn_node_again(struct vn *v, const struct spd *s, const char *name)
{
	struct vn_node *n = node_get(v, name);
	const struct target *t;
	bool granted = has_grant(v, name);
	size_t pos = 0;
	int r = OK, one;

	if (n == NULL)
		return ERR_NOMEM;
	n->round++;
	while ((t = spd_next(s, &pos)) != NULL) {
		if (strcmp(t->node, name) != 0)
			continue;
		if ((one = wants_of_target(v, n, t)) != OK)
			r = one;
		if (granted || t->blocked)
			former_end(v, t->reqid);
	}
	/* What could not be counted for want of memory goes: rather too little than too much. */
	drop_others(v, s, n);
	node_free_if_empty(v, n);
	return r;
}

/* ---- grants ---- */

const struct grant *
vn_grant(const struct vn *v, uint32_t number)
{
	return hash_get(v->grants, number_key(&number));
}

int
vn_grant_set(struct vn *v, const struct spd *s, const struct grant *from)
{
	struct grant *have = hash_get(v->grants, number_key(&from->number)), copy;
	int r;

	if (have != NULL && strcmp(have->node, from->node) != 0)
		return ERR_VALUE;
	if ((r = grant_copy(&copy, from)) != OK)
		return r;
	if (have == NULL) {
		if ((have = calloc(1, sizeof *have)) == NULL)
			r = ERR_NOMEM;
		else if ((r = hash_add(v->grants, number_key(&from->number), have)) != OK)
			free(have);
		if (r != OK) {
			grant_free(&copy);
			return r;
		}
	}
	grant_free(have);
	*have = copy;
	return vn_node_again(v, s, have->node);
}

int
vn_grant_drop(struct vn *v, const struct spd *s, uint32_t number)
{
	struct grant *g = hash_del(v->grants, number_key(&number));
	int r;

	if (g == NULL)
		return ERR_NOTFOUND;
	r = vn_node_again(v, s, g->node);
	grant_free(g);
	free(g);
	return r;
}
