/* SPDX-License-Identifier: ISC */
/*
 * Peers and policies: what follows from the table before anybody speaks. The engine is told whom to
 * speak with, the backend what to protect; of a new table only the difference.
 */
#include <stdio.h>
#include <stdlib.h>

#include "backend/client.h"
#include "base/log.h"
#include "ikev2d/authz.h"

/* What was told, in the form in which it was sent. */
struct told {
	char node[ID_MAX];
	struct blob body;
	bool seen;               /* in the table that is being applied */
};

struct gathering {
	struct authz *a;
	struct ike_peer peer;    /* being put together from the policies of one node */
	int r;
};

static void
told_free(struct told *t)
{
	blob_free(&t->body);
	free(t);
}

/* Keep what is to be told under its key: true when it is new or changed. */
static bool
told_keep(struct hash *h, struct bytes key, const char *node, struct wr *w)
{
	struct told *t = hash_get(h, key);
	bool same;

	if (w->bad) {
		log_error("peer %s does not fit a message", node);
		return false;
	}
	if (t == NULL) {
		if ((t = calloc(1, sizeof *t)) == NULL || hash_add(h, key, t) != OK) {
			free(t);
			return false;
		}
		(void)snprintf(t->node, sizeof t->node, "%s", node);
	}
	t->seen = true;
	same = bytes_equal(blob_view(&t->body), wr_view(w));
	return !same && blob_copy(&t->body, wr_view(w)) == OK;
}

/* ------------------------------------------------------------------ policies */

static struct bytes
policy_key(const char *node, const char *channel, char buf[static 2 * ID_MAX])
{
	int n = snprintf(buf, 2 * ID_MAX, "%s %s", node, channel);

	return bytes_of(buf, n < 0 ? 0 : (size_t)n);
}

/* Until grants of a former process are taken over nothing is sent: then all of it is. */
static void
policy_tell(struct authz *a, uint16_t type, struct bytes body)
{
	if (a->recovered)
		(void)chan_send(child_chan(a->child, PROC_BACKEND), type, body, -1);
}

static void
policy_commit(struct authz *a)
{
	uint8_t buf[16];
	struct wr w = wr_fixed(buf, sizeof buf);

	/* 0 is no generation of a grant. */
	if (a->recovered)
		(void)authz_to_backend(a, bk_send_commit(&w, 0), &w);
}

static void
policy_keep(struct authz *a, const struct policy *p)
{
	char key[2 * ID_MAX];
	struct wr w = wr_grow(SEQ_MAX);

	wr_policy(&w, p);
	if (told_keep(a->policies, policy_key(p->node, p->channel.id, key), p->node, &w))
		policy_tell(a, BK_POLICY_ADD, wr_view(&w));
	wr_free(&w);
}

void
authz_policies_drop(struct authz *a, const struct grant *g)
{
	uint8_t i;

	for (i = 0; i < g->n_channels; i++) {
		struct policy p = { .action = POLICY_PROTECT, .channel = g->channels[i] };
		struct wr w = wr_grow(SEQ_MAX);

		memcpy(p.node, g->node, sizeof p.node);
		p.local = g->local[0];
		p.peer = g->peer[0];
		wr_policy(&w, &p);
		policy_tell(a, BK_POLICY_DEL, wr_view(&w));
		wr_free(&w);
	}
	policy_commit(a);
}

/* ------------------------------------------------------------------ peers */

static bool
we_initiate(const struct authz *a, const struct ike_peer *p)
{
	switch (a->config->initiate) {
	case INITIATE_ALL:
		return true;
	case INITIATE_NONE:
		return false;
	default:
		/* One of the two, and both agree on which. */
		return addr_cmp(&p->local, &p->addrs[0]) < 0;
	}
}

static void
peer_tell(struct authz *a, struct bytes body)
{
	(void)chan_send(child_chan(a->child, PROC_ENGINE), MSG_PEER_SET, body, -1);
}

static void
peer_keep(struct authz *a, struct ike_peer *p)
{
	struct wr w = wr_grow(SEQ_MAX);

	p->initiate = we_initiate(a, p);
	wr_peer_set(&w, p);
	if (told_keep(a->peers, bytes_str(p->node), p->node, &w))
		peer_tell(a, wr_view(&w));
	wr_free(&w);
}

