/* SPDX-License-Identifier: ISC */
/* <node> and what is in it. */
#include <stdlib.h>

#include "nvo3/elements.h"

#define IDENTITIES_MAX 16
#define ATTACHED_MAX   1024

static struct nvo3_node *
current_node(struct doc *d)
{
	return &d->t->nodes[d->t->n_nodes - 1];
}

int
element_start_node(struct doc *d)
{
	struct nvo3_node *node;
	const struct nvo3_node *twin;
	size_t n = d->t->n_nodes;
	unsigned role;
	int r;

	if (n >= d->limits->max_nodes)
		return doc_fail(d, ERR_SPACE, "more than %zu nodes", d->limits->max_nodes);
	if ((node = doc_grow(d->t->nodes, n, sizeof *node)) == NULL)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	d->t->nodes = node;
	node += n;
	node->line = d->line;
	if ((r = doc_id(d, "id", node->id)) != 0 ||
	    (r = doc_word(d, "role", words_role, &role)) != 0)
		return r;
	if ((twin = nvo3_node_by_id(d->t, node->id)) != NULL)
		return doc_fail(d, ERR_VALUE, "node \"%s\" is there already, in line %d", node->id,
		    twin->line);
	if ((r = hash_add(d->t->by_id, bytes_str(node->id), (void *)(uintptr_t)(n + 1))) != 0)
		return doc_fail(d, r, "out of memory");
	node->role = (enum role)role;
	d->t->n_nodes++;
	return 0;
}

