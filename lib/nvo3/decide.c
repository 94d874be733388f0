/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "nvo3/relation.h"
#include "nvo3/value.h"

static const char *const reasons[] = {
	[NVO3_ADMITTED] = "admitted",
	[NVO3_NO_TABLE] = "there is no authorization document yet",
	[NVO3_TABLE_EXPIRED] = "the authorization document has expired",
	[NVO3_UNKNOWN_IDENTITY] = "no node of the document has this identity",
	[NVO3_AMBIGUOUS_IDENTITY] = "the certificate's identities belong to more than one node",
	[NVO3_WRONG_ADDRESS] = "it speaks from an address that is not one of the node's",
	[NVO3_SELF_UNKNOWN] = "our own node id is not in the document",
	[NVO3_IS_SELF] = "the identity is our own",
	[NVO3_NO_CHANNEL] = "the document has no channel between the two roles",
	[NVO3_ROLE_MAY_NOT] = "the channel is not one between these roles",
	[NVO3_UNKNOWN_CHANNEL] = "the document has no such channel",
	[NVO3_UNKNOWN_VN] = "the document has no such VN",
	[NVO3_NOT_IN_VN] = "one of the two nodes is not in this VN",
	[NVO3_NO_COMMON_VN] = "the two nodes share no VN",
	[NVO3_CERT_EXPIRED] = "the certificate has expired",
	[NVO3_NOT_ATTACHED] = "the hypervisor is not attached to this NVE",
	[NVO3_NO_MEMORY] = "out of memory",
};

const char *
nvo3_reason_text(enum nvo3_reason r)
{
	if ((size_t)r >= sizeof reasons / sizeof reasons[0])
		return "?";
	return reasons[r];
}

/* What a label asks for. RFC 9478 leaves its form to us: "ch:ID" or "ch:ID;vni:N". */
struct asked {
	char channel[ID_MAX];            /* "": anything */
	uint32_t vni;                    /* 0: none in particular */
};

static bool
read_label(const char *label, struct asked *a)
{
	const char *vni;
	uint64_t n;
	size_t len;

	memset(a, 0, sizeof *a);
	if (label == NULL || *label == '\0')
		return true;
	if (strncmp(label, "ch:", 3) != 0)
		return false;
	label += 3;
	len = strcspn(label, ";");
	if (len == 0 || len >= sizeof a->channel)
		return false;
	memcpy(a->channel, label, len);
	vni = label + len;
	if (*vni == '\0')
		return true;
	if (strncmp(vni, ";vni:", 5) != 0 || !value_number(vni + 5, 1, VNI_MAX, &n))
		return false;
	a->vni = (uint32_t)n;
	return true;
}

struct pair {
	const struct nvo3_table *t;
	const struct nvo3_node *self, *peer;
	struct asked asked;
	const struct nvo3_channel *named;       /* the one of the label; NULL without */
	int line;
};

static bool
has_address(const struct nvo3_node *node, const struct addr *a)
{
	size_t i;

	if (addr_len(a) == 0)
		return false;
	for (i = 0; i < node->n_underlay; i++)
		if (addr_equal(&node->underlay[i], a) || addr_equal(&node->outside[i], a))
			return true;
	return false;
}

/* Who: the two nodes. */
static enum nvo3_reason
decide_nodes(const struct nvo3_question *q, struct pair *p)
{
	size_t n;

	if (q->self == NULL || (p->self = nvo3_node_by_id(p->t, q->self)) == NULL)
		return NVO3_SELF_UNKNOWN;
	p->peer = nvo3_node_by_identity(p->t, q->identities, q->n_identities, &n);
	if (p->peer == NULL)
		return n == 0 ? NVO3_UNKNOWN_IDENTITY : NVO3_AMBIGUOUS_IDENTITY;
	p->line = p->peer->line;
	if (p->peer == p->self)
		return NVO3_IS_SELF;
	if (!has_address(p->peer, &q->peer))
		return NVO3_WRONG_ADDRESS;
	return NVO3_ADMITTED;
}

/* What: channels between the roles, and the one asked for. */
static enum nvo3_reason
decide_channel(struct pair *p)
{
	const struct nvo3_channel *c;
	size_t i, between = 0;

	for (i = 0; i < p->t->n_channels; i++) {
		c = &p->t->channels[i];
		between += relation_roles(c, p->self->role, p->peer->role);
		if (strcmp(c->ch.id, p->asked.channel) == 0)
			p->named = c;
	}
	if (p->asked.channel[0] != '\0' && p->named == NULL)
		return NVO3_UNKNOWN_CHANNEL;
	if (p->named != NULL && !relation_roles(p->named, p->self->role, p->peer->role)) {
		p->line = p->named->line;
		return NVO3_ROLE_MAY_NOT;
	}
	if (between == 0)
		return NVO3_NO_CHANNEL;
	return relation_attached(p->self, p->peer) ? NVO3_ADMITTED : NVO3_NOT_ATTACHED;
}

