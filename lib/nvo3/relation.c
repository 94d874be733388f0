/* SPDX-License-Identifier: ISC */
#include "nvo3/relation.h"

#include <stdlib.h>

bool
relation_roles(const struct nvo3_channel *c, enum role a, enum role b)
{
	return (c->between[0] == a && c->between[1] == b) ||
	    (c->between[0] == b && c->between[1] == a);
}

bool
relation_attached(const struct nvo3_node *a, const struct nvo3_node *b)
{
	const struct nvo3_node *hv = a->role == ROLE_HYPERVISOR ? a : b;
	const struct nvo3_node *nve = hv == a ? b : a;
	size_t i;

	if (hv->role != ROLE_HYPERVISOR || nve->role != ROLE_NVE)
		return true;
	for (i = 0; i < hv->n_attached; i++)
		if (strcmp(hv->attached[i], nve->id) == 0)
			return true;
	return false;
}

static int
cmp_vni(const void *key, const void *member)
{
	uint32_t a = *(const uint32_t *)key, b = *(const uint32_t *)member;

	return a < b ? -1 : a > b;
}

bool
relation_in_vn(const struct nvo3_node *node, uint32_t vni)
{
	return node->n_vnis > 0 &&
	    bsearch(&vni, node->vnis, node->n_vnis, sizeof *node->vnis, cmp_vni) != NULL;
}

static int
cmp_vn(const void *key, const void *member)
{
	uint32_t a = *(const uint32_t *)key, b = ((const struct nvo3_vn *)member)->vni;

	return a < b ? -1 : a > b;
}

const struct nvo3_vn *
relation_vn(const struct nvo3_table *t, uint32_t vni)
{
	if (t->n_vns == 0)
		return NULL;
	return bsearch(&vni, t->vns, t->n_vns, sizeof *t->vns, cmp_vn);
}

size_t
relation_pair_vnis(const struct nvo3_table *t, const struct nvo3_node *node, uint32_t *out)
{
	const struct nvo3_vn *vn;
	size_t i, n = 0;

	for (i = 0; i < node->n_vnis; i++)
		if ((vn = relation_vn(t, node->vnis[i])) != NULL && vn->keys == VN_KEYS_PAIR)
			out[n++] = vn->vni;
	return n;
}

size_t
relation_shared(const uint32_t *vnis, size_t n, const struct nvo3_node *node, uint32_t *out)
{
	size_t i = 0, k = 0, shared = 0;

	while (i < n && k < node->n_vnis) {
		if (vnis[i] < node->vnis[k])
			i++;
		else if (vnis[i] > node->vnis[k])
			k++;
		else {
			out[shared++] = vnis[i++];
			k++;
		}
	}
	return shared;
}