static int
cmp_vni(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int
element_end_node(struct doc *d)
{
	struct nvo3_node *node = current_node(d);
	size_t i;

	if (node->n_identities == 0 || node->n_underlay == 0)
		return doc_fail_at(d, node->line, ERR_SYNTAX,
		    "node \"%s\" needs an <identity> and an "
		    "<underlay>",
		    node->id);
	if (node->n_vnis == 0)
		return 0;
	qsort(node->vnis, node->n_vnis, sizeof *node->vnis, cmp_vni);
	for (i = 1; i < node->n_vnis; i++)
		if (node->vnis[i] == node->vnis[i - 1])
			return doc_fail_at(d, node->line, ERR_VALUE, "node \"%s\" has VN %u twice",
			    node->id, node->vnis[i]);
	return 0;
}

int
element_end_identity(struct doc *d)
{
	struct nvo3_node *node = current_node(d);
	char (*ids)[300];
	uintptr_t at;
	int r;

	if (node->n_identities == IDENTITIES_MAX)
		return doc_fail(d, ERR_SPACE, "more than %d identities", IDENTITIES_MAX);
	if ((ids = doc_grow(node->identities, node->n_identities, sizeof *ids)) == NULL)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	node->identities = ids;
	ids += node->n_identities;
	if (!value_identity(d->text, *ids))
		return doc_fail(d, ERR_VALUE, "\"%.80s\" is no identity: write dns:NAME, uri:URI, "
		    "ip:ADDRESS, email:ADDRESS or dn:NAME, exactly, without wildcards", d->text);
	if ((at = (uintptr_t)hash_get(d->t->by_identity, bytes_str(*ids))) != 0)
		return doc_fail(d, ERR_VALUE,
		    "the identity \"%.80s\" is that of node \"%s\" already", *ids,
		    d->t->nodes[at - 1].id);
	if ((r = hash_add(d->t->by_identity, bytes_str(*ids), (void *)(uintptr_t)d->t->n_nodes)) !=
	    0)
		return doc_fail(d, r, "out of memory");
	node->n_identities++;
	return 0;
}

int
element_start_underlay(struct doc *d)
{
	memset(&d->outside, 0, sizeof d->outside);
	if (doc_attr(d, "outside") == NULL)
		return 0;
	return doc_addr(d, "outside", &d->outside);
}

/* Addresses are unique, but two sites behind NATs may use the same ones inside. */
static int
address_once(struct doc *d, const struct addr *a, bool inside)
{
	enum { DIRECT = 1, BEHIND_NAT };
	uintptr_t seen = (uintptr_t)hash_get(d->addrs, addr_bytes(a));
	char text[ADDR_STRLEN];
	int r;

	if (addr_is_unspecified(a) || addr_is_multicast(a))
		return doc_fail(d, ERR_VALUE, "%s is no host's address", addr_str(a, text));
	if (seen == 0) {
		r = hash_add(
		    d->addrs, addr_bytes(a), (void *)(uintptr_t)(inside ? BEHIND_NAT : DIRECT));
		return r == 0 ? 0 : doc_fail(d, r, "out of memory");
	}
	if (seen == BEHIND_NAT && inside)
		return 0;
	return doc_fail(
	    d, ERR_VALUE, "the underlay address %s is there already", addr_str(a, text));
}

int
element_end_underlay(struct doc *d)
{
	struct nvo3_node *node = current_node(d);
	bool nat = addr_len(&d->outside) != 0;
	struct addr a;
	size_t i, used;
	int r;

	if (addr_parse(&a, d->text) != 0)
		return doc_fail(d, ERR_VALUE, "<underlay>: \"%.46s\" is no IP address", d->text);
	if (nat && addr_len(&a) != addr_len(&d->outside))
		return doc_fail(d, ERR_VALUE,
		    "<underlay>: the address and the one outside are not both "
		    "IPv4 or both IPv6");
	for (used = node->n_underlay, i = 0; i < node->n_underlay; i++) {
		used += addr_len(&node->outside[i]) != 0;
		if (addr_equal(&node->underlay[i], &a))
			return doc_fail(d, ERR_VALUE, "this <underlay> is there twice");
	}
	if (used + 1 + nat > ADDRS_MAX)
		return doc_fail(d, ERR_SPACE,
		    "a node has at most %d addresses, outside ones counted", ADDRS_MAX);
	if ((r = address_once(d, &a, nat)) != 0 ||
	    (nat && (r = address_once(d, &d->outside, false)) != 0))
		return r;
	node->underlay[node->n_underlay] = a;
	node->outside[node->n_underlay++] = d->outside;
	return 0;
}

int
element_start_vn_ref(struct doc *d)
{
	struct nvo3_node *node = current_node(d);
	uint32_t *vnis;
	uint8_t key[4];
	struct wr w = wr_fixed(key, sizeof key);
	uint64_t vni;
	int r;

	if ((r = doc_number(d, "ref", 1, VNI_MAX, &vni)) != 0)
		return r;
	if (node->n_vnis == SA_VNIS_MAX)
		return doc_fail(d, ERR_SPACE, "a node has at most %d VNs", SA_VNIS_MAX);
	wr_u32(&w, (uint32_t)vni);
	if (hash_get(d->vnis, wr_view(&w)) == NULL)
		return doc_fail(d, ERR_VALUE,
		    "node \"%s\" is in VN %u, which <virtual-networks> does not "
		    "have",
		    node->id, (uint32_t)vni);
	if ((vnis = doc_grow(node->vnis, node->n_vnis, sizeof *vnis)) == NULL)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	node->vnis = vnis;
	vnis[node->n_vnis++] = (uint32_t)vni;
	return 0;
}

int
element_start_attached(struct doc *d)
{
	struct nvo3_node *node = current_node(d);
	char (*attached)[ID_MAX];
	int r;

	if (node->role != ROLE_HYPERVISOR)
		return doc_fail(
		    d, ERR_VALUE, "node \"%s\": only a hypervisor is attached to an NVE", node->id);
	if (node->n_attached == ATTACHED_MAX)
		return doc_fail(
		    d, ERR_SPACE, "a node is attached to at most %d NVEs", ATTACHED_MAX);
	if ((attached = doc_grow(node->attached, node->n_attached, sizeof *attached)) == NULL)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	node->attached = attached;
	if ((r = doc_id(d, "nve", attached[node->n_attached])) != 0)
		return r;
	node->n_attached++;
	return doc_ref(d, attached[node->n_attached - 1], ROLE_NVE);
}
