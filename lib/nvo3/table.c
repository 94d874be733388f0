/* SPDX-License-Identifier: ISC */
#include "nvo3/authz.h"

#include <stdlib.h>

#include "nvo3/value.h"

void
nvo3_limits_default(struct nvo3_limits *l)
{
	l->max_octets = 16u << 20;
	l->max_nodes = 20000;
	l->max_vns = 100000;
	l->max_depth = 8;
}

void
nvo3_table_free(struct nvo3_table *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n_nodes; i++) {
		free(t->nodes[i].identities);
		free(t->nodes[i].vnis);
		free(t->nodes[i].attached);
	}
	hash_free(t->by_id);
	hash_free(t->by_identity);
	free(t->suites);
	free(t->channels);
	free(t->vns);
	free(t->nodes);
	free(t);
}

const struct nvo3_node *
nvo3_node_by_id(const struct nvo3_table *t, const char *id)
{
	uintptr_t at = (uintptr_t)hash_get(t->by_id, bytes_str(id));

	return at != 0 ? &t->nodes[at - 1] : NULL;
}

const struct nvo3_node *
nvo3_node_by_identity(const struct nvo3_table *t, const char (*identities)[300],
    size_t n_identities, size_t *n)
{
	const struct nvo3_node *found = NULL, *node;
	char canonical[300];
	uintptr_t at;
	size_t i;

	*n = 0;
	for (i = 0; i < n_identities; i++) {
		if (!value_identity(identities[i], canonical))
			continue;
		if ((at = (uintptr_t)hash_get(t->by_identity, bytes_str(canonical))) == 0)
			continue;
		node = &t->nodes[at - 1];
		if (*n == 0 || node != found)
			(*n)++;
		if (found == NULL)
			found = node;
	}
	return *n == 1 ? found : NULL;
}