static void
peer_address(struct ike_peer *p, const struct addr *at)
{
	uint8_t i;

	for (i = 0; i < p->n_addrs; i++)
		if (addr_equal(&p->addrs[i], at))
			return;
	if (addr_len(at) != 0 && p->n_addrs < ADDRS_MAX)
		p->addrs[p->n_addrs++] = *at;
}

/* Policies of a node come one after the other. */
static int
gather(void *arg, const struct nvo3_node *node, const struct policy *p)
{
	struct gathering *g = arg;
	uint8_t i;

	if (strcmp(g->peer.node, p->node) != 0) {
		if (g->peer.node[0] != '\0')
			peer_keep(g->a, &g->peer);
		memset(&g->peer, 0, sizeof g->peer);
		memcpy(g->peer.node, p->node, sizeof g->peer.node);
		g->peer.local = p->local;
		peer_address(&g->peer, &p->peer);
		for (i = 0; i < node->n_underlay; i++) {
			peer_address(&g->peer, &node->outside[i]);
			peer_address(&g->peer, &node->underlay[i]);
		}
	}
	if (g->peer.n_channels < CHANNELS_MAX)
		g->peer.channels[g->peer.n_channels++] = p->channel;
	policy_keep(g->a, p);
	return OK;
}

static void
unsee(struct hash *h)
{
	struct told *t;
	size_t pos = 0;

	while ((t = hash_next(h, &pos)) != NULL)
		t->seen = false;
}

static void
peers_sweep(struct authz *a)
{
	struct told *t;
	size_t pos = 0;

	while ((t = hash_next(a->peers, &pos)) != NULL) {
		struct wr w = wr_grow(256);

		if (!t->seen) {
			wr_str(&w, t->node);
			(void)chan_send(child_chan(a->child, PROC_ENGINE), MSG_PEER_DEL, wr_view(&w),
			    -1);
			(void)hash_del(a->peers, bytes_str(t->node));
			told_free(t);
		}
		wr_free(&w);
	}
}

static void
policies_sweep(struct authz *a)
{
	char key[2 * ID_MAX];
	struct policy p;
	struct told *t;
	struct rd r;
	size_t pos = 0;

	while ((t = hash_next(a->policies, &pos)) != NULL) {
		if (t->seen)
			continue;
		r = rd_open(blob_view(&t->body));
		if (rd_policy(&r, &p) != OK)
			continue;
		policy_tell(a, BK_POLICY_DEL, blob_view(&t->body));
		(void)hash_del(a->policies, policy_key(p.node, p.channel.id, key));
		policy_free(&p);
		told_free(t);
	}
}

void
authz_peers_again(struct authz *a)
{
	struct gathering g;
	char text[256];

	memset(&g, 0, sizeof g);
	g.a = a;
	unsee(a->peers);
	unsee(a->policies);
	g.r = nvo3_peers(a->doc.table, a->config->node, gather, &g);
	if (g.peer.node[0] != '\0')
		peer_keep(a, &g.peer);
	text[0] = '\0';
	if (g.r == ERR_NOTFOUND)
		(void)snprintf(text, sizeof text, "our node id '%s' is not in the document: ask the "
		    "NVA's operator to add it, or correct 'id' in [node]", a->config->node);
	authz_alarm(a, ALARM_TABLE, text);
	peers_sweep(a);
	policies_sweep(a);
	policy_commit(a);
	(void)chan_send(child_chan(a->child, PROC_ENGINE), MSG_PEERS_END, bytes_of(NULL, 0), -1);
}

void
authz_peers_engine(struct authz *a)
{
	struct told *t;
	size_t pos = 0;

	while ((t = hash_next(a->peers, &pos)) != NULL)
		peer_tell(a, blob_view(&t->body));
	if (a->doc.table != NULL)
		(void)chan_send(child_chan(a->child, PROC_ENGINE), MSG_PEERS_END,
		    bytes_of(NULL, 0), -1);
}

void
authz_peers_backend(struct authz *a)
{
	struct told *t;
	size_t pos = 0;

	while ((t = hash_next(a->policies, &pos)) != NULL)
		policy_tell(a, BK_POLICY_ADD, blob_view(&t->body));
	policy_commit(a);
}

void
authz_peers_free(struct authz *a)
{
	struct told *t;
	size_t pos = 0;

	while (a->peers != NULL && (t = hash_next(a->peers, &pos)) != NULL)
		told_free(t);
	for (pos = 0; a->policies != NULL && (t = hash_next(a->policies, &pos)) != NULL; )
		told_free(t);
	hash_free(a->peers);
	hash_free(a->policies);
}