static void
grant_addresses(struct grant *g, const struct pair *p)
{
	size_t i;

	for (i = 0; i < p->self->n_underlay; i++)
		g->local[g->n_local++] = p->self->underlay[i];
	for (i = 0; i < p->peer->n_underlay; i++) {
		g->peer[g->n_peer++] = p->peer->underlay[i];
		if (addr_len(&p->peer->outside[i]) != 0)
			g->peer[g->n_peer++] = p->peer->outside[i];
	}
}

/* About which VN, when the label names one: that VN and that channel are the whole grant. */
static enum nvo3_reason
grant_one_vn(struct grant *g, struct pair *p)
{
	const struct nvo3_vn *vn = relation_vn(p->t, p->asked.vni);
	size_t i;

	if (p->named->ch.level != LEVEL_DATA) {
		p->line = p->named->line;
		return NVO3_UNKNOWN_CHANNEL;
	}
	if (vn == NULL)
		return NVO3_UNKNOWN_VN;
	if (!relation_in_vn(p->self, vn->vni) || !relation_in_vn(p->peer, vn->vni))
		return NVO3_NOT_IN_VN;
	if ((g->vnis = calloc(1, sizeof *g->vnis)) == NULL)
		return NVO3_NO_MEMORY;
	g->vnis[0] = vn->vni;
	g->n_vnis = 1;
	g->channels[0] = p->named->ch;
	g->n_channels = 1;
	for (i = 0; vn->keys == VN_KEYS_VN && i < p->t->n_suites; i++) {
		const struct nvo3_suite *s = &p->t->suites[i];

		if (strcmp(s->id, vn->suite) != 0)
			continue;
		g->channels[0].esp = s->esp;
		g->channels[0].ke = s->ke;
		g->channels[0].lifetime_s = s->lifetime_s;
	}
	return NVO3_ADMITTED;
}

/* Else: every channel of the pair; those for data only where a VN is shared. */
static enum nvo3_reason
grant_pair(struct grant *g, struct pair *p)
{
	const struct nvo3_channel *c;
	uint32_t *mine = NULL;
	size_t i, n;

	if (p->self->n_vnis > 0) {
		if ((mine = calloc(p->self->n_vnis, sizeof *mine)) == NULL)
			return NVO3_NO_MEMORY;
		n = relation_pair_vnis(p->t, p->self, mine);
		/* In place: what is written never overtakes what is read. */
		g->n_vnis = (uint32_t)relation_shared(mine, n, p->peer, mine);
	}
	for (i = 0; i < p->t->n_channels && g->n_channels < CHANNELS_MAX; i++) {
		c = &p->t->channels[i];
		if (relation_roles(c, p->self->role, p->peer->role) &&
		    (c->ch.level != LEVEL_DATA || g->n_vnis > 0))
			g->channels[g->n_channels++] = c->ch;
	}
	if (g->n_vnis > 0)
		g->vnis = mine;
	else
		free(mine);
	if (g->n_channels == 0 ||
	    (p->named != NULL && p->named->ch.level == LEVEL_DATA && g->n_vnis == 0))
		return NVO3_NO_COMMON_VN;
	return NVO3_ADMITTED;
}

enum nvo3_reason
nvo3_decide(const struct nvo3_table *t, const struct nvo3_question *q, struct grant *g, int *line)
{
	struct pair p = { .t = t };
	enum nvo3_reason r;

	memset(g, 0, sizeof *g);
	*line = 0;
	if (t == NULL)
		return NVO3_NO_TABLE;
	if (q->now >= t->expires)
		return NVO3_TABLE_EXPIRED;
	if (q->now >= q->cert_not_after)
		return NVO3_CERT_EXPIRED;
	if ((r = decide_nodes(q, &p)) != NVO3_ADMITTED)
		goto out;
	r = NVO3_UNKNOWN_CHANNEL;
	if (!read_label(q->label, &p.asked) || (r = decide_channel(&p)) != NVO3_ADMITTED)
		goto out;
	r = p.asked.vni != 0 ? grant_one_vn(g, &p) : grant_pair(g, &p);
	if (r != NVO3_ADMITTED)
		goto out;
	memcpy(g->node, p.peer->id, sizeof g->node);
	grant_addresses(g, &p);
	g->expires = t->expires + q->grace_s;
	if (q->cert_not_after < g->expires)
		g->expires = q->cert_not_after;
out:
	if (r != NVO3_ADMITTED) {
		grant_free(g);
		memset(g, 0, sizeof *g);
	}
	*line = p.line;
	return r;
}
