/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "nvo3/relation.h"

/* The address to reach it at, and ours of the same family. */
static bool
choose_addresses(const struct nvo3_node *self, const struct nvo3_node *peer, struct policy *p)
{
	const struct addr *at;
	size_t i, k;

	for (i = 0; i < peer->n_underlay; i++) {
		at = addr_len(&peer->outside[i]) != 0 ? &peer->outside[i] : &peer->underlay[i];
		for (k = 0; k < self->n_underlay; k++) {
			if (addr_len(&self->underlay[k]) != addr_len(at))
				continue;
			p->local = self->underlay[k];
			p->peer = *at;
			return true;
		}
	}
	return false;
}

int
nvo3_peers(const struct nvo3_table *t, const char *self_id,
    int (*emit)(void *, const struct nvo3_node *, const struct policy *), void *arg)
{
	const struct nvo3_node *self = nvo3_node_by_id(t, self_id), *peer;
	uint32_t *mine = NULL, *shared = NULL, n_shared;
	size_t i, k, n_mine;
	int r = ERR_NOMEM;

	if (self == NULL)
		return ERR_NOTFOUND;
	if ((mine = calloc(self->n_vnis + 1, sizeof *mine)) == NULL ||
	    (shared = calloc(self->n_vnis + 1, sizeof *shared)) == NULL)
		goto out;
	n_mine = relation_pair_vnis(t, self, mine);
	for (r = 0, i = 0; r == 0 && i < t->n_nodes; i++) {
		struct policy p = { .action = POLICY_PROTECT };

		peer = &t->nodes[i];
		if (peer == self || !relation_attached(self, peer) ||
		    !choose_addresses(self, peer, &p))
			continue;
		memcpy(p.node, peer->id, sizeof p.node);
		n_shared = (uint32_t)relation_shared(mine, n_mine, peer, shared);
		for (k = 0; r == 0 && k < t->n_channels; k++) {
			if (!relation_roles(&t->channels[k], self->role, peer->role))
				continue;
			p.channel = t->channels[k].ch;
			p.n_vnis = p.channel.level == LEVEL_DATA ? n_shared : 0;
			p.vnis = p.n_vnis > 0 ? shared : NULL;
			if (p.channel.level != LEVEL_DATA || n_shared > 0)
				r = emit(arg, peer, &p);
		}
	}
out:
	free(mine);
	free(shared);
	return r;
}
